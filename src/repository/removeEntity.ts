import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { makeScratch } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { refuseCopy } from './copyMarker.ts';
import { readEntity, type EntityRecord } from './entityKeys.ts';
import { IdTable } from './idTable.ts';
import { inLanes } from './inLanes.ts';
import { keepsLocked } from './lockEnds.ts';
import { dropJournals } from './dropJournals.ts';
import { lastSegment, names } from './names.ts';
import { lockHere, refuseLost } from './openLocked.ts';
import { deleteAll } from './pruneDelete.ts';
import { PruneRun } from './pruneRun.ts';
import { readRootManifest, namesUnder } from './roots.ts';
import type { Layer } from './segment.ts';
import type { Repository } from './repository.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { scanEntries } from './scanEntries.ts';
import { isUnreadable } from './sealedObject.ts';
import { sweepIndexCache } from './sweepIndexCache.ts';
import { refuseWeakStorage } from './weakStorage.ts';
import { tidily, withClaim } from './workClaim.ts';

/** Times that it begins again because a run of the entity was sealed meanwhile. */
const ROUNDS = 5;
/** Locks asked for at once. */
const LANES = 8;
/** What of an entity a lock may hold. */
const LOCKED: readonly ((tag: string) => string)[] = [
  names.entity, names.packs, (tag) => names.snapshot(tag, ''), (tag) => names.seal(tag, ''), (tag) => names.segment(tag, ''), (tag) => names.index(tag, ''),
];

export interface RemovalResult {
  readonly snapshotsRemoved: number;
  readonly packsDeleted: number;
  /** Of those, packs of the stream `shared` whose other contents were written anew. */
  readonly packsRewritten: number;
  /** Pieces that other entities are made of as well: they stay. */
  readonly blobsKept: number;
}

export interface RemoveOptions {
  /** The caller knows that no prune and no erasure is at work: what such ones left when they died is passed over. */
  readonly alone?: boolean;
  readonly signal?: AbortSignal;
  /** Told of what could not be tidied up on this machine or of its own claim, when the entity is gone; without it that throws. */
  readonly onUntidy?: (error: unknown) => void;
}

/**
 * Takes an entity out of the repository: its snapshots with signed records, then its keys, then its rows and packs, and what it alone
 * had in the stream `shared`. From the moment its keys are gone its own packs are unreadable, whether or not they are deleted.
 * Killed at any point it leaves a sound repository, and run again it finishes.
 */
export async function removeEntity(repository: Repository, tag: string, options: RemoveOptions = {}): Promise<RemovalResult> {
  const { context } = repository;
  const { alone, signal, onUntidy } = options;
  await refuseCopy(context, signal);
  refuseLost(context);
  await refuseWeakStorage(context, signal);
  await mustBeUnlocked(context, tag, signal);
  await using scratch = await makeScratch('remove');
  const result = await withClaim(context, { work: 'erasure', items: tag }, { alone, signal, onUntidy },
    () => remove({ ...context, cacheDirectory: scratch.path }, context, tag, signal));
  await tidily(() => sweepIndexCache(context, signal), onUntidy);
  return result;
}

/** Whether anything is left of an entity, though its record may be gone: of a removal that was killed. */
export async function isLeft({ context }: Repository, tag: string, signal?: AbortSignal): Promise<boolean> {
  return (await leftOf(context, tag, signal)).length > 0;
}

