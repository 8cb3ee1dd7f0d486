import { rebuild, type RebuildResult } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { plural, printable } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

export async function rebuildRepository(context: CommandContext, options: RepositoryOptions): Promise<ExitCode> {
  const { out, stderr, clock, signal } = context;
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const repository = await openRepository(context, options, display.listener);
  const { packs, blobs, unreadable } = await rebuild(repository, { signal, progress: display.listener });
  display.stop();
  await out.document({ packs, blobs, unreadable } satisfies RebuildResult);
  await out.line(`Made the index anew from ${plural(packs, 'pack')} with ${plural(blobs, 'blob')}.`);
  if (unreadable.length > 0) {
    await out.line(`${plural(unreadable.length, 'pack')} cannot be read; "holdfast check" tells what that hits:`);
    for (const { object, message } of unreadable) await out.line(`  ${printable(object)}: ${printable(message)}`);
  }
  return unreadable.length > 0 ? EXIT.warnings : EXIT.done;
}
