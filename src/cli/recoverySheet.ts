import type { CommandContext } from './commandContext.ts';
import { printable } from './formatText.ts';

/** What stands on the printed sheet. */
export interface RecoverySheet {
  readonly repository: string;
  readonly location: string;
  /** The slot that the key opens. */
  readonly slot: string;
  /** Slots of older keys that are taken away once this sheet is out. */
  readonly retires: readonly string[];
  /** As printed: 14 groups of five. */
  readonly recoveryKey: string;
  readonly printedAt: string;
}

/** What `key recovery-sheet --json` answers; see docs/guides/command-line.md. Fields are only ever added. */
export function sheetDocument(sheet: RecoverySheet): RecoverySheet & { readonly kind: 'recovery' } {
  return { kind: 'recovery', ...sheet };
}

/** The sheet on stdout, to be printed; the key stands nowhere else. */
export async function tellSheet({ out }: CommandContext, sheet: RecoverySheet): Promise<void> {
  for (const line of sheetLines(sheet)) await out.line(line);
}

function sheetLines({ repository, location, slot, recoveryKey, printedAt }: RecoverySheet): string[] {
  const groups = recoveryKey.split('-');
  return [
    'HOLDFAST RECOVERY SHEET',
    '',
    `Repository   ${printable(location)}`,
    `Its id       ${repository}`,
    `Key slot     ${slot}`,
    `Printed      ${printedAt}`,
    '',
    'Recovery key',
    '',
    ...[0, 5, 10].map((at) => `    ${groups.slice(at, at + 5).join('-')}`),
    '',
    'How to use it: type the key into a file, on one line or several; capitals, spaces and dashes do not matter.',
    'Then give the file in place of the key file, for example:',
    '',
    `    holdfast snapshots --repo ${printable(location)} --recovery-key-file FILE`,
    '',
    'Whoever holds this sheet and can read the repository reads every backup in it. Keep it where you keep deeds, away',
    'from the machine that runs the backups. A mistake in typing is found, with the number of the wrong group.',
  ];
}
