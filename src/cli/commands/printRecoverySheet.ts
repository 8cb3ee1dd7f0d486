import { formatRecoveryKey, parseRecoveryKey, type Repository } from '../../repository/index.ts';
import { HoldfastError } from '../../domain/index.ts';
import { askSecret } from '../askSecret.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { giveRecoveryKey } from '../giveRecoveryKey.ts';
import { isTerminal } from '../isTerminal.ts';
import { openRepository, openWithKey } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
import { readSecret } from '../readSecret.ts';
import { sheetDocument, tellSheet, type RecoverySheet } from '../recoverySheet.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

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
    await tellSheet(context, sheet);
    await out.line('\nThis key opens the repository: tried just now.');
    return EXIT.done;
  }
  return giveRecoveryKey(context, await openRepository(context, options), { ...options, confirm: true });
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
    repository: repository.id, location: repository.context.storage.location, slot: slotOf(repository), retires: [],
    recoveryKey: formatRecoveryKey(key), printedAt: new Date(context.clock.now()).toISOString(),
  };
}

function slotOf(repository: Repository): string {
  const { slot } = repository.context.keyring;
  if (slot?.startsWith('recovery') === true) return slot;
  throw new HoldfastError('key/not-recovery', 'input', 'This key opens a slot of an operator. Give the recovery key, or make one with --new.');
}
