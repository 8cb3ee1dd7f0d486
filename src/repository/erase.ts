import { createHmac } from 'node:crypto';
import { HoldfastError, isHoldfastError, type BinaryString, type Progress } from '../domain/index.ts';
import { makeScratch } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { refuseCopy } from './copyMarker.ts';
import { raiseGeneration, readEntity, type EntityRecord } from './entityKeys.ts';
import { findErased, type ErasedItem, type ErasedRows } from './eraseScan.ts';
import { EraseSet, type Selection } from './eraseSet.ts';
import { replaceSnapshots } from './eraseReplace.ts';
import { sealedManifests, supersededBy } from './eraseSnapshots.ts';
import { IdTable } from './idTable.ts';
import type { ManifestRef, StoredManifest } from './manifest.ts';
import { dropJournals } from './dropJournals.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { refuseLost } from './openLocked.ts';
import { isPrunedUnderRun } from './prunedUnderRun.ts';
import { PruneRun } from './pruneRun.ts';
import type { ErasurePlan } from './pruneRoots.ts';
import { erasureRecords, ofLastErasure, writeRemoval, type ErasureNote, type RemovalRecord, type RemovedSnapshot } from './removals.ts';
import type { Repository } from './repository.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import type { SegmentRef } from './segment.ts';
import { namesUnder } from './roots.ts';
import { indexedStream } from './streams.ts';
import { sweepIndexCache } from './sweepIndexCache.ts';
import { touchedSegments } from './touchedSegments.ts';
import { deleteWaiting, type WaitingPass } from './waiting.ts';
import { waitingObjects } from './waitingObjects.ts';
import { refuseWeakStorage } from './weakStorage.ts';
import { tidily, withClaim } from './workClaim.ts';

/** Times that it begins again because a run was sealed meanwhile. */
const ROUNDS = 5;

export interface EraseOptions {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** The caller knows that no prune and no other erasure is at work: what such ones left when they died is passed over. */
  readonly alone?: boolean;
  /** Told of what could not be tidied up on this machine or of its own claim, when everything is erased; without it that throws. */
  readonly onUntidy?: (error: unknown) => void;
}

/** An object with something of the erased items that the storage does not let go yet. */
export interface PendingObject {
  readonly object: string;
  /** ISO 8601. */
  readonly until: string;
}

/** What an erasure did, this run of it and those of the same items before that did not finish. */
export interface Erasure {
  readonly startedAt: string;
  readonly finishedAt: string;
  /** By key; those that were asked for and that no snapshot has any more, as after an erasure that was killed, have no version. */
  readonly items: ReadonlyMap<BinaryString, ErasedItem>;
  readonly snapshots: readonly RemovedSnapshot[];
  /** Full names of what was deleted: manifests, catalog segments, packs. */
  readonly deleted: readonly string[];
  /** Those of the packs of which something was kept, in new packs. */
  readonly packsRewritten: number;
  readonly blobsErased: number;
  /** Blobs of erased items that other items are made of, too: they stay. */
  readonly blobsKept: number;
  /** Backups that were at work upon snapshots with the items, or had died: one may put what it had read of them once more before it stops. */
  readonly backupsInterrupted: number;
  /** Full names of damaged packs, in which something stands that no snapshot needs: maybe an older version of the items. */
  readonly packsUnread: readonly string[];
  /** What a lock of the storage still holds. Not empty: the snapshots show the items no more, and the rest goes when the same erasure, or a prune, runs after that. */
  readonly pending: readonly PendingObject[];
  /** ISO 8601: by then the last of those locks has ended, whatever backups go on; null where nothing is pending. */
  readonly goneBy: string | null;
}

/**
 * Takes items, and all below them, out of every snapshot of an entity, of its catalog and of every pack, beside running backups, in the
 * order of docs/format, "Erasure". Killed at any point it leaves a sound repository; run again with the same selection it finishes.
 * Errors: `erase/no-item` where no snapshot has such an item, `erase/not-alone` where a prune or another erasure is at work,
 * `erase/busy` where backups keep coming in between, `repository/is-copy`, `repository/prune-refused` where the storage lists late.
 */
