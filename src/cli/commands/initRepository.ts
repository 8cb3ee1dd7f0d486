import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { makeRepository } from '../openRepository.ts';
import { madeDocument, tellMade } from '../tellMade.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

export async function initRepository(context: CommandContext, options: RepositoryOptions): Promise<ExitCode> {
  const made = await makeRepository(context, options);
  await context.out.document(madeDocument(made));
  if (!context.out.json) await tellMade(context, made);
  return EXIT.done;
}
