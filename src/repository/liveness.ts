import type { BinaryString } from '../domain/index.ts';
import type { BlobReader } from './blobReader.ts';
import { decodeRecipe, ID_LENGTH, recipeIds } from './recipe.ts';
import type { Layer } from './segment.ts';
import { LayerCursor, type SegmentSource } from './state.ts';

/** Called for each version of a row that some root shows; `roots` are the numbers of those that do. May wait. */
export type VisitRow = (row: LayerCursor, roots: readonly number[]) => Promise<void> | undefined;

interface Lane {
  readonly cursor: LayerCursor;
  /** The roots that name this layer, and where in the order of their layers. */
  readonly roots: number[];
  readonly places: Map<number, number>;
}

/**
 * Every row version that at least one of the roots shows, each once, in one pass over the layers that the roots share.
 * Memory: one block a layer.
 */
export async function walkVisible(
  source: SegmentSource, roots: readonly (readonly Layer[])[], visit: VisitRow, signal?: AbortSignal,
): Promise<void> {
  const heap = new LaneHeap();
  for (const lane of lanesOf(source, roots, signal)) {
    await lane.cursor.fill();
    heap.push(lane);
  }
  const group: Lane[] = [];
  for (let top = heap.top; top; top = heap.top) {
    const { key } = top.cursor;
    if (heap.second !== key) {
      const waiting = top.cursor.removed ? undefined : visit(top.cursor, top.roots);
      if (waiting) await waiting;
      if (!top.cursor.step()) await top.cursor.fill();
      heap.settleTop();
      continue;
    }
    for (let lane = heap.top; lane?.cursor.key === key; lane = heap.top) group.push(heap.pop());
    await visitShadowed(group, visit);
    for (const lane of group.splice(0)) {
      if (!lane.cursor.step()) await lane.cursor.fill();
      heap.push(lane);
    }
  }
}

/** Each root shows the version of the latest of its own layers. */
async function visitShadowed(group: readonly Lane[], visit: VisitRow): Promise<void> {
  const latest = new Map<number, Lane>();
  for (const lane of group) {
    for (const root of lane.roots) {
      const other = latest.get(root);
      if (!other || (other.places.get(root) ?? 0) < (lane.places.get(root) ?? 0)) latest.set(root, lane);
    }
  }
  for (const lane of group) {
    if (lane.cursor.removed) continue;
    const showing = lane.roots.filter((root) => latest.get(root) === lane);
    if (showing.length > 0) await visit(lane.cursor, showing);
  }
}

function lanesOf(source: SegmentSource, roots: readonly (readonly Layer[])[], signal?: AbortSignal): Iterable<Lane> {
  const lanes = new Map<string, Lane>();
  roots.forEach((layers, root) => {
    layers.forEach((layer, place) => {
      const id = layer.map((ref) => ref.id).join();
      let lane = lanes.get(id);
      if (!lane) {
        lane = { cursor: new LayerCursor(source, layer, signal), roots: [], places: new Map() };
        lanes.set(id, lane);
      }
      lane.roots.push(root);
      lane.places.set(root, place);
    });
  });
  return lanes.values();
}

/** Lanes by the key that they are at; those at their end are dropped. */
class LaneHeap {
  readonly #lanes: Lane[] = [];

  get top(): Lane | undefined { return this.#lanes[0]; }

  /** The least key but for the top's. */
  get second(): BinaryString | undefined {
    const left = this.#lanes[1]?.cursor.key;
    const right = this.#lanes[2]?.cursor.key;
    return left === undefined || (right !== undefined && right < left) ? right : left;
  }

  push(lane: Lane): void {
    if (lane.cursor.key === undefined) return;
    this.#lanes.push(lane);
    let at = this.#lanes.length - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (keyOf(this.#lanes[up]) <= keyOf(lane)) break;
      this.#swap(at, up);
      at = up;
    }
  }

  pop(): Lane {
    const lane = this.#lanes[0];
    if (!lane) throw new RangeError('no lane is left');
    const last = this.#lanes.pop();
    if (last && last !== lane) {
      this.#lanes[0] = last;
      this.#sink();
    }
    return lane;
  }

  /** After the top has moved on. */
  settleTop(): void {
    if (this.#lanes[0]?.cursor.key === undefined) this.pop();
    else this.#sink();
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#lanes.length && keyOf(this.#lanes[child]) < keyOf(this.#lanes[least])) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    [this.#lanes[a], this.#lanes[b]] = [this.#lanes[b] as Lane, this.#lanes[a] as Lane];
  }
}

function keyOf(lane: Lane | undefined): BinaryString {
  return lane?.cursor.key ?? '';
}

const BLOB = String.fromCharCode(1);

/** Finds the ids of all blobs that a row's content needs; recipes kept in blobs are read. */
export class ContentWalk {
  readonly #reader: BlobReader;
  readonly #id = Buffer.alloc(ID_LENGTH);

  constructor(reader: BlobReader) {
    this.#reader = reader;
  }

  /** `visit` gets 24 bytes that are valid until it returns. A recipe kept in blobs makes it wait. */
  ids(content: BinaryString, visit: (id: Buffer) => void, signal?: AbortSignal): Promise<void> | undefined {
    if (content === '') return undefined;
    if (content.length === ID_LENGTH + 1 && content.startsWith(BLOB)) {
      this.#id.write(content.slice(1), 'latin1');
      visit(this.#id);
      return undefined;
    }
    const recipe = decodeRecipe(content);
    for (const id of recipeIds(recipe)) this.#give(id, visit);
    return recipe.type === 'stored' ? this.#stored(recipe, visit, signal) : undefined;
  }

  #give(id: BinaryString, visit: (id: Buffer) => void): void {
    this.#id.write(id, 'latin1');
    visit(this.#id);
  }

  async #stored(
    recipe: Parameters<BlobReader['ops']>[0], visit: (id: Buffer) => void, signal?: AbortSignal,
  ): Promise<void> {
    for (const op of await this.#reader.ops(recipe, signal)) for (const ref of op.blobs) this.#give(ref.id, visit);
  }
}
