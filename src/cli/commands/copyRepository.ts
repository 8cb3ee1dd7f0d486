import { copyRepository as copy, detachCopy, type CopyResult } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { bytesText, durationText, plural, printable } from '../formatText.ts';
import { openPlace, openRepository } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions {
  readonly from?: string;
  readonly to: string;
  readonly prune?: boolean;
  readonly readBack?: boolean;
  readonly detach?: boolean;
}

/** What `copy --json` answers; see docs/guides/command-line.md. Fields are only ever added. */
interface CopyDocument extends Omit<CopyResult, 'pruned'> {
  readonly from: string;
  readonly to: string;
  readonly pruned: CopyResult['pruned'] | null;
}

/** Ends with 3 when something is not in the copy as it should be in the source. */
export async function copyRepository(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, stderr, clock, signal } = context;
  if (options.detach === true) return detach(context, options);
  const started = clock.monotonic();
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const source = await openRepository(context, { ...options, ...(options.from !== undefined && { repo: options.from }) }, display.listener);
  const target = await openPlace(context, options.to, display.listener);
  const { prune = false, readBack = false } = options;
  const result = await copy(source, target, { prune, readBack, signal, progress: display.listener });
  display.stop();
  const from = source.context.storage.location;
  await out.document({ from, to: target.location, ...result, pruned: result.pruned ?? null } satisfies CopyDocument);
  await out.line(`${plural(result.snapshotsCopied, 'snapshot')} copied; ${printable(target.location)} has ${result.snapshots} now`);
  await out.line(`  ${plural(result.objects, 'object')}, ${plural(result.packs, 'pack')} among them, ${bytesText(result.bytes)}; `
    + `${bytesText(result.bytesReadBack)} read back; ${durationText(clock.monotonic() - started)}`);
  if (result.pruned) {
    await out.line(`  ${plural(result.pruned.snapshotsRemoved, 'snapshot')} removed as in the source, ${bytesText(result.pruned.bytesFreed)} freed`);
  }
  if (result.findingCount === 0) return EXIT.done;
  await out.line(`${plural(result.findingCount, 'thing')} to look at:`);
  for (const { object, code, message } of result.findings) await out.line(`  ${printable(object)}: ${printable(message)} [${code}]`);
  return EXIT.warnings;
}

async function detach(context: CommandContext, options: Options): Promise<ExitCode> {
  if (options.from !== undefined || options.prune || options.readBack) {
    throw usageError('detach-alone', '--detach goes with --to alone: nothing is copied.');
  }
  const repository = await openRepository(context, { ...options, repo: options.to });
  const { location } = repository.context.storage;
  const detached = await detachCopy(repository.context, context.signal);
  await context.out.document({ to: location, detached });
  await context.out.line(detached ? `${printable(location)} is independent now: backups and prunes work in it, copies into it do not.`
    : `${printable(location)} was no copy; nothing was changed.`);
  return EXIT.done;
}
