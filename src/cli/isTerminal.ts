import type { CommandContext } from './commandContext.ts';

/** Whether a person can be asked. */
export function isTerminal({ stdin, stderr }: CommandContext): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}
