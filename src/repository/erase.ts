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
import { IdTable } from './idTable.ts';
import { inLanes } from './inLanes.ts';
import { checkSeal, readManifest, type ManifestRef, type StoredManifest } from './manifest.ts';
import { keepsLocked } from './lockEnds.ts';
import { dropJournals } from './dropJournals.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { refuseLost } from './openLocked.ts';
import { isPrunedUnderRun } from './prunedUnderRun.ts';
import { PruneRun } from './pruneRun.ts';
import type { ErasurePlan } from './pruneRoots.ts';
import { erasureRecords, writeRemoval, type ErasureNote, type RemovalRecord, type RemovedSnapshot } from './removals.ts';
import type { Repository } from './repository.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import type { SegmentRef } from './segment.ts';
import { namesUnder } from './roots.ts';
import { indexedStream } from './streams.ts';
import { sweepIndexCache } from './sweepIndexCache.ts';
import { touchedSegments } from './touchedSegments.ts';
import { refuseWeakStorage } from './weakStorage.ts';
import { tidily, withClaim } from './workClaim.ts';

/** Times that it begins again because a run was sealed meanwhile. */
const ROUNDS = 5;
/** Locks asked for at once. */
const LANES = 8;

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
  /**
   * What a lock of the storage still holds. Not empty: the snapshots show the items no more, and nothing was deleted but what `deleted` names (where
   * the lock was set at that very moment); run it again when the last lock has ended.
   */
  readonly pending: readonly PendingObject[];
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
    if (this.#onlyBlobs && await this.#blobsAreGone(signal)) {
      // A cache may have been made anew of the older snapshots, as long as they stood.
      await raiseGeneration(storage, keyring, state.entity, random, signal);
      const result = await this.#result(note.items, note.startedAt, []);
      await writeRemoval(this.#context, [], signal, { erasure: { ...note, finished: true } });
      return result;
    }
    if (round === 0) {
      if (clean && records.length === 0) throw noItem();
      await raiseGeneration(storage, keyring, state.entity, random, signal);
    }
    await this.#replace(state, signal);
    const pending = await this.#pending(note, signal);
    if (pending.length > 0) return this.#result(note.items, note.startedAt, pending);
    const refused = await this.#remove(note, signal);
    if (refused.length > 0) return this.#result(note.items, note.startedAt, refused);
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
    const touched = await touchedSegments(this.#context, entity, stored.map(({ manifest }) => manifest), this.#chosen, this.#ids, signal);
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

  /** The end of the old snapshots and of all that only they need. @returns what somebody locked since it was asked for. */
  async #remove(note: ErasureNote, signal?: AbortSignal): Promise<PendingObject[]> {
    const { gone, refused } = await this.#prune(note, {}, signal);
    for (const name of gone.objects) this.#deleted.add(name);
    for (const pack of gone.rewritten) this.#rewritten.add(pack);
    for (const pin of gone.interrupted) this.#interrupted.add(pin);
    this.#needed = gone.needed;
    this.#unread = gone.unread;
    return [...refused].map(([object, until]) => pendingObject(object, until));
  }

  async #prune(note: ErasureNote, options: { readonly dryRun?: boolean }, signal?: AbortSignal): Promise<PruneRun> {
    const superseded = supersededBy(await sealedManifests(this.#context, this.#tag, signal));
    const goes = (id: string): ReturnType<ErasurePlan['goes']> => {
      const by = superseded.get(id);
      return by ? { by } : false;
    };
    const erasure = { tag: this.#tag, goes, ids: this.#ids, whole: false, note };
    const prune = new PruneRun(this.#context, {}, { ...options, ...(signal ? { signal } : {}) }, { erasure });
    await prune.run();
    return prune;
  }

  /**
   * Whether no pack that stands has a place of a blob that nobody else needs. Packs that no index names yet are of runs, which have read
   * their contents from the source; those of runs that died were indexed before.
   */
  async #blobsAreGone(signal?: AbortSignal): Promise<boolean> {
    for (const stream of [this.#tag, SHARED]) {
      const index = await StreamIndex.load(this.#context, await indexedStream(this.#context, stream, signal), signal);
      try {
        const gone = index.packs();
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

  async #result(items: string, startedAt: string, pending: readonly PendingObject[]): Promise<Erasure> {
    const records = ofLastErasure(await erasureRecords(this.#context, items, this.#options.signal));
    const first = records.flatMap(({ erasure }) => erasure?.startedAt ?? []).toSorted()[0];
    for (const key of this.#selection.keys) if (!this.#items.has(key)) this.#items.set(key, { names: new Set(), versions: 0 });
    return {
      startedAt: first ?? startedAt, finishedAt: new Date(this.#context.clock.now()).toISOString(), items: this.#items,
      snapshots: records.flatMap(({ removed }) => removed.filter(({ by }) => by !== undefined)), deleted: [...this.#deleted].toSorted(),
      packsRewritten: this.#rewritten.size, blobsErased: pending.length > 0 ? 0 : this.#ids.size - this.#needed.size,
      blobsKept: this.#needed.size, backupsInterrupted: this.#interrupted.size, packsUnread: [...this.#unread], pending,
    };
  }

  /** What is about to go and is locked. */
  async #pending(note: ErasureNote, signal?: AbortSignal): Promise<PendingObject[]> {
    if (!keepsLocked(this.#context.storage)) return [];
    const prune = await this.#prune(note, { dryRun: true }, signal);
    const { storage } = this.#context;
    const pending: PendingObject[] = [];
    await inLanes(prune.gone.objects, LANES, async (object) => {
      const until = keepsLocked(storage) ? await storage.lockedUntil(object, signal) : undefined;
      if (until !== undefined) pending.push(pendingObject(object, until));
    });
    return pending.toSorted((a, b) => (a.object < b.object ? -1 : 1));
  }
}

function pendingObject(object: string, until: number): PendingObject {
  return { object, until: new Date(until).toISOString() };
}

interface Look {
  readonly entity: EntityRecord;
  readonly stored: readonly StoredManifest[];
  readonly erased: ErasedRows;
  readonly touched: ReadonlyMap<string, SegmentRef>;
  /** By the id of a snapshot that stands: what stands for it. */
  readonly superseded: ReadonlyMap<string, ManifestRef>;
}

function supersededBy(stored: readonly StoredManifest[]): Map<string, ManifestRef> {
  const standing = new Set(stored.map(({ manifest }) => manifest.id));
  const by = new Map<string, ManifestRef>();
  for (const { manifest, sha256 } of stored) {
    if (manifest.replaces && standing.has(manifest.replaces.id)) by.set(manifest.replaces.id, { id: manifest.id, sha256 });
  }
  return by;
}

/** All that are sealed, those that others stand for too, oldest first. A damaged one ends it: what it holds is not known. */
async function sealedManifests({ storage, keyring }: RepositoryContext, tag: string, signal?: AbortSignal): Promise<StoredManifest[]> {
  const stored: StoredManifest[] = [];
  for await (const { name } of listAll(storage, names.seal(tag, ''), signal ? { signal } : {})) {
    try {
      const one = await readManifest(storage, keyring, tag, lastSegment(name), signal);
      await checkSeal(storage, keyring, one, signal);
      stored.push(one);
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
    }
  }
  return stored;
}

/** A segment or pack that is named and not there: damage, or the work of another erasure. */
function isGone(error: unknown): boolean {
  return isHoldfastError(error) && ['storage/not-found', 'repository/prune-refused'].includes(error.code);
}

/** Records of the erasure that is at work, or, where that removed nothing, of the one before it: its certificate may be lost. */
function ofLastErasure(records: readonly RemovalRecord[]): readonly RemovalRecord[] {
  let last: readonly RemovalRecord[] = [];
  let own: RemovalRecord[] = [];
  for (const record of records) {
    own.push(record);
    if (record.erasure?.finished !== true) continue;
    if (own.some(({ removed }) => removed.length > 0)) last = own;
    own = [];
  }
  return own.some(({ removed }) => removed.length > 0) ? own : last;
}

function stillBusy(onlyBlobs: boolean): HoldfastError {
  return new HoldfastError('erase/busy', 'retry', onlyBlobs
    ? 'No snapshot has the items any more, but backups that are running, of other entities too, kept storing the same contents. Let them end, or stop them, then run the same erasure again.'
    : 'Backups of this entity kept being sealed while the items were taken out. Let none run, then run the same erasure again.');
}

function noItem(): HoldfastError {
  return new HoldfastError('erase/no-item', 'input', 'No snapshot of this entity has such an item, and no erasure of it was begun. Nothing was changed.');
}
