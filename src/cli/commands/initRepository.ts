import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { makeRepository } from '../openRepository.ts';
import { madeDocument, tellMade } from '../tellMade.ts';
import type { LockOptions, RepositoryOptions } from '../sharedOptions.ts';

export async function initRepository(context: CommandContext, options: RepositoryOptions & LockOptions): Promise<ExitCode> {
  const { lockDays, lockMode } = options;
  const made = await makeRepository(context, options, lockDays === undefined ? undefined : { mode: lockMode, days: lockDays });
  await context.out.document(madeDocument(made));
  if (!context.out.json) await tellMade(context, made);
  return EXIT.done;
}
