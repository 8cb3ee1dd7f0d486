import { listAll } from '../storage/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { inLanes } from './inLanes.ts';
import { LivenessMarks, type PackUse } from './livenessMarks.ts';
import { lockingAsLongAs } from './openLocked.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { planStream, type StreamPlan } from './prunePlan.ts';
import type { ErasurePlan, PruneView } from './pruneRoots.ts';
import { PackRewriter } from './pruneRewrite.ts';
import { timeOfId } from './roots.ts';
import { indexStrayPacks } from './strayPacks.ts';
import { indexedStream, type KeyOf } from './streams.ts';

/** What a prune does to a stream. */
export interface PruneStreamPlan extends StreamPlan {
  /** Those of the packs to be rewritten that are locked: they wait. Not told of an erasure, which asks when it deletes. */
  readonly locked: ReadonlySet<string>;
}

/** What an erasure does to a stream. */
export interface ErasureStreamPlan extends PruneStreamPlan {
  /** Packs that hold something of the erased items for sure, or may have been announced for it: without them it has not succeeded. */
  readonly must: ReadonlySet<string>;
}

/** Locks asked for at once. */
const LANES = 8;

/** One stream under a prune: its index, its packs, and what of them is needed. */
export class PruneStream {
  readonly stream: string;
  /** All packs that stand, with their bytes; listed after the index was read. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Packs that the index names and that are gone. */
  readonly gone: ReadonlySet<string>;
  readonly #view: PruneView;
  readonly #index: StreamIndex;
  readonly #marks: LivenessMarks;

  private constructor(view: PruneView, index: StreamIndex, sizes: ReadonlyMap<string, number>) {
    this.#view = view;
    this.#index = index;
    this.stream = index.stream;
    this.sizes = sizes;
    this.gone = new Set([...index.packs()].filter((pack) => !sizes.has(pack)));
    // In a copy a blob counts in a pack that the source has too, so that the other one can go.
    const foreign = view.mirrored ? [...sizes.keys()].filter((pack) => !view.mirrored?.has(pack)) : [];
    this.#marks = new LivenessMarks(index, new Set([...this.gone, ...view.others.packs, ...foreign]));
  }

  static async open(view: PruneView, stream: string): Promise<PruneStream> {
    const index = await StreamIndex.load(view.context, await indexedStream(view.context, stream, view.signal), view.signal);
    const sizes = new Map<string, number>();
    const options = view.signal ? { signal: view.signal } : {};
    for await (const object of listAll(view.context.storage, names.packs(stream), options)) {
      sizes.set(lastSegment(object.name), object.size);
    }
    return new PruneStream(view, index, sizes);
  }

  close(): void {
    this.#index.close();
  }

  /** Marks a place of the blob in a pack that will stay; false where there is none. */
  mark(id: Buffer): boolean {
    return this.#marks.mark(id);
  }

  /** Marks a place in a pack that stands, but that another pruner announced: it will be copied. In a copy, also in one that the source lacks: it stays. */
  markAnnounced(id: Buffer): boolean {
    return this.#marks.markIn(id, (pack) => this.sizes.has(pack));
  }

