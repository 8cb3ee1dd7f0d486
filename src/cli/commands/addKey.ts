import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemRandom } from '../../runtime/index.ts';
import { addKey as addKeyTo, makeKeyFile, readKeyFile } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { printable } from '../formatText.ts';
import { giveRecoveryKey } from '../giveRecoveryKey.ts';
import { mustBeApart, openRepository } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions {
  readonly operator?: string;
  readonly recovery?: boolean;
  readonly retireOld?: boolean;
}

export async function addKey(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, signal } = context;
  const { operator, recovery = false, retireOld = false } = options;
  if ((operator !== undefined) === recovery) throw usageError('no-kind', 'Say which key to add: --operator FILE or --recovery.');
  if (retireOld && !recovery) throw usageError('no-recovery', '--retire-old goes with --recovery.');
  const repository = await openRepository(context, options);
  if (operator === undefined) return giveRecoveryKey(context, repository, { ...options, confirm: retireOld });
  mustBeApart(operator, repository.context.storage);
  const made = !existsSync(operator);
  // The key is on disk before anything is sealed with it.
  const key = made ? makeKeyFile(operator, systemRandom) : readKeyFile(operator).key;
  const slot = await addKeyTo(repository, 'operator', key, signal);
  await out.document({ slot, kind: 'operator', keyFile: resolve(operator), keyFileMade: made });
  await out.line(`The key file ${printable(resolve(operator))} opens the repository from now on (slot ${slot}).`);
  return EXIT.done;
}
