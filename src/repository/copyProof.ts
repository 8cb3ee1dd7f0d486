import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { BlobReader } from './blobReader.ts';
import { StreamIndex } from './blobIndex.ts';
import { prunedUnderRun } from './prunedUnderRun.ts';
import type { DueSnapshot } from './copyDue.ts';
import type { CopyView } from './copyView.ts';
import { DoomedList } from './doomed.ts';
import { readEntity } from './entityKeys.ts';
import { ContentWalk, walkVisible } from './liveness.ts';
import { checkSeal, readManifest } from './manifest.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { isUnreadable } from './sealedObject.ts';
import type { Layer } from './segment.ts';

/** Snapshots of one entity whose manifests stand in the copy. */
export interface EntityDue {
  readonly tag: string;
  readonly snapshots: readonly DueSnapshot[];
  /** `<tag>/<id>` of snapshots that are sealed in the copy with all that they need. */
  readonly whole: (snapshot: string) => boolean;
}

/**
 * Counts, of each snapshot, the blobs that are in no standing pack of the copy that nobody announced. Looks at the records of
 * prunes first and at what stands afterwards, as a run does before its seal.
 * Errors: `repository/pruned-under-run`, where a prune of the copy has announced what was just put.
 */
export async function countMissing(view: CopyView, entities: readonly EntityDue[]): Promise<Map<DueSnapshot, number>> {
  const missing = new Map<DueSnapshot, number>();
  const doomed = await DoomedList.load(view.target.storage, view.target.keyring, view.signal);
  const shared = await StandingIndex.open(view, SHARED, doomed);
  try {
    for (const entity of entities) {
      refuseDoomed(entity, doomed);
      const own = await StandingIndex.open(view, entity.tag, doomed);
      try {
        await walkEntity(view, entity, doomed, (id) => own.has(id) || shared.has(id), missing);
      } finally {
        own.close();
      }
    }
  } finally {
    shared.close();
  }
  return missing;
}

function refuseDoomed({ tag, snapshots }: EntityDue, doomed: DoomedList): void {
  for (const { manifest } of snapshots) {
    const own = [names.snapshot(tag, manifest.id), ...manifest.layers.flat().map((ref) => names.segment(tag, ref.id))];
    if (own.some((name) => doomed.has(name))) throw prunedUnderRun();
  }
}

/** The index of one stream of the copy, as far as its packs stand. */
class StandingIndex {
  readonly #index: StreamIndex;
  readonly #avoid: { has(pack: string): boolean };

  private constructor(index: StreamIndex, avoid: { has(pack: string): boolean }) {
    this.#index = index;
    this.#avoid = avoid;
  }

  static async open(view: CopyView, stream: string, doomed: DoomedList): Promise<StandingIndex> {
    const standing = new Set<string>();
    for await (const { name } of listAll(view.target.storage, names.packs(stream), view.options)) standing.add(lastSegment(name));
    const index = await StreamIndex.loadReadable(view.target, stream, view.signal);
    return new StandingIndex(index, { has: (pack) => !standing.has(pack) || doomed.packs.has(pack) });
  }

  has(id: Buffer): boolean {
    return this.#index.locate(id, 0, this.#avoid) !== undefined;
  }

  close(): void {
    this.#index.close();
  }
}

async function walkEntity(
  view: CopyView, { tag, snapshots, whole }: EntityDue, doomed: DoomedList,
  stands: (id: Buffer) => boolean, missing: Map<DueSnapshot, number>,
): Promise<void> {
  const proved = await provedLayers(view, snapshots, doomed, whole);
  const { storage, keyring } = view.target;
  const reader = new BlobReader(view.target, await readEntity(storage, keyring, tag, view.signal));
  const walk = new ContentWalk(reader);
  const lack = (showing: readonly number[]): void => {
    for (const root of showing) {
      const snapshot = snapshots[root];
      if (snapshot) missing.set(snapshot, (missing.get(snapshot) ?? 0) + 1);
    }
  };
  try {
    await walkVisible({ storage, keyring, tag }, snapshots.map(({ manifest }) => beyond(proved, manifest.layers)), (row, showing) => {
      const waiting = walk.ids(row.content, (id) => { if (!stands(id)) lack(showing); }, view.signal);
      return waiting?.catch((error: unknown) => {
        if (!isMissing(error)) throw error;
        lack(showing);
      });
    }, view.signal);
  } catch (error) {
    // A segment that was put, or stood, a moment ago.
    if (isHoldfastError(error) && error.code === 'storage/not-found') throw prunedUnderRun();
    throw error;
  } finally {
    await reader.close();
  }
}

function isMissing(error: unknown): boolean {
  return isHoldfastError(error) && (['repository/missing-blob', 'storage/not-found'].includes(error.code) || isUnreadable(error));
}

/**
 * The layers of a snapshot that the copy has whole. It is read after the new manifests were put and the records were listed,
 * and no record names it: whoever announces it from now on sees the new manifests first, and spares what they need.
 */
async function provedLayers(
  view: CopyView, snapshots: readonly DueSnapshot[], doomed: DoomedList, whole: (snapshot: string) => boolean,
): Promise<readonly Layer[]> {
  const { storage, keyring } = view.target;
  for (const { tag, manifest: { predecessor } } of snapshots) {
    if (!predecessor || !whole(`${tag}/${predecessor.id}`) || doomed.has(names.snapshot(tag, predecessor.id))) continue;
    try {
      const stored = await readManifest(storage, keyring, tag, predecessor.id, view.signal);
      await checkSeal(storage, keyring, stored, view.signal);
      return stored.manifest.layers;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return [];
}

/** What of `layers` has to be looked at where all rows of `proved` are known to be whole: only rows that later layers brought are new. */
function beyond(proved: readonly Layer[], layers: readonly Layer[]): readonly Layer[] {
  const nameOf = (layer: Layer | undefined): string | undefined => layer?.map((ref) => ref.id).join();
  return proved.every((layer, i) => nameOf(layers[i]) === nameOf(layer)) ? layers.slice(proved.length) : layers;
}