/** @param fresh the same repository with an empty cache: what is deleted for good is decided on an index from the repository. */
async function remove(fresh: RepositoryContext, context: RepositoryContext, tag: string, signal?: AbortSignal): Promise<RemovalResult> {
  const removed = new Set<string>();
  const rewritten = new Set<string>();
  const count = (prefix: string): number => [...removed].filter((name) => name.startsWith(prefix)).length;
  for (let round = 0; round < ROUNDS; round++) {
    const entity = await entityIfAny(fresh, tag, signal);
    if (!entity && (await leftOf(context, tag, signal)).length === 0) return { snapshotsRemoved: 0, packsDeleted: 0, packsRewritten: 0, blobsKept: 0 };
    const ids = entity ? await blobsOf(fresh, entity, signal) : new IdTable();
    const run = new PruneRun(fresh, {}, signal ? { signal } : {}, { erasure: { tag, goes: () => ({}), ids, whole: true } });
    await run.run();
    if (run.refused.size > 0) throw lockedMeanwhile(Math.max(...run.refused.values()));
    for (const name of run.gone.objects) removed.add(name);
    for (const pack of run.gone.rewritten) rewritten.add(pack);
    const left = await leftOf(context, tag, signal);
    if (left.some((name) => !/^(index|pins|void|journals)\//.test(name))) continue;
    // No pack is left that they could be of.
    await deleteAll({ context, signal }, left);
    await dropJournals(context, ({ source }) => source === tag || source === '', signal);
    return {
      snapshotsRemoved: count('snapshots/'), packsDeleted: count('packs/'), packsRewritten: rewritten.size, blobsKept: run.gone.needed.size,
    };
  }
  throw new HoldfastError('entity/busy', 'retry', 'Backups of this entity kept being made while it was removed. Stop them, then remove it again.');
}

/** Keys first, or not at all: nothing of an entity is touched while a lock holds any of it. A manifest that says so is believed; else all is asked for. */
async function mustBeUnlocked(context: RepositoryContext, tag: string, signal?: AbortSignal): Promise<void> {
  const { storage } = context;
  if (!keepsLocked(storage)) return;
  let last = await toldByManifests(context, tag, signal);
  if (last > 0) throw lockedUntilThen(`at least until ${new Date(last).toISOString()}`, last);
  for (const prefix of LOCKED) {
    await inLanes(listAll(storage, prefix(tag), signal ? { signal } : {}), LANES, async ({ name }) => {
      const until = await storage.lockedUntil(name, signal);
      last = Math.max(last, until ?? 0);
    });
  }
  if (last > 0) throw lockedUntilThen(`until ${new Date(last).toISOString()}`, last);
}

/** When the last lock ends that a manifest of the entity says to have here; 0: none does, or all have ended. */
async function toldByManifests(context: RepositoryContext, tag: string, signal?: AbortSignal): Promise<number> {
  let last = 0;
  for (const name of await namesUnder(context, names.snapshot(tag, ''), signal)) {
    const stored = await readRootManifest(context, name, signal);
    const lock = stored && await lockHere(context, stored.manifest, signal);
    if (lock) last = Math.max(last, Date.parse(lock.until));
  }
  return last > context.clock.now() ? last : 0;
}

function lockedUntilThen(when: string, until: number): HoldfastError {
  return new HoldfastError('entity/locked', 'input', `The storage locks objects of this entity ${when}. Nothing was changed; remove it after that.`, { data: { until } });
}

function lockedMeanwhile(until: number): HoldfastError {
  return new HoldfastError('entity/locked', 'input',
    `Something that only this entity needed was locked while it was removed, or is locked for others, until ${new Date(until).toISOString()}. All else of it is gone. Remove it again after that, or leave the rest to a prune.`, { data: { until } });
}

/** One that is gone, or that a removal which was killed has deleted in part: then no manifest is left. */
async function entityIfAny({ storage, keyring }: RepositoryContext, tag: string, signal?: AbortSignal): Promise<EntityRecord | undefined> {
  try {
    return await readEntity(storage, keyring, tag, signal);
  } catch (error) {
    if (!isHoldfastError(error) || !(isUnreadable(error) || error.code === 'storage/not-found')) throw error;
    return undefined;
  }
}

/** Everything under the entity's tag. */
async function leftOf(context: RepositoryContext, tag: string, signal?: AbortSignal): Promise<string[]> {
  const left: string[] = [];
  for (const prefix of [
    names.entity(tag), names.snapshot(tag, ''), names.seal(tag, ''), names.segment(tag, ''), names.packs(tag), names.checkpoint(tag, ''),
    names.index(tag, ''), names.pin(tag, ''), `void/${tag}/`, names.journals(tag),
  ]) left.push(...(await namesUnder(context, prefix, signal)));
  return left;
}

/** Ids of all blobs that a row of it needs, of unfinished runs too, found again after a kill as long as its keys stand. */
async function blobsOf(context: RepositoryContext, entity: EntityRecord, signal?: AbortSignal): Promise<IdTable> {
  const ids = new IdTable();
  const layers: Layer[] = [];
  for (const name of await namesUnder(context, names.snapshot(entity.tag, ''), signal)) {
    const stored = await readRootManifest(context, names.snapshot(entity.tag, lastSegment(name)), signal);
    if (stored) layers.push(...stored.manifest.layers);
  }
  await scanEntries(context, entity, layers, () => true, ids, signal);
  return ids;
}
