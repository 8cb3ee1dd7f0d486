import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { CommandContext } from './commandContext.ts';

/** Asks for a secret on the terminal; what is typed is not shown. Ctrl-C interrupts the command as everywhere. */
export async function askSecret(question: string, { stdin, stderr, signal }: CommandContext): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line = createInterface({ input: stdin, output: silent, terminal: true, historySize: 0 });
  // Only now: what is typed as soon as the question shows must find a terminal that no longer echoes.
  stderr.write(question);
  // A terminal in raw mode makes no signal of Ctrl-C itself.
  line.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await line.question('', { signal });
  } finally {
    line.close();
    stderr.write('\n');
  }
}
