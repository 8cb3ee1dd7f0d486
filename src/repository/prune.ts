import type { Progress } from '../domain/index.ts';
import { makeScratch } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { refuseCopy } from './copyMarker.ts';
import type { LockedRest } from './lockedTally.ts';
import { dropJournals } from './dropJournals.ts';
import { lastSegment, names } from './names.ts';
import { refuseLost } from './openLocked.ts';
import type { PrunePolicy } from './prunePolicy.ts';
import { PruneRun } from './pruneRun.ts';
import type { Repository } from './repository.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { refuseWeakStorage } from './weakStorage.ts';
import { sweepIndexCache } from './sweepIndexCache.ts';
import { waitingObjects } from './waitingObjects.ts';
import { withClaim } from './workClaim.ts';

export interface PruneOptions {
  /** Only tell what would be done. */
  readonly dryRun?: boolean;
  /**
   * Unfinished runs, and packs and segments that nothing names, are left alone for so long. Only saves running backups
   * from having to start again: no value, and no wrong clock, makes a prune unsafe. Default: a day.
   */
  readonly graceMs?: number;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

export interface PruneResult {
  readonly snapshotsRemoved: number;
  /** Packs that went because nothing in them was needed. */
  readonly packsDeleted: number;
  /** Packs whose needed part was copied into new ones before they went. */
  readonly packsRewritten: number;
  /** Bytes of packs that the repository holds less than before. */
  readonly bytesFreed: number;
  /** Bytes of all packs that stay; `deadKept` of them are not needed but not worth a rewrite yet, about. */
  readonly bytesKept: number;
  readonly deadKept: number;
  /** What would have gone and stays, because nobody can delete it yet. */
  readonly locked: LockedRest;
}

/**
 * Removes snapshots that the policy does not keep and everything that no snapshot needs any more, beside running
 * backups, restores and other prunes, in the order of docs/format, "Prune". Killed at any point it leaves a sound
 * repository, and the next prune finishes its work.
 * Errors: `repository/prune-refused` where something that says what is needed cannot be read, or the storage lists late – nothing is deleted then;
 * `repository/is-copy`; `repository/erasing`; `repository/lock-lost`.
 */
export async function prune(repository: Repository, policy: PrunePolicy, options: PruneOptions = {}): Promise<PruneResult> {
  const { context } = repository;
  await refuseCopy(context, options.signal);
  const run = (): Promise<PruneResult> => pruneContext(context, policy, options);
  return options.dryRun === true ? run() : withClaim(context, { work: 'prune' }, { signal: options.signal }, run);
}

/**
 * Removes from a copy the snapshots for which `stays` (`<tag>/<id>`) answers false, and the packs that only they need and that
 * the source has not, or keeps for its locks alone. Nothing is rewritten. Errors: as for {@link prune}.
 */
export async function mirrorRemovals(
  target: RepositoryContext, source: RepositoryContext, stays: (snapshot: string) => boolean, options: { signal?: AbortSignal },
): Promise<PruneResult> {
  const mirrored = new Set<string>();
  const waiting = await waitingObjects(source, options.signal);
  for await (const { name } of listAll(source.storage, 'packs/', options)) if (!waiting.has(name)) mirrored.add(lastSegment(name));
  return pruneContext(target, { keep: ({ tag, id }) => stays(`${tag}/${id}`) }, { ...options, graceMs: 0 }, mirrored);
}

function signalOf({ signal }: PruneOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

async function pruneContext(
  context: RepositoryContext, policy: PrunePolicy, options: PruneOptions, mirrored?: ReadonlySet<string>,
): Promise<PruneResult> {
  if (options.dryRun !== true) {
    refuseLost(context);
    await refuseWeakStorage(context, options.signal);
  }
  // What is deleted for good is decided on an index fresh from the repository: a local file that rotted must not decide it.
  await using scratch = await makeScratch('prune');
  const result = await new PruneRun({ ...context, cacheDirectory: scratch.path }, policy, options, mirrored ? { mirrored } : {}).run();
  // What a restore changed is kept as long as the snapshot that it gave back.
  if (options.dryRun !== true) {
    const isGone = async (snapshot: string): Promise<boolean> => await context.storage.stat(snapshot, signalOf(options)) === undefined;
    await dropJournals(context, async ({ source, snapshot }) => source !== '' && await isGone(names.snapshot(source, snapshot)), options.signal);
  }
  await sweepIndexCache(context, options.signal);
  return result;
}
