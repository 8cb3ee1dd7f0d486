import { isHoldfastError } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { DoomedList, doomedBytes, doomedRecords } from './doomed.ts';
import { IdTable } from './idTable.ts';
import { inLanes } from './inLanes.ts';
import { numberOf } from './journal.ts';
import { LockedTally } from './lockedTally.ts';
import { lastSegment, names, SHARED } from './names.ts';
import type { PruneOptions, PruneResult } from './prune.ts';
import { deleteAll, deleteData, deleteIndexSegments, deleteLeftovers, deleteSnapshots, rewriteIndexes, type Gone } from './pruneDelete.ts';
import { openPin } from './pin.ts';
import { markEntity } from './pruneMark.ts';
import type { PrunePolicy } from './prunePolicy.ts';
import { entityRoots, orRefuse, refused, strayClosings, type EntityRoots, type ErasurePlan, type PruneView } from './pruneRoots.ts';
import { spare, type Doom } from './pruneSpare.ts';
import { PruneStream } from './pruneStream.ts';
import { waitForLocks } from './pruneWait.ts';
import { readRemovals, writeRemoval } from './removals.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { listRootNames, namesUnder, pinnedManifests, streamsUnder, tagAndId, timeOfId, type Root } from './roots.ts';
import { isUnreadable } from './sealedObject.ts';
import { streamKeys } from './streams.ts';
import { deleteWaiting, type WaitingPass } from './waiting.ts';

const DAY = 86_400_000;
/** Locks asked for at once. */
const LANES = 8;
/** Pins of restores and runs that died; a live one that finds its pin gone starts again or stops with an error. */
const PIN_LIFE = 7 * DAY;

/** One prune, step by step as in docs/format, "Prune". */
export class PruneRun {
  readonly #context: RepositoryContext;
  readonly #policy: PrunePolicy;
  readonly #options: PruneOptions;
  readonly #keys: ReturnType<typeof streamKeys>;
  readonly #doom: Doom = { packs: new Map(), manifests: new Set(), segments: new Set(), checkpoints: new Set() };
  readonly #entities: EntityRoots[] = [];
  /** Packs that stood, by id, with their bytes. */
  readonly #packs = new Map<string, number>();
  readonly #gone = new Set<string>();
  readonly #erasure: ErasurePlan | undefined;
  /** Erased blobs that somebody else needs. */
  readonly #needed = new IdTable();
  /** Pins of runs upon snapshots that an erasure takes away. */
  readonly #interrupted = new Set<string>();
  /** Damaged packs that an erasure would have written anew. */
  readonly #unread = new Set<string>();
  readonly #totals = { rewritten: new Set<string>(), newBytes: 0, deadKept: 0, freed: 0 };
  readonly #mirrored: ReadonlySet<string> | undefined;
  readonly #locked: LockedTally;
  /** Ids of packs that are announced and locked: they wait. */
  readonly #waits = new Set<string>();
  /** Ids of packs that wait already, and that no index has to name. */
  readonly #unneeded = new Set<string>();
  /** What had waited long enough. */
  #ended: WaitingPass['deleted'] = new Map();

  /** @param mirrored see {@link PruneView}. */
  constructor(
    context: RepositoryContext, policy: PrunePolicy, options: PruneOptions,
    { mirrored, erasure }: { mirrored?: ReadonlySet<string>; erasure?: ErasurePlan } = {},
  ) {
    this.#context = context;
    this.#erasure = erasure;
    this.#policy = policy;
    this.#options = options;
    this.#mirrored = mirrored;
    this.#locked = new LockedTally(context);
    this.#keys = streamKeys(context);
  }

