import { lockRepository as lock } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { plural, printable } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
import type { LockOptions, RepositoryOptions } from '../sharedOptions.ts';

export async function lockRepository(context: CommandContext, options: RepositoryOptions & LockOptions): Promise<ExitCode> {
  const { lockDays: days, lockMode: mode } = options;
  if (days === undefined) throw usageError('no-lock-days', 'Say for how long: --lock-days N.');
  const repository = await openRepository(context, options);
  await lock(repository.context, { mode, days }, context.signal);
  const { location } = repository.context.storage;
  await context.out.document({ location, lock: { mode, days } });
  await context.out.line(`Snapshots at ${printable(location)} are locked for ${plural(days, 'day')} (${mode}) from the next backup on.`);
  return EXIT.done;
}
