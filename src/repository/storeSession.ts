import { isHoldfastError, type BinaryString, type RowChange, type SnapshotCounts } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { ClaimTable } from './claimTable.ts';
import { compactLayers } from './compactLayers.ts';
import { deleteCheckpoints, writeCheckpoint, type Checkpoint } from './checkpoint.ts';
import { Commit } from './commit.ts';
import type { DoomedList } from './doomed.ts';
import { hasKey, type EntityRecord } from './entityKeys.ts';
import type { SealedFrame } from './frame.ts';
import type { Coverage, LockCover } from './lockCover.ts';
import { LockedTally } from './lockedTally.ts';
import { snapshotLockEnd } from './lockSetting.ts';
import type { Manifest, StoredManifest } from './manifest.ts';
import { names, SHARED } from './names.ts';
import { lockingOf } from './openLocked.ts';
import { PackWriter } from './packWriter.ts';
import type { Pin } from './pin.ts';
import type { Profile } from './profile.ts';
import { isPrunedUnderRun, prunedUnderRun } from './prunedUnderRun.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { timeOfId } from './roots.ts';
import { LayerWriter, type Layer, type SegmentRef } from './segment.ts';
import { StateCursor } from './state.ts';
import { StorePipeline } from './storePipeline.ts';
import { OWN, type ContentJob, type ContentResult } from './storeProtocol.ts';
import { indexStrayPacks } from './strayPacks.ts';

/** New packed bytes after which a run makes what it has durable. */
const CHECKPOINT_BYTES = 256 * 1024 * 1024;

/** A new id that sorts after `earlier`, also where the clock that made that one was ahead. */
function idAfter(earlier: string | undefined, { clock, random }: RepositoryContext): string {
  return timeOrderedId(Math.max(clock.now(), earlier === undefined ? 0 : timeOfId(earlier) + 1), random);
}

/** Codes of what a run meets where a prune, an erasure or a removal has taken what it counted on. */
const TAKEN_AWAY = new Set(['storage/not-found', 'repository/missing-blob', 'repository/pruned-under-run']);

/** What a run starts from. */
export interface SessionStart {
  readonly record: EntityRecord;
  readonly predecessor: StoredManifest | undefined;
  /** Of a run that did not finish, against the same predecessor. */
  readonly checkpoint: Checkpoint | undefined;
  /** Packs that the checkpoint's rows rely on. */
  readonly checkpointPacks: ReadonlySet<string>;
  /** The latest run of the entity that left a checkpoint, taken over or not. */
  readonly lastRun: string | undefined;
  /** On the predecessor. */
  readonly pin: Pin | undefined;
  /** New packed bytes between checkpoints. */
  readonly checkpointBytes?: number | undefined;
}

/**
 * One run's writing: contents become blobs in packs, rows become a catalog layer, and at the end a manifest names them.
 * Order of writing: packs → index → catalog segments → manifest → seal; so whatever stands refers only to what stands.
 */
export class StoreSession {
  readonly runId: string;
  readonly entity: EntityRecord;
  readonly predecessor: StoredManifest | undefined;
  readonly #context: RepositoryContext;
  readonly #start: SessionStart;
  readonly #base: readonly Layer[];
  readonly #pipeline: StorePipeline;
  readonly #packs: readonly [PackWriter, PackWriter];
  readonly #rows: LayerWriter;
  /** Segments that were put in the place of several layers. */
  readonly #merged: SegmentRef[] = [];
  readonly #claims = new ClaimTable();
  /** Packs that this run's rows rely on: found by deduplication or written by it. */
  readonly #reliedOn: Set<string>;
  readonly #doomed: DoomedList;
  /** Packs that nothing may be deduplicated against: doomed ones and those gone already. */
  readonly #avoid: Set<string>;
  #index: Promise<readonly [StreamIndex, StreamIndex]> | undefined;
  readonly #checkpointBytes: number;
  #checkpointAt: number;
  #commit: { readonly manifest: Manifest; readonly commit: Commit } | undefined;

