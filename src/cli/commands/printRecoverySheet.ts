import { formatRecoveryKey, parseRecoveryKey, type Repository } from '../../repository/index.ts';
import { HoldfastError } from '../../domain/index.ts';
import { askSecret } from '../askSecret.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { newRecoveryKey } from '../newRecoveryKey.ts';
import { openRepository, openWithKey } from '../openRepository.ts';
import { errorText, usageError } from '../presentError.ts';
import { readSecret } from '../readSecret.ts';
import { sheetDocument, tellSheet, type RecoverySheet } from '../recoverySheet.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

/** Times that a person may mistype the key that was just printed. */
const TRIES = 5;

interface Options extends RepositoryOptions {
  readonly new?: boolean;
  readonly retireOld?: boolean;
}

/**
 * Prints the sheet of a recovery key: of a new one, or of one that is given. The given one is tried on the repository first; a new
 * one is read back on a terminal, so that what was written down is known to open the repository.
 */
export async function printRecoverySheet(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out } = context;
  if (options.new !== true) {
    if (options.retireOld === true) throw usageError('no-new', '--retire-old goes with --new.');
    const sheet = await sheetOfGiven(context, options);
    await out.document({ ...sheetDocument(sheet), confirmed: true });
    if (!out.json) await tellSheet(context, sheet);
    await out.line('\nThis key opens the repository: tried just now.');
    return EXIT.done;
  }
  const repository = await openRepository(context, options);
  const sheet = await newRecoveryKey(context, repository, options.retireOld === true);
  const confirmed = await shownAndConfirmed(context, options, sheet);
  await out.document({ ...sheetDocument(sheet), confirmed });
  return sheet.notRetired.length === 0 && (confirmed || !isTerminal(context)) ? EXIT.done : EXIT.warnings;
}

async function sheetOfGiven(context: CommandContext, options: Options): Promise<RecoverySheet> {
  const { recoveryKeyFile } = options;
  if (recoveryKeyFile === undefined && !isTerminal(context)) {
    throw usageError('no-recovery-key', 'Give the recovery key: --recovery-key-file FILE (- for standard input), or make a new one with --new.');
  }
  const typed = recoveryKeyFile === undefined ? await askSecret('Recovery key: ', context) : await readSecret('recovery key', recoveryKeyFile, context.stdin);
  const key = parseRecoveryKey(typed);
  const repository = await openWithKey(context, options, key);
  return {
    repository: repository.id, location: repository.context.storage.location, slot: slotOf(repository), retired: [], notRetired: [],
    recoveryKey: formatRecoveryKey(key), printedAt: new Date(context.clock.now()).toISOString(),
  };
}

function slotOf(repository: Repository): string {
  const { slot } = repository.context.keyring;
  if (slot?.startsWith('recovery') === true) return slot;
  throw new HoldfastError('key/not-recovery', 'input', 'This key opens a slot of an operator. Give the recovery key, or make one with --new.');
}

/** Shows the sheet; then a person types the key from what was printed or written down, until it opens the repository. */
async function shownAndConfirmed(context: CommandContext, options: Options, sheet: RecoverySheet): Promise<boolean> {
  const { out, stderr } = context;
  if (!out.json) await tellSheet(context, sheet);
  if (!isTerminal(context) || out.json) return false;
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

function isTerminal({ stdin, stderr }: CommandContext): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}