export async function erase(repository: Repository, tag: string, selection: Selection, options: EraseOptions = {}): Promise<Erasure> {
  const { context } = repository;
  const { alone, signal, onUntidy } = options;
  await refuseCopy(context, signal);
  refuseLost(context);
  await refuseWeakStorage(context, signal);
  await using scratch = await makeScratch('erase');
  const run = new EraseRun({ ...context, cacheDirectory: scratch.path }, tag, selection, options);
  const claim = { work: 'erasure', items: selectionHash(context, tag, selection) } as const;
  const result = await withClaim(context, claim, { alone, signal, onUntidy }, async () => {
    // Journals hold items as they were in the mailbox, and which of them are of the erased ones nobody can tell.
    await dropJournals(context, ({ source, tag: target }) => source === tag || source === '' || target === tag, signal);
    return await run.run();
  });
  await tidily(() => sweepIndexCache(context, signal), onUntidy);
  return result;
}

/** What an erasure would take out, and of how many snapshots. Changes nothing. Errors: `erase/no-item`. */
export async function previewErasure(
  { context }: Repository, tag: string, selection: Selection, signal?: AbortSignal,
): Promise<{ readonly items: ReadonlyMap<BinaryString, ErasedItem>; readonly snapshots: number }> {
  const { storage, keyring } = context;
  const stored = await sealedManifests(context, tag, signal);
  const { items, shares } = await findErased({ storage, keyring, tag }, stored, new EraseSet(selection), signal);
  if (items.size === 0) throw noItem();
  return { items, snapshots: [...shares.values()].filter(({ items: files, folders }) => files + folders > 0).length };
}

/** Whether an erasure of these items removed snapshots already: it may have been killed, and is finished by another one. */
export async function hasBegunErasing({ context }: Repository, tag: string, selection: Selection, signal?: AbortSignal): Promise<boolean> {
  return (await erasureRecords(context, selectionHash(context, tag, selection), signal)).length > 0;
}

/** Names the selection for the journal without telling what it is of. By the keys alone: whoever finishes it names those, however they were chosen. */
export function selectionHash(context: RepositoryContext, tag: string, { keys }: Pick<Selection, 'keys'>): string {
  const mac = createHmac('sha256', context.keyring.certificateKey).update(`${tag}\0`);
  for (const key of [...keys].toSorted()) mac.update(`k${key.length}:`).update(key, 'latin1');
  return mac.digest('hex');
}

class EraseRun {
  readonly #context: RepositoryContext;
  readonly #tag: string;
  readonly #selection: Selection;
  readonly #options: EraseOptions;
  readonly #chosen: EraseSet;
  readonly #ids = new IdTable();
  readonly #items = new Map<BinaryString, ErasedItem>();
  readonly #deleted = new Set<string>();
  readonly #rewritten = new Set<string>();
  readonly #interrupted = new Set<string>();
  #needed = new IdTable();
  #unread: ReadonlySet<string> = new Set();
  /** Full names of segments that no snapshot names, with entries of the items. */
  #strays: ReadonlySet<string> = new Set();
  /** Full names of index segments that it has put. */
  readonly #indexes = new Set<string>();
  /** Ids of the snapshots that stood at the last look. */
  #seen: ReadonlySet<string> = new Set();
  /** Nothing was left but blobs, in the last round. */
  #onlyBlobs = false;

  constructor(context: RepositoryContext, tag: string, selection: Selection, options: EraseOptions) {
    this.#context = context;
    this.#tag = tag;
    this.#selection = selection;
    this.#options = options;
    this.#chosen = new EraseSet(selection);
  }