  async run(): Promise<PruneResult> {
    const { view, closings } = await orRefuse(async () => {
      const seen = await this.#look();
      const stray = await this.#strayClosings(seen);
      await this.#plan(seen);
      return { view: seen, closings: stray };
    });
    if (view.dryRun) return this.#result(this.#totals.freed);
    const records = await this.#announce(view);
    const streams = new Set([SHARED, ...this.#entities.map((entity) => entity.tag), ...this.#doom.packs.values()]);
    await this.#journal(view);
    await deleteSnapshots(view, this.#doom, closings);
    if (this.#erasure?.whole === true) await this.#forgetKeys(view, this.#erasure.tag);
    const replaced = await rewriteIndexes(view, streams, (pack) => this.#doom.packs.has(pack) || this.#gone.has(pack) || this.#unneeded.has(pack));
    await deleteData(view, this.#doom, this.#waits);
    await deleteIndexSegments(view, replaced);
    const packs = [...this.#doom.packs].filter(([pack]) => this.#waits.has(pack)).map(([pack, stream]) => names.pack(stream, pack));
    const waits = await waitForLocks(view, { records, packs, refused: this.refused.keys(), locked: this.#locked, note: this.#erasure?.note });
    await deleteLeftovers(view, waits ? [] : records);
    return this.#result(this.#bytesOf(this.#packsBy(false)));
  }

  /** Names of all that this run deleted (or would delete), which of its packs were copied from, and what an erasure met; after `run`. */
  get gone(): Gone {
    const { refused: held } = this;
    return { objects: [...this.#ended.keys(), ...this.#objects().filter((name) => !held.has(name))], rewritten: this.#totals.rewritten, needed: this.#needed, interrupted: this.#interrupted, unread: this.#unread };
  }

  /** Full names of what was announced and locked by somebody before it was deleted, with the ends of the locks. It stays. */
  get refused(): ReadonlyMap<string, number> {
    const announced = new Set(this.#objects());
    return new Map([...this.#locked.refused].filter(([name]) => announced.has(name)));
  }

  /** The entity's keys, once no manifest needs them: from here on its own packs are unreadable, whether or not they go. */
  async #forgetKeys(view: PruneView, tag: string): Promise<void> {
    await deleteAll(view, await namesUnder(this.#context, names.entity(tag), view.signal));
  }

  /** An erasure lets no pin of its entity stand: whoever put it finds it gone before its seal, or sees the record. */
  async #sweepPins(signal?: AbortSignal): Promise<void> {
    if (!this.#erasure) return;
    for (const pin of await namesUnder(this.#context, names.pin(this.#erasure.tag, ''), signal)) {
      if (await this.#isOfRun(pin, this.#erasure, signal)) this.#interrupted.add(pin);
      await this.#context.storage.delete(pin, signal ? { signal } : {});
    }
  }

  /** Whether a run put it, upon a snapshot that goes. */
  async #isOfRun(pin: string, erasure: ErasurePlan, signal?: AbortSignal): Promise<boolean> {
    try {
      const { purpose, snapshot } = openPin(this.#context, pin, await this.#context.storage.get(pin, signal ? { signal } : {}));
      return purpose === 'backup' && erasure.goes(snapshot) !== false;
    } catch (error) {
      if (!isHoldfastError(error) || !(isUnreadable(error) || error.code === 'storage/not-found')) throw error;
      return false;
    }
  }

  /** Lists what is there. Old pins go before the roots are listed, so that a run that still has one is seen by its manifest. */
  async #look(): Promise<PruneView> {
    const { clock, keyring, random, storage } = this.#context;
    const { dryRun = false, graceMs = DAY, signal } = this.#options;
    const now = clock.now();
    if (!dryRun) {
      for (const pin of await namesUnder(this.#context, 'pins/', signal)) {
        if (now - timeOfId(lastSegment(pin)) > Math.max(PIN_LIFE, graceMs)) await storage.delete(pin, signal ? { signal } : {});
      }
    }
    if (!dryRun) await this.#sweepPins(signal);
    if (!dryRun) this.#ended = (await deleteWaiting(this.#context, undefined, signal)).deleted;
    const others = await DoomedList.load(storage, keyring, signal);
    const listed = await listRootNames(this.#context, signal);
    const voided = new Set([...(await namesUnder(this.#context, 'void/', signal))].map((name) => {
      const { tag, id } = tagAndId(name);
      return names.snapshot(tag, id.split('-')[0] ?? '');
    }));
    return {
      erasure: this.#erasure, context: this.#context, policy: this.#policy, names: listed, voided, others, dryRun, signal,
      mirrored: this.#mirrored,
      pinned: await pinnedManifests(this.#context, listed.pins, signal), pruner: timeOrderedId(now, random),
      locked: this.#locked, ripe: (made) => graceMs === 0 || now - made >= graceMs,
    };
  }

  async #strayClosings(view: PruneView): Promise<string[]> {
    const stray = [...view.names.seals].some((name) => !view.names.manifests.has(name.replace('seals/', 'snapshots/')));
    if (!stray) return [];
    const removed = await readRemovals(this.#context, (name, error) => { throw refused(`${name} cannot be read`, error); }, view.signal);
    return strayClosings(view, (tag, id) => removed.has(`${tag}/${id}`));
  }

  /** Decides what goes; copies what is needed of packs that go into new ones. Nothing is announced yet. */
  async #plan(view: PruneView): Promise<void> {
    const tags = new Set([...view.names.manifests, ...view.names.checkpoints, ...view.names.seals].map((name) => tagAndId(name).tag));
    for (const prefix of ['index/', 'packs/', 'segments/']) {
      for (const stream of await streamsUnder(this.#context, prefix, view.signal)) tags.add(stream);
    }
    tags.delete(SHARED);
    const shared = await PruneStream.open(view, SHARED);
    try {
      if (view.erasure) await shared.indexStrays(await this.#keys(SHARED));
      for (const tag of tags) await this.#planEntity(view, tag, shared);
      await this.#planStream(view, shared);
    } finally {
      shared.close();
    }
  }

  async #planEntity(view: PruneView, tag: string, shared: PruneStream): Promise<void> {
    const entity = await entityRoots(view, tag);
    this.#entities.push(entity);
    for (const one of entity.removed) this.#doom.manifests.add(names.snapshot(tag, one.id));
    for (const name of entity.checkpoints) this.#doom.checkpoints.add(name);
    const segments = await namesUnder(this.#context, names.segment(tag, ''), view.signal);
    const own = await PruneStream.open(view, tag);
    const erased = view.erasure?.tag === tag;
    try {
      if (erased && view.erasure?.whole !== true) await own.indexStrays(await this.#keys(tag));
      await this.#mark(view, entity, segments, own, shared);
      await this.#planStream(view, own);
    } finally {
      own.close();
    }
    const roots = [...entity.sealed, ...entity.unfinished];
    const named = new Set(roots.flatMap((root) => root.layers.flat()).map((ref) => names.segment(tag, ref.id)));
    const unnamed = [...segments].filter((name) => !named.has(name) && !view.others.waiting.has(name) && (erased || view.ripe(timeOfId(lastSegment(name))) || view.others.has(name)));
    await inLanes(unnamed, LANES, async (name) => {
      if (erased || !(await view.locked.holds('record', name, 0, view.signal))) this.#doom.segments.add(name);
    });
    this.#options.progress?.({ type: 'progress', stage: 'prune', items: this.#entities.length, bytes: 0 });
  }

  /** Where blobs are missing, packs that no index names may hold them. */
  async #mark(view: PruneView, entity: EntityRoots, segments: ReadonlySet<string>, own: PruneStream, shared: PruneStream): Promise<void> {
    let lost = await markEntity(view, entity, segments, own, shared);
    if (lost > 0 && !view.dryRun) {
      const found = [await own.indexStrays(await this.#keys(own.stream), true), await shared.indexStrays(await this.#keys(SHARED), true)];
      if (found.includes(true)) lost = await markEntity(view, entity, segments, own, shared);
    }
    if (lost > 0) throw refused(`${lost} pieces of data are in no index ('holdfast rebuild' makes one anew)`);
  }

  async #planStream(view: PruneView, stream: PruneStream): Promise<void> {
    for (const [pack, size] of stream.sizes) this.#packs.set(pack, size);
    for (const pack of stream.gone) this.#gone.add(pack);
    const { erasure } = view;
    const erased = erasure && stream.planErasure(erasure);
    const plan = erased ?? await stream.plan();
    for (const pack of plan.locked) this.#waits.add(pack);
    for (const pack of stream.waitingInIndex()) this.#unneeded.add(pack);
    if (erasure) for (const { id } of erasure.ids.sorted()) if (stream.needs(id)) this.#needed.set(id, 0, 1);
    this.#totals.deadKept += plan.deadKept;
    this.#totals.freed += plan.freed;
    for (const pack of plan.dead) this.#doom.packs.set(pack, stream.stream);
    if (plan.rewrite.length > 0) await this.#rewrite(view, stream, plan.rewrite, erased?.must);
  }

  /** @param must of an erasure: packs without which it has not succeeded. */
  async #rewrite(view: PruneView, stream: PruneStream, packs: readonly string[], must: ReadonlySet<string> | undefined): Promise<void> {
    const keyOf = await this.#keys(stream.stream, view.signal);
    const { done, bytes } = view.dryRun ? { done: packs, bytes: 0 } : await stream.rewrite(packs, keyOf);
    this.#totals.newBytes += bytes;
    for (const pack of packs) if (must && !done.includes(pack)) this.#leave(stream.stream, pack, must);
    for (const pack of done) {
      if (stream.waits(pack)) this.#unneeded.add(pack);
      else this.#doom.packs.set(pack, stream.stream);
      this.#totals.rewritten.add(pack);
    }
  }

  /** A damaged pack: what is whole in it may be all that there is of other items. */
  #leave(stream: string, pack: string, must: ReadonlySet<string>): void {
    const name = names.pack(stream, pack);
    if (must.has(pack)) throw refused(`${name}, which holds something of what is to go, cannot be read whole`);
    this.#unread.add(name);
  }

  /** PUT doomed, look at the roots again, and put it once more, shorter, where something must be spared. @returns the names. */
  async #announce(view: PruneView): Promise<string[]> {
    const { storage, keyring, random } = this.#context;
    const doom = this.#doom;
    if (this.#objects().length === 0) return [];
    const known = await namesUnder(this.#context, 'doomed/', view.signal);
    const first = 1 + Math.max(0, ...[...known].map(numberOf));
    const records = doomedRecords(first, view.pruner, this.#objects());
    const own = [...records.keys()];
    const put = async (stays: (object: string) => boolean): Promise<void> => {
      for (const [name, record] of records) {
        const parts = doomedBytes(name, { ...record, objects: record.objects.filter(stays) }, keyring, random);
        await storage.put(name, parts, view.signal ? { signal: view.signal } : {});
      }
    };
    await put(() => true);
    await this.#sweepPins(view.signal);
    const byTag = new Map<string, readonly Root[]>(this.#entities.map((entity) => [entity.tag, [...entity.sealed, ...entity.unfinished]]));
    const roots = new Set([...view.names.manifests, ...view.names.checkpoints]);
    if (await spare(view, { roots, byTag, packs: new Set(this.#packs.keys()) }, doom, own)) {
      const left = new Set(this.#objects());
      await put((object) => left.has(object));
    }
    return own;
  }

  #objects(): string[] {
    const { manifests, segments, checkpoints, packs } = this.#doom;
    return [...manifests, ...segments, ...checkpoints, ...[...packs].map(([pack, stream]) => names.pack(stream, pack))];
  }

  async #journal(view: PruneView): Promise<void> {
    const removed = this.#entities.flatMap((entity) => entity.removed)
      .filter((one) => this.#doom.manifests.has(names.snapshot(one.tag, one.id)));
    const { note } = this.#erasure ?? {};
    if (removed.length > 0 || note) await writeRemoval(this.#context, removed, view.signal, note ? { erasure: note } : {});
  }

  #bytesOf(packs: readonly string[]): number {
    return packs.reduce((sum, pack) => sum + (this.#packs.get(pack) ?? 0), 0);
  }

  /** @param gone bytes of the packs that this run announced and that are gone (or would go). */
  #result(gone: number): PruneResult {
    const { rewritten, deadKept, newBytes } = this.#totals;
    const all = this.#bytesOf([...this.#packs.keys()]);
    const going = this.#packsBy(false);
    const packsRewritten = going.filter((pack) => rewritten.has(pack)).length;
    const ended = [...this.#ended].filter(([name]) => name.startsWith('packs/'));
    const endedBytes = ended.reduce((sum, [, bytes]) => sum + bytes, 0);
    const refused = this.#packsBy(true).filter((pack) => !this.#waits.has(pack));
    const { rest } = this.#locked;
    return {
      snapshotsRemoved: [...this.#doom.manifests].filter((name) => !this.#locked.refused.has(name)).length,
      packsDeleted: going.length - packsRewritten + ended.length, packsRewritten,
      // As long as packs wait, what was copied of them is there twice.
      bytesFreed: Math.max(0, endedBytes + gone - newBytes), bytesKept: all - gone + newBytes, deadKept,
      locked: { ...rest, bytes: rest.bytes + this.#bytesOf(refused) },
    };
  }

  /** Ids of announced packs that could not be deleted, or could. */
  #packsBy(refusedOnes: boolean): string[] {
    return [...this.#doom.packs]
      .filter(([pack, stream]) => (this.#waits.has(pack) || this.#locked.refused.has(names.pack(stream, pack))) === refusedOnes).map(([pack]) => pack);
  }
}
