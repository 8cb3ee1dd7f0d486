import { createInterface } from 'node:readline/promises';
import { HoldfastError } from '../domain/index.ts';
import type { CommandContext } from './commandContext.ts';
import { printable } from './formatText.ts';
import { usageError } from './presentError.ts';

/**
 * Goes on when the person types the name of what is to be destroyed, or has said --yes. Errors: `usage/not-confirmed`, `cli/not-confirmed`.
 * @param what asked for only where there is a person to read it.
 */
export async function confirmName(
  { stdin, stderr, signal }: CommandContext, what: () => Promise<string> | string, name: string, yes: boolean,
): Promise<void> {
  if (yes) return;
  if (stdin.isTTY !== true || stderr.isTTY !== true) throw usageError('not-confirmed', 'This cannot be taken back. Add --yes to do it.');
  const asked = await what();
  const line = createInterface({ input: stdin, output: stderr, historySize: 0 });
  line.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const typed = await line.question(`${asked} cannot be taken back. Type the name to go on: ${printable(name)}\n> `, { signal });
    if (typed.trim() !== name.trim()) throw new HoldfastError('cli/not-confirmed', 'input', 'That is not the name. Nothing was changed.');
  } finally {
    line.close();
  }
}