  async run(): Promise<Erasure> {
    const { clock } = this.#context;
    const { signal } = this.#options;
    const startedAt = new Date(clock.now()).toISOString();
    const note = { items: selectionHash(this.#context, this.#tag, this.#selection), startedAt };
    const records = await erasureRecords(this.#context, note.items, signal);
    this.#onlyBlobs = false;
    for (let round = 0; round < ROUNDS; round++) {
      signal?.throwIfAborted();
      try {
        const result = await this.#round(round, note, records, signal);
        if (result) return result;
      } catch (error) {
        // Taken away under this one by the same erasure at work elsewhere: the next round begins with what there is then.
        if (!isGone(error) || !(await this.#hasLost(signal))) throw error;
      }
    }
    throw stillBusy(this.#onlyBlobs);
  }

  /** @returns the end of it, where nothing is left to be done. */
  async #round(round: number, note: ErasureNote, records: readonly RemovalRecord[], signal?: AbortSignal): Promise<Erasure | undefined> {
    const { storage, keyring, random } = this.#context;
    const state = await this.#look(signal);
    const clean = state.touched.size === 0 && state.superseded.size === 0;
    this.#onlyBlobs = round > 0 && clean;
    if ((this.#onlyBlobs || (clean && await this.#onlyWaits(note, signal))) && await this.#blobsAreGone(signal)) {
      // A cache may have been made anew of the older snapshots, as long as they stood.
      await raiseGeneration(storage, keyring, state.entity, random, signal);
      const waiting = await deleteWaiting(this.#context, note.items, signal);
      for (const name of waiting.deleted.keys()) this.#deleted.add(name);
      const result = await this.#result(note.items, note.startedAt, waiting);
      if (waiting.left.size === 0) await writeRemoval(this.#context, [], signal, { erasure: { ...note, finished: true } });
      return result;
    }
    if (round === 0) {
      if (clean && records.length === 0) throw noItem();
      await raiseGeneration(storage, keyring, state.entity, random, signal);
    }
    await this.#replace(state, signal);
    await this.#remove(note, signal);
    this.#options.progress?.({ type: 'progress', stage: 'erase', items: this.#items.size, bytes: 0 });
    return undefined;
  }

  /** Whether a snapshot that this one had seen is gone. */
  async #hasLost(signal?: AbortSignal): Promise<boolean> {
    const standing = new Set<string>();
    for (const name of await namesUnder(this.#context, names.snapshot(this.#tag, ''), signal)) standing.add(lastSegment(name));
    return [...this.#seen].some((id) => !standing.has(id));
  }

  /** The sealed snapshots, and what they hold of what is to go. */
  async #look(signal?: AbortSignal): Promise<Look> {
    const { storage, keyring } = this.#context;
    const entity = await readEntity(storage, keyring, this.#tag, signal);
    const stored = await sealedManifests(this.#context, this.#tag, signal);
    this.#seen = new Set(stored.map(({ manifest }) => manifest.id));
    const erased = await findErased({ storage, keyring, tag: this.#tag }, stored, this.#chosen, signal);
    for (const [key, item] of erased.items) if (!this.#items.has(key)) this.#items.set(key, item);
    const strays = new Set<string>();
    const touched = await touchedSegments(this.#context, entity, stored.map(({ manifest }) => manifest), this.#chosen, this.#ids, strays, signal);
    this.#strays = new Set([...strays].map((id) => names.segment(this.#tag, id)));
    return { entity, stored, erased, touched, superseded: supersededBy(stored) };
  }

  async #replace({ stored, superseded, touched, erased }: Look, signal?: AbortSignal): Promise<void> {
    try {
      await replaceSnapshots(this.#context, this.#tag, stored, superseded, this.#chosen, touched, erased, signal);
    } catch (error) {
      // A prune, or another erasure, was at work: the next round begins with what there is then.
      if (!isPrunedUnderRun(error) && !(isHoldfastError(error) && error.code === 'storage/not-found')) throw error;
    }
  }

  /**
   * Whether all that is left of it waits for the end of locks: then what became waste since it began is none of its concern, or it might never end.
   * What runs that died left since then is.
   */
  async #onlyWaits(note: ErasureNote, signal?: AbortSignal): Promise<boolean> {
    const waiting = await waitingObjects(this.#context, signal, note.items);
    if (waiting.size === 0 || [...this.#strays].some((name) => !waiting.has(name))) return false;
    this.#needed = (await this.#prune(note, { dryRun: true }, signal)).gone.needed;
    return true;
  }

  /** The end of the old snapshots and of all that only they need. */
  async #remove(note: ErasureNote, signal?: AbortSignal): Promise<void> {
    const { gone } = await this.#prune(note, {}, signal);
    for (const name of gone.objects) this.#deleted.add(name);
    for (const pack of gone.rewritten) this.#rewritten.add(pack);
    for (const pin of gone.interrupted) this.#interrupted.add(pin);
    this.#needed = gone.needed;
    this.#unread = gone.unread;
  }

  async #prune(note: ErasureNote, options: { readonly dryRun?: boolean }, signal?: AbortSignal): Promise<PruneRun> {
    const superseded = supersededBy(await sealedManifests(this.#context, this.#tag, signal));
    const goes = (id: string): ReturnType<ErasurePlan['goes']> => {
      const by = superseded.get(id);
      return by ? { by } : false;
    };
    const erasure = { tag: this.#tag, goes, ids: this.#ids, whole: false, note, indexes: this.#indexes };
    const prune = new PruneRun(this.#context, {}, { ...options, ...(signal ? { signal } : {}) }, { erasure });
    await prune.run();
    return prune;
  }

  /**
   * Whether no pack that stands, but for those that wait, has a place of a blob that nobody else needs, and no index names one that waits. Packs that no index
   * names yet are of runs, which have read their contents from the source; those of runs that died were indexed before.
   */
  async #blobsAreGone(signal?: AbortSignal): Promise<boolean> {
    const waiting = await waitingObjects(this.#context, signal);
    for (const stream of [this.#tag, SHARED]) {
      const index = await StreamIndex.load(this.#context, await indexedStream(this.#context, stream, signal), signal);
      try {
        const gone = index.packs();
        if ([...gone].some((pack) => waiting.has(names.pack(stream, pack)))) return false;
        for await (const { name } of listAll(this.#context.storage, names.packs(stream), signal ? { signal } : {})) gone.delete(lastSegment(name));
        for (const { id } of this.#ids.sorted()) {
          if (this.#needed.get(id, 0) === -1 && index.locate(id, 0, gone)) return false;
        }
      } finally {
        index.close();
      }
    }
    return true;
  }

  async #result(items: string, startedAt: string, { left, until }: WaitingPass): Promise<Erasure> {
    const records = ofLastErasure(await erasureRecords(this.#context, items, this.#options.signal));
    const first = records.flatMap(({ erasure }) => erasure?.startedAt ?? []).toSorted()[0];
    for (const key of this.#selection.keys) if (!this.#items.has(key)) this.#items.set(key, { names: new Set(), versions: 0 });
    return {
      startedAt: first ?? startedAt, finishedAt: new Date(this.#context.clock.now()).toISOString(), items: this.#items,
      snapshots: records.flatMap(({ removed }) => removed.filter(({ by }) => by !== undefined)), deleted: [...this.#deleted].toSorted(),
      packsRewritten: this.#rewritten.size, blobsErased: left.size > 0 ? 0 : this.#ids.size - this.#needed.size,
      blobsKept: this.#needed.size, backupsInterrupted: this.#interrupted.size, packsUnread: [...this.#unread],
      pending: [...left].map(([object, end]) => ({ object, until: new Date(end).toISOString() })).toSorted((a, b) => (a.object < b.object ? -1 : 1)), goneBy: until,
    };
  }
}

interface Look {
  readonly entity: EntityRecord;
  readonly stored: readonly StoredManifest[];
  readonly erased: ErasedRows;
  readonly touched: ReadonlyMap<string, SegmentRef>;
  /** By the id of a snapshot that stands: what stands for it. */
  readonly superseded: ReadonlyMap<string, ManifestRef>;
}

/** A segment or pack that is named and not there: damage, or the work of another erasure. */
function isGone(error: unknown): boolean {
  return isHoldfastError(error) && ['storage/not-found', 'repository/prune-refused'].includes(error.code);
}

function stillBusy(onlyBlobs: boolean): HoldfastError {
  return new HoldfastError('erase/busy', 'retry', onlyBlobs
    ? 'No snapshot has the items any more, but backups that are running, of other entities too, kept storing the same contents. Let them end, or stop them, then run the same erasure again.'
    : 'Backups of this entity kept being sealed while the items were taken out. Let none run, then run the same erasure again.');
}

function noItem(): HoldfastError {
  return new HoldfastError('erase/no-item', 'input', 'No snapshot of this entity has such an item, and no erasure of it was begun. Nothing was changed.');
}
