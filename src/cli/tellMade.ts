import type { CommandContext } from './commandContext.ts';
import { lockSettingOf, type LockSetting } from '../repository/index.ts';
import { plural, printable } from './formatText.ts';
import type { MadeRepository } from './openRepository.ts';

export interface MadeDocument {
  readonly repository: string;
  readonly location: string;
  readonly keyFile: string;
  readonly keyFileMade: boolean;
  readonly recoveryKey: string;
  readonly lock: LockSetting | null;
}

export function madeDocument({ repository, keyFile, keyFileMade, recoveryKey }: MadeRepository): MadeDocument {
  return { repository: repository.id, location: repository.context.storage.location, keyFile, keyFileMade, recoveryKey, lock: lockSettingOf(repository.context) ?? null };
}

/**
 * Tells a person what was made and what to keep; the recovery key is shown here and never again. On stderr where stdout
 * is for a program: its document comes last, and not at all if the command fails.
 */
export async function tellMade({ out, stderr }: CommandContext, made: MadeRepository): Promise<void> {
  const lines = madeLines(made);
  if (out.json) stderr.write(`${lines.join('\n')}\n`);
  for (const line of lines) await out.line(line);
}

function madeLines(made: MadeRepository): string[] {
  const { location, keyFile, keyFileMade, recoveryKey, lock } = madeDocument(made);
  const groups = recoveryKey.split('-');
  return [
    `Made a repository at ${printable(location)}`,
    keyFileMade ? `and its key file ${printable(keyFile)} (readable by you alone).` : `for the key file ${printable(keyFile)}.`,
    ...(lock ? [`Its snapshots are locked for ${plural(lock.days, 'day')} (${lock.mode}).`] : []),
    '',
    'RECOVERY KEY, shown this once. Print it or write it down, and keep it away from this machine:',
    '',
    `    ${groups.slice(0, 7).join('-')}-`,
    `    ${groups.slice(7).join('-')}`,
    '',
    'It opens the repository when the key file is lost. Keep a copy of the key file elsewhere too:',
    'without one of the two nobody reads the backups, you included.',
  ];
}
