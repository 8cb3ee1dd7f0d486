import { listAll } from '../storage/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { inLanes } from './inLanes.ts';
import { LivenessMarks } from './livenessMarks.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { planStream, type StreamPlan } from './prunePlan.ts';
import type { ErasurePlan, PruneView } from './pruneRoots.ts';
import { PackRewriter } from './pruneRewrite.ts';
import { timeOfId } from './roots.ts';
import { indexStrayPacks } from './strayPacks.ts';
import { indexedStream, type KeyOf } from './streams.ts';

/** What an erasure does to a stream. */
export interface ErasureStreamPlan extends StreamPlan {
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

  /** Packs that no index names are what a killed run left. True where there were any: look once more. */
  async indexStrays(keyOf: KeyOf): Promise<boolean> {
    const before = this.#index.segmentIds.length;
    await indexStrayPacks(this.#view.context, this.#index, keyOf, this.#view.others, this.#view.signal);
    if (this.#index.segmentIds.length === before) return false;
    this.#marks.extend(this.#index);
    return true;
  }

  /** Without packs that are locked: those are only counted. */
  async plan(): Promise<StreamPlan> {
    const plan = this.#plan();
    const locked = new Set<string>();
    await inLanes([...plan.dead, ...plan.rewrite], LANES, async (pack) => {
      if (await this.#view.locked.holds('pack', names.pack(this.stream, pack), this.sizes.get(pack), this.#view.signal)) locked.add(pack);
    });
    return locked.size === 0 ? plan : this.#plan(locked);
  }

  #plan(locked: ReadonlySet<string> = new Set()): StreamPlan {
    const { mirrored, others } = this.#view;
    const plan = planStream({
      stream: this.stream, sizes: this.sizes, uses: this.#marks.uses(), locked, announced: new Set([...others.packs].filter((pack) => !locked.has(pack))),
      ripe: (pack) => !locked.has(pack) && (mirrored ? !mirrored.has(pack) : this.#view.ripe(timeOfId(pack))),
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
    const packs = new Set([...this.#view.others.packs].filter((pack) => this.sizes.has(pack)));
    for (const { id } of ids.sorted()) {
      for (const { pack, marked } of this.#marks.places(id)) if (!marked && this.sizes.has(pack)) packs.add(pack);
    }
    if (whole && isOwn) for (const pack of this.sizes.keys()) packs.add(pack);
    const must = new Set(packs);
    const live = new Set<string>();
    for (const { pack, frames } of this.#marks.uses()) {
      if (frames.some((frame) => frame.live > 0)) live.add(pack);
      if ((isOwn || oldGoes(pack)) && this.sizes.has(pack) && frames.some((frame) => frame.live < frame.plain)) packs.add(pack);
    }
    return {
      stream: this.stream, dead: [...packs].filter((pack) => !live.has(pack)), rewrite: [...packs].filter((pack) => live.has(pack)), must,
      kept: 0, deadKept: 0, freed: 0,
    };
  }

  /** Whether a root needs the blob. */
  needs(id: Buffer): boolean {
    for (const { marked } of this.#marks.places(id)) if (marked) return true;
    return false;
  }

  /** Copies what is needed and indexes it. @returns the packs that can go now, and the bytes of the new ones. */
  async rewrite(packs: readonly string[], keyOf: KeyOf): Promise<{ done: string[]; bytes: number }> {
    const rewriter = new PackRewriter(
      this.#view.context, this.stream, keyOf, (id, pack, frame) => this.#marks.isMarked(id, pack, frame),
      // What an erasure that was killed has announced must not go on in a frame that is copied whole.
      (pack) => this.#view.erasure !== undefined || this.#view.others.packs.has(pack));
    const done: string[] = [];
    for (const pack of packs) if (await rewriter.add(pack, this.#view.signal)) done.push(pack);
    const made = await rewriter.finish();
    await this.#index.append(made, this.#view.signal);
    return { done, bytes: made.reduce((sum, pack) => sum + pack.size, 0) };
  }
}
