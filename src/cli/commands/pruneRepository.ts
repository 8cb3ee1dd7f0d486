import { prune, type PruneResult } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { bytesText, plural } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import type { RepositoryOptions, Span } from '../sharedOptions.ts';

interface Options extends RepositoryOptions {
  readonly keepLast?: number;
  readonly keepWithin?: Span;
  readonly dryRun?: boolean;
}

/** What `prune --json` answers; see docs/guides/command-line.md. Fields are only ever added. */
interface PruneDocument extends PruneResult {
  readonly dryRun: boolean;
}

export async function pruneRepository(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, stderr, clock, signal } = context;
  const { keepLast, keepWithin, dryRun = false } = options;
  if (keepLast === undefined && keepWithin === undefined) {
    throw usageError('no-policy', 'Say what is to stay: --keep-last N or --keep-within 30d (or both: what either keeps).');
  }
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const repository = await openRepository(context, options, display.listener);
  const now = clock.now();
  const policy = {
    ...(keepLast === undefined ? {} : { keepLast }), ...(keepWithin ? { keepWithinMs: now - before(now, keepWithin) } : {}),
  };
  const result = await prune(repository, policy, { dryRun, signal, progress: display.listener });
  display.stop();
  const { snapshotsRemoved, packsDeleted, packsRewritten, bytesFreed, bytesKept, deadKept, locked } = result;
  await out.document({ dryRun, snapshotsRemoved, packsDeleted, packsRewritten, bytesFreed, bytesKept, deadKept, locked } satisfies PruneDocument);
  await out.line(`${dryRun ? 'Nothing was removed. A prune would remove' : 'Removed'} ${plural(snapshotsRemoved, 'snapshot')}`);
  await out.line(`  ${bytesText(bytesFreed)} freed: ${plural(packsDeleted, 'pack')} deleted, ${packsRewritten} rewritten`);
  await out.line(`  ${bytesText(bytesKept)} kept, of which ${bytesText(deadKept)} are not needed but not worth rewriting yet`);
  if (locked.snapshots + locked.packs > 0) {
    await out.line(`  ${plural(locked.snapshots, 'snapshot')} and ${plural(locked.packs, 'pack')} (${bytesText(locked.bytes)}) stay because they are locked, the last of them until ${locked.until}`);
  }
  return EXIT.done;
}

/** So long before a moment; months and years by the calendar (UTC). */
function before(now: number, { count, unit }: Span): number {
  if (unit === 'd') return now - count * 86_400_000;
  const date = new Date(now);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - (unit === 'y' ? 12 * count : count));
  // The last day of a shorter month.
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}
