import { rotateKeys as rotate } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { openRepository } from '../openRepository.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

export async function rotateKeys(context: CommandContext, options: RepositoryOptions): Promise<ExitCode> {
  const epoch = await rotate(await openRepository(context, options), context.signal);
  await context.out.document({ epoch });
  await context.out.line(`Key epoch ${epoch} begins: what is written from now on is sealed with new keys. Every key that opens the`);
  await context.out.line('repository has them. What is older stays as it is sealed; what a prune rewrites gets the new keys.');
  return EXIT.done;
}
