import { messageOf } from '../domain/index.ts';
import { systemRandom } from '../runtime/index.ts';
import { addKey, formatRecoveryKey, listKeys, parseRecoveryKey, removeKey, type Repository } from '../repository/index.ts';
import { askSecret } from './askSecret.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import { printable } from './formatText.ts';
import { isTerminal } from './isTerminal.ts';
import { openWithKey } from './openRepository.ts';
import { errorText } from './presentError.ts';
import { sheetDocument, tellSheet, type RecoverySheet } from './recoverySheet.ts';
import type { RepositoryOptions } from './sharedOptions.ts';

/** Times that a person may mistype the key that was just printed. */
const TRIES = 5;

export interface GiveOptions extends RepositoryOptions {
  /** The recovery keys before it are taken away. */
  readonly retireOld?: boolean;
  /** A person on a terminal is asked to type the key back. */
  readonly confirm: boolean;
}

/**
 * Makes one more recovery key and shows it. Older ones go only when the new one is out: written, and typed back where a
 * person was asked to. Until then they are all that opens the repository if this program or its reader dies.
 */
export async function giveRecoveryKey(context: CommandContext, repository: Repository, options: GiveOptions): Promise<ExitCode> {
  const { out, stderr, signal, clock } = context;
  const { retireOld = false, confirm } = options;
  const older = retireOld ? (await listKeys(repository, signal)).slots.filter(({ kind }) => kind === 'recovery').map(({ slot }) => slot) : [];
  const key = systemRandom(32);
  const slot = await addKey(repository, 'recovery', key, signal);
  const sheet: RecoverySheet = {
    repository: repository.id, location: repository.context.storage.location, slot, retires: older,
    recoveryKey: formatRecoveryKey(key), printedAt: new Date(clock.now()).toISOString(),
  };
  await out.document({ ...sheetDocument(sheet), confirmed: false });
  await tellSheet(context, sheet);
  const asked = confirm && !out.json && isTerminal(context);
  if (asked && !(await typedBack(context, options, sheet))) {
    if (older.length > 0) stderr.write(`The keys of ${older.join(', ')} still open the repository. Take them away with "holdfast key remove" when the new one is safe.\n`);
    return EXIT.warnings;
  }
  return await retire(context, repository, older) ? EXIT.done : EXIT.warnings;
}

/** @returns whether all of them are gone. */
async function retire({ stderr, signal }: CommandContext, repository: Repository, slots: readonly string[]): Promise<boolean> {
  let all = true;
  for (const slot of slots) {
    try {
      await removeKey(repository, slot, signal);
      stderr.write(`The key of ${slot} opens nothing any more: destroy its sheet.\n`);
    } catch (error) {
      all = false;
      stderr.write(`warning: ${printable(`the key of ${slot} still opens the repository: ${messageOf(error)}`)}\n`);
    }
  }
  return all;
}

/** A person types the key from what was printed or written down, until it opens the repository. */
async function typedBack(context: CommandContext, options: RepositoryOptions, sheet: RecoverySheet): Promise<boolean> {
  const { stderr } = context;
  for (let tries = 0; tries < TRIES; tries++) {
    const typed = await askSecret('\nPrint the sheet or write the key down, then type the key from it to confirm (empty: skip): ', context);
    if (typed.trim() === '') break;
    try {
      const repository = await openWithKey(context, options, parseRecoveryKey(typed));
      if (repository.context.keyring.slot === sheet.slot) {
        stderr.write('Confirmed: the key opens the repository.\n');
        return true;
      }
      stderr.write('That is another key of this repository, not the new one.\n');
    } catch (error) {
      stderr.write(errorText(error));
    }
  }
  stderr.write('The key was not confirmed. Try it later with "holdfast key recovery-sheet".\n');
  return false;
}