  constructor(context: RepositoryContext, start: SessionStart, doomed: DoomedList, profile: Profile, workers: number) {
    const { storage, keyring, clock, random } = context;
    this.#context = context;
    this.#start = start;
    this.#checkpointBytes = start.checkpointBytes ?? CHECKPOINT_BYTES;
    this.#checkpointAt = this.#checkpointBytes;
    this.entity = start.record;
    this.predecessor = start.predecessor;
    this.#doomed = doomed;
    this.#avoid = new Set(doomed.packs);
    this.#reliedOn = new Set(start.checkpointPacks);
    this.runId = idAfter(start.lastRun, context);
    this.#base = [...(start.predecessor?.manifest.layers ?? []), ...(start.checkpoint?.own ?? [])];
    const shared = keyring.shared;
    this.#packs = [
      new PackWriter(storage, start.record.tag, start.record.packs, clock, random),
      new PackWriter(storage, SHARED, shared, clock, random),
    ];
    this.#rows = new LayerWriter(storage, keyring, start.record.tag, clock, random);
    this.#pipeline = new StorePipeline(
      { idKey: keyring.idKey, chunkerKey: keyring.chunkerKey, frameKeys: [start.record.packKey, keyring.sharedRaw], profile },
      { claim: (ids) => this.#claim(ids), frame: (stream, frame) => this.#frame(stream, frame) },
      workers,
    );
  }

  /** The state that this run is compared with: the predecessor's, with what an unfinished run already stored. */
  previous(signal?: AbortSignal): StateCursor {
    return new StateCursor(this.source, this.#base, signal);
  }

  /** Totals of the state before; undefined on a first run. */
  get previousCounts(): SnapshotCounts | undefined {
    return this.#start.checkpoint?.counts ?? this.predecessor?.manifest.counts;
  }

  /** True where this run takes over what an unfinished one made durable. */
  get resumes(): boolean { return this.#start.checkpoint !== undefined; }

  get previousLayers(): readonly Layer[] { return this.#base; }

  get source(): { storage: RepositoryContext['storage']; keyring: RepositoryContext['keyring']; tag: string } {
    return { storage: this.#context.storage, keyring: this.#context.keyring, tag: this.entity.tag };
  }

  /** Bytes of packs that this run has stored. */
  get storedBytes(): number { return this.#packs[0].bytes + this.#packs[1].bytes; }

  /** Waits for room, then hands the contents to a worker. Results come in the order of the jobs. */
  async store(jobs: readonly ContentJob[]): Promise<{ results: Promise<readonly ContentResult[]> }> {
    await this.#packs[0].ready();
    await this.#packs[1].ready();
    await this.#pipeline.ready();
    return { results: this.#pipeline.store(jobs) };
  }

  /** Takes a row in ascending key order; false: call `settle` before more. */
  row(change: RowChange): boolean {
    return !this.#rows.push(change);
  }

  async settle(signal?: AbortSignal): Promise<void> {
    if (this.#rows.unwritten > 0) await this.#barrier(signal);
  }

  get checkpointDue(): boolean { return this.storedBytes >= this.#checkpointAt; }

  /** Makes all rows given so far durable; all contents handed in must have been answered and their rows given. */
  async checkpoint(counts: SnapshotCounts, upTo: BinaryString, signal?: AbortSignal): Promise<void> {
    this.#checkpointAt = this.storedBytes + this.#checkpointBytes;
    await this.#barrier(signal);
    const checkpoint = {
      runId: this.runId, predecessor: this.predecessor?.manifest.id ?? null, upTo, counts,
      writtenAt: new Date(this.#context.clock.now()).toISOString(),
      layers: [...this.#base, this.#rows.refs], own: [...(this.#start.checkpoint?.own ?? []), this.#rows.refs],
    };
    await writeCheckpoint(this.#context, this.entity.tag, checkpoint, signal);
  }

  /** packs → index → catalog segments. */
  async #barrier(signal?: AbortSignal): Promise<void> {
    await this.#pipeline.flush();
    const [own, shared] = await Promise.all([this.#packs[0].flush(), this.#packs[1].flush()]);
    if (own.length + shared.length > 0) {
      const [ownIndex, sharedIndex] = await this.#loadIndex();
      for (const pack of [...own, ...shared]) this.#reliedOn.add(pack.id);
      await ownIndex.append(own, signal);
      await sharedIndex.append(shared, signal);
      this.#claims.clear();
    }
    await this.#rows.flush(signal);
  }

  /** Makes the snapshot. On return it is sealed and stands; `storage`'s state before that call is never less than it was. */
  async commit(
    parts: Pick<Manifest, 'startedAt' | 'status' | 'counts' | 'warnings' | 'cursor'>, signal?: AbortSignal,
  ): Promise<Manifest> {
    await this.#barrier(signal);
    // Nothing more comes: their memory is free for merging segments.
    await this.#pipeline.close();
    const layers = await compactLayers(this.#context, this.source, [...this.#base, this.#rows.refs].filter((layer) => layer.length > 0), this.#merged, signal);
    const id = idAfter(this.predecessor?.manifest.id, this.#context);
    using cover = await this.#cover(signal);
    const lock = cover && { mode: cover.setting.mode, until: snapshotLockEnd(cover.setting, this.#context.clock.now()) };
    const coverage = lock && this.#coverage(id, layers, lock.until);
    const left = coverage && await cover?.run(coverage, signal);
    const manifest: Manifest = {
      ...parts, id, tag: this.entity.tag, entity: this.entity.entity,
      finishedAt: new Date(this.#context.clock.now()).toISOString(), layers, entityKeys: this.entity.keyIds,
      predecessor: this.predecessor ? { id: this.predecessor.manifest.id, sha256: this.predecessor.sha256 } : null,
      ...(lock && cover && { lock: { mode: lock.mode, until: new Date(lock.until).toISOString(), setting: cover.setting.id } }),
    };
    const newLayers = [...(this.#start.checkpoint?.own ?? []), this.#rows.refs];
    const commit = new Commit(this.#context, this.entity, { newLayers, reliedOn: this.#reliedOn, left, pin: this.#start.pin, lock });
    this.#commit = { manifest, commit };
    await commit.run(manifest, signal);
    // What was rescued is in packs that the set does not name.
    if (coverage && !commit.rescued) cover?.keep(coverage);
    await this.#tidy();
    return manifest;
  }

  /** undefined: the repository is not locked. */
  async #cover(signal?: AbortSignal): Promise<LockCover | undefined> {
    const storage = lockingOf(this.#context);
    if (!storage?.setting) return undefined;
    const lockCover = await import('./lockCover.ts');
    return lockCover.LockCover.open(this.#context, storage, storage.setting, signal);
  }

  #coverage(snapshot: string, layers: readonly Layer[], until: number): Coverage {
    return {
      record: this.entity, snapshot, predecessor: this.predecessor?.manifest.id, layers, reliedOn: this.#reliedOn,
      pin: this.predecessor && this.#start.pin,
      indexes: () => this.#loadIndex(), until,
    };
  }

  /**
   * What made the run fail, as its caller is to see it. Where the predecessor was taken from under it, by an erasure, or the whole entity,
   * the run takes back what it has put, since that may name what was erased, and begins again.
   */
  async failed(error: unknown): Promise<unknown> {
    const { pin } = this.#start;
    if (!isHoldfastError(error) || !TAKEN_AWAY.has(error.code)) return error;
    const keyless = !(await hasKey(this.#context.storage, this.entity));
    if (!keyless && (!this.predecessor || !pin || (await pin.held()))) return error;
    if (this.#commit?.commit.sealed !== true) await this.#withdraw(keyless);
    return isPrunedUnderRun(error) ? error : prunedUnderRun();
  }

  /**
   * Manifest, checkpoint, segments: in this order. What cannot be deleted, or is locked, the next prune or erasure takes away.
   * @param keyless nobody can read its own packs any more: they go too, after the index that names them.
   */
  async #withdraw(keyless: boolean): Promise<void> {
    const locked = new LockedTally(this.#context);
    const { tag } = this.entity;
    const manifest = this.#commit?.manifest;
    const others = new Set(this.#base.flat().map(({ id }) => id));
    const own = [...this.#merged, ...this.#rows.refs].filter(({ id }) => !others.has(id));
    const all = [...(manifest ? [names.snapshot(tag, manifest.id)] : []), names.checkpoint(tag, this.runId), ...own.map(({ id }) => names.segment(tag, id))];
    const [index] = (await this.#index?.catch(() => undefined)) ?? [];
    if (keyless) all.push(...(index?.written ?? []).map((id) => names.index(tag, id)), ...this.#packs[0].names);
    try {
      for (const name of all) await locked.deleteUnlessLocked(name);
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
    }
  }

  /** The snapshot stands whatever becomes of this: the next run merges the index, a prune gives up the checkpoints. */
  async #tidy(): Promise<void> {
    try {
      for (const index of (await this.#index) ?? []) await index.compact();
      await deleteCheckpoints(this.#context, this.entity.tag, this.#start.checkpoint, this.runId);
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
    }
  }

  /** Ends the workers and lets go of the predecessor. Safe to call at any time. */
  async close(): Promise<void> {
    await this.#pipeline.close();
    // Whoever asked for an index that could not be loaded has been told.
    const indexes = await this.#index?.catch(() => undefined);
    for (const index of indexes ?? []) index.close();
    await this.#start.pin?.release();
  }

  #frame(stream: number, frame: SealedFrame): void {
    (stream === OWN ? this.#packs[0] : this.#packs[1]).add(frame);
  }

  /** The index is loaded with the first content: a run that finds nothing new never reads it. */
  #loadIndex(): Promise<readonly [StreamIndex, StreamIndex]> {
    this.#index ??= (async () => {
      const own = await StreamIndex.loadReadable(this.#context, this.entity);
      const shared = await StreamIndex.loadReadable(this.#context, SHARED);
      for (const pack of await indexStrayPacks(this.#context, own, () => this.entity.packs.key, this.#doomed)) this.#avoid.add(pack);
      for (const pack of await indexStrayPacks(this.#context, shared, this.#context.keyring.sharedOf, this.#doomed)) this.#avoid.add(pack);
      return [own, shared] as const;
    })();
    return this.#index;
  }

  async #claim(bytes: Uint8Array): Promise<Uint8Array> {
    // A worker asks many times within one large file, and frames come between its questions: it waits for room here.
    await this.#packs[0].ready();
    await this.#packs[1].ready();
    const ids = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const indexes = await this.#loadIndex();
    const wanted = new Uint8Array(ids.length / 24);
    for (let i = 0; i < wanted.length; i++) {
      const at = i * 24;
      if (this.#claims.has(ids, at)) continue;
      this.#claims.add(ids, at);
      const found = indexes[0].locate(ids, at, this.#avoid) ?? indexes[1].locate(ids, at, this.#avoid);
      if (found) this.#reliedOn.add(found.pack);
      else wanted[i] = 1;
    }
    return wanted;
  }
}
