import { removeKey as remove } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { openRepository } from '../openRepository.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions {
  readonly slot: string;
}

export async function removeKey(context: CommandContext, options: Options): Promise<ExitCode> {
  const { slot } = options;
  const epoch = await remove(await openRepository(context, options), slot, context.signal);
  await context.out.document({ slot, epoch });
  await context.out.line(`The slot ${slot} is gone: its key no longer opens the repository, and nothing that is written from now on (key`);
  await context.out.line(`epoch ${epoch}). Whoever opened the repository with it before, or has a copy of the slot, still reads what is older.`);
  return EXIT.done;
}