  /**
   * Packs that no index names are what a killed run left. True where there were any: look once more.
   * @param waitingToo also those that wait for the end of their locks: the place to which their blobs were copied is lost.
   */
  async indexStrays(keyOf: KeyOf, waitingToo = false): Promise<boolean> {
    const before = this.#index.segmentIds.length;
    const { packs } = this.#view.others;
    const doomed = waitingToo ? { packs: new Set([...packs].filter((pack) => !this.waits(pack))) } : { packs };
    await indexStrayPacks(this.#view.context, this.#index, keyOf, doomed, this.#view.signal);
    if (this.#index.segmentIds.length === before) return false;
    this.#marks.extend(this.#index);
    return true;
  }

  /** Packs that are locked do not go: they are counted, and what is needed of those with much waste is copied, so that they can go in time. */
  async plan(): Promise<PruneStreamPlan> {
    const first = this.#plan();
    const locked = new Set<string>();
    await inLanes([...first.dead, ...first.rewrite], LANES, async (pack) => {
      if (await this.#view.locked.holds('pack', names.pack(this.stream, pack), this.sizes.get(pack), this.#view.signal)) locked.add(pack);
    });
    const plan = locked.size === 0 ? first : this.#plan(locked);
    return { ...plan, locked: new Set(plan.rewrite.filter((pack) => locked.has(pack))) };
  }

  /** Whether this pack only waits for the end of its locks: what is needed of it was copied. */
  waits(pack: string): boolean {
    return this.#view.others.waiting.has(names.pack(this.stream, pack));
  }

  /** Waiting packs that an index still names, or names again, and of which nothing is needed. */
  waitingInIndex(): string[] {
    const waiting = new Set([...this.#index.packs()].filter((pack) => this.waits(pack)));
    if (waiting.size === 0) return [];
    for (const { pack, frames } of this.#marks.uses()) if (frames.some((frame) => frame.live > 0)) waiting.delete(pack);
    return [...waiting];
  }

  #plan(locked: ReadonlySet<string> = new Set()): StreamPlan {
    const { mirrored, others } = this.#view;
    const plan = planStream({
      stream: this.stream, sizes: this.sizes, uses: this.#marks.uses(), locked, announced: others.packs,
      ripe: (pack) => (mirrored ? !mirrored.has(pack) : this.#view.ripe(timeOfId(pack))),
    });
    // A copy has the packs of its source as they are.
    return mirrored ? { ...plan, rewrite: plan.rewrite.filter((pack) => others.packs.has(pack)) } : plan;
  }

  /**
   * Packs in which an erased blob has a place that nobody needs, those that another record names, and, where the entity's blobs may be,
   * all with waste: it may be of versions that no snapshot shows any more, and nothing tells which. Of the shared ones only those that are
   * old enough: runs of other entities are at work there.
   */
  planErasure({ tag, ids, whole }: ErasurePlan): ErasureStreamPlan {
    const isOwn = this.stream === tag;
    const oldGoes = (pack: string): boolean => this.stream === SHARED && this.#view.ripe(timeOfId(pack));
    const stands = (pack: string): boolean => this.sizes.has(pack) && !this.waits(pack);
    const isWasteful = ({ pack, frames }: PackUse): boolean => (isOwn || oldGoes(pack)) && stands(pack) && frames.some((frame) => frame.live < frame.plain);
    const packs = new Set([...this.#view.others.packs].filter(stands));
    for (const { id } of ids.sorted()) {
      for (const { pack, marked } of this.#marks.places(id)) if (!marked && stands(pack)) packs.add(pack);
    }
    if (whole && isOwn) for (const pack of this.sizes.keys()) packs.add(pack);
    const must = new Set(packs);
    const live = new Set<string>();
    for (const use of this.#marks.uses()) {
      if (use.frames.some((frame) => frame.live > 0)) live.add(use.pack);
      if (isWasteful(use)) packs.add(use.pack);
    }
    // What waits is needed only where its blobs have no other place any more.
    for (const pack of live) if (this.waits(pack) && this.sizes.has(pack)) packs.add(pack);
    return {
      stream: this.stream, dead: [...packs].filter((pack) => !live.has(pack)), rewrite: [...packs].filter((pack) => live.has(pack)), must,
      kept: 0, deadKept: 0, freed: 0, locked: new Set(),
    };
  }

  /** Whether a root needs the blob. */
  needs(id: Buffer): boolean {
    for (const { marked } of this.#marks.places(id)) if (marked) return true;
    return false;
  }

  /** Copies what is needed and indexes it. @returns the packs that can go now, and the bytes of the new ones. */
  async rewrite(packs: readonly string[], keyOf: KeyOf): Promise<{ done: string[]; bytes: number }> {
    // Snapshots that are locked by an older setting may rely on them for longer than what is put now is locked.
    const context = await lockingAsLongAs(this.#view.context, packs.map((pack) => names.pack(this.stream, pack)), this.#view.signal);
    const rewriter = new PackRewriter(
      context, this.stream, keyOf, (id, pack, frame) => this.#marks.isMarked(id, pack, frame),
      // What an erasure that was killed has announced must not go on in a frame that is copied whole.
      (pack) => this.#view.erasure !== undefined || this.#view.others.packs.has(pack));
    const done: string[] = [];
    for (const pack of packs) if (await rewriter.add(pack, this.#view.signal)) done.push(pack);
    const made = await rewriter.finish();
    const before = this.#index.written.length;
    await this.#index.append(made, this.#view.signal);
    for (const id of this.#index.written.slice(before)) this.#view.erasure?.indexes?.add(names.index(this.stream, id));
    return { done, bytes: made.reduce((sum, pack) => sum + pack.size, 0) };
  }
}
