import type { BinaryString, ItemRow, RowChange } from '../domain/index.ts';
import type { Storage } from '../storage/index.ts';
import type { Keyring } from './keyring.ts';
import type { RowBlock } from './rowBlock.ts';
import { SegmentReader, type Layer } from './segment.ts';

/** What it takes to read catalog segments of one entity. */
export interface SegmentSource {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly tag: string;
}

/** A position in one layer. `step` stays inside the loaded block and never waits; when it answers false, await `fill`. */
export class LayerCursor {
  readonly #source: SegmentSource;
  readonly #layer: Layer;
  readonly #signal: AbortSignal | undefined;
  #segment = -1;
  #reader: SegmentReader | undefined;
  #blockIndex = 0;
  #block: RowBlock | undefined;
  #row = 0;
  #ended = false;
  #floor: BinaryString = '';
  /** Key at the position; undefined at the end or while a fill is due. For comparing: it keeps its whole block alive, see {@link ownKey}. */
  key: BinaryString | undefined;

  constructor(source: SegmentSource, layer: Layer, signal?: AbortSignal) {
    this.#source = source;
    this.#layer = layer;
    this.#signal = signal;
  }

  /** True while `fill` must be awaited. */
  get starved(): boolean { return !this.#ended && this.key === undefined; }

  get change(): RowChange { return (this.#block as RowBlock).change(this.#row); }
  get row(): ItemRow { return (this.#block as RowBlock).row(this.#row); }
  /** The key at the position, for keeping. */
  get ownKey(): BinaryString { return (this.#block as RowBlock).keyAt(this.#row); }
  get removed(): boolean { return (this.#block as RowBlock).removed(this.#row); }
  get kind(): string { return (this.#block as RowBlock).kind(this.#row); }
  get changeKey(): BinaryString { return (this.#block as RowBlock).changeKeys[this.#row] ?? ''; }
  get sound(): boolean { return (this.#block as RowBlock).sound(this.#row); }
  get parent(): BinaryString { return (this.#block as RowBlock).parent(this.#row); }
  get content(): BinaryString { return (this.#block as RowBlock).content(this.#row); }

  step(): boolean {
    const block = this.#block;
    if (!block) return this.#ended;
    this.#row++;
    if (this.#row < block.count) {
      this.key = block.keys[this.#row];
      return true;
    }
    this.#leaveBlock();
    return false;
  }

  /** Moves forward to the first key that is not before `key`; `fill` may be due afterwards. */
  seek(key: BinaryString): void {
    if (this.#ended || (this.key !== undefined && this.key >= key)) return;
    this.#floor = key;
    const block = this.#block;
    if (block && block.count > 0 && block.keyAt(block.count - 1) >= key) {
      this.#moveTo(block.firstFrom(key, this.#row));
      return;
    }
    this.#block = undefined;
    this.key = undefined;
    if (this.#segmentFor(key) > this.#segment) {
      this.#segment = this.#segmentFor(key) - 1;
      this.#reader = undefined;
    } else if (this.#reader) {
      this.#blockIndex = Math.max(this.#blockIndex, this.#reader.blockFor(key));
    }
  }

  #segmentFor(key: BinaryString): number {
    let index = 0;
    while (index + 1 < this.#layer.length && (this.#layer[index + 1]?.first ?? '') <= key) index++;
    return index;
  }

  #moveTo(row: number): void {
    const block = this.#block as RowBlock;
    this.#row = row;
    if (row < block.count) this.key = block.keyAt(row);
    else this.#leaveBlock();
  }

  #leaveBlock(): void {
    this.#block = undefined;
    this.#blockIndex++;
    this.key = undefined;
  }

  async fill(): Promise<void> {
    while (this.starved) {
      if (!this.#reader || this.#blockIndex >= this.#reader.blockCount) {
        this.#segment++;
        const ref = this.#layer[this.#segment];
        if (!ref) {
          this.#ended = true;
          return;
        }
        const { storage, keyring, tag } = this.#source;
        this.#reader = await SegmentReader.open(storage, keyring, tag, ref, this.#signal);
        this.#blockIndex = this.#reader.blockFor(this.#floor);
      }
      this.#block = await this.#reader.block(this.#blockIndex, this.#signal);
      this.#moveTo(this.#block.firstFrom(this.#floor));
    }
  }
}

/**
 * One point in time of an entity, in ascending key order: the newest layer that names a key wins, removed keys are not shown.
 * Rows of the base (the oldest layer) pass through a short path, so that a few changes on a million rows cost little.
 */
export class StateCursor {
  readonly #base: LayerCursor;
  readonly #overlays: readonly LayerCursor[];
  readonly #showRemoved: boolean;
  #overlayKey: BinaryString | undefined;
  #current: LayerCursor | undefined;
  key: BinaryString | undefined;

  /** `layers` oldest first. With `showRemoved` removals are shown too (to merge layers that are not a base). */
  constructor(source: SegmentSource, layers: readonly Layer[], signal?: AbortSignal, showRemoved = false) {
    const cursors = layers.map((layer) => new LayerCursor(source, layer, signal));
    this.#base = cursors[0] ?? new LayerCursor(source, [], signal);
    this.#overlays = cursors.slice(1).toReversed();
    this.#showRemoved = showRemoved;
  }

  get row(): ItemRow { return this.#at().row; }
  /** The key at the position, for keeping: `key` keeps its whole block alive. */
  get ownKey(): BinaryString { return this.#at().ownKey; }
  get kind(): string { return this.#at().kind; }
  get change(): RowChange { return this.#at().change; }
  get changeKey(): BinaryString { return this.#at().changeKey; }
  /** The item was stored whole. */
  get sound(): boolean { return this.#at().sound; }

  #at(): LayerCursor {
    if (!this.#current) throw new RangeError('the cursor is at its end');
    return this.#current;
  }

  /** Moves to the first key at or after `key`. The first call opens the cursor. */
  async seek(key: BinaryString): Promise<void> {
    if (this.key !== undefined && this.key >= key) return;
    this.#base.seek(key);
    for (const overlay of this.#overlays) overlay.seek(key);
    await this.#settle();
  }

  /** Moves on without waiting where it can: false means that `await next()` must finish the move. */
  step(): boolean {
    const before = this.key;
    if (this.#current === this.#base && this.#base.step()) {
      const key = this.#base.key;
      if (key !== undefined && (this.#overlayKey === undefined || key < this.#overlayKey) && !this.#base.removed) {
        this.key = key;
        return true;
      }
    }
    this.#leave(before);
    return false;
  }

  async next(): Promise<void> {
    if (!this.step()) await this.#settle();
  }

  /** Finishes a `step` that answered false. */
  async finish(): Promise<void> {
    await this.#settle();
  }

  #leave(key: BinaryString | undefined): void {
    if (key === undefined) return;
    if (this.#base.key === key) this.#base.step();
    for (const overlay of this.#overlays) if (overlay.key === key) overlay.step();
  }

  async #settle(): Promise<void> {
    for (;;) {
      if (this.#base.starved) await this.#base.fill();
      for (const overlay of this.#overlays) if (overlay.starved) await overlay.fill();
      this.#choose();
      if (this.key === undefined || this.#showRemoved || !this.#at().removed) return;
      this.#leave(this.key);
    }
  }

  #choose(): void {
    this.#overlayKey = undefined;
    let overlay: LayerCursor | undefined;
    for (const candidate of this.#overlays) {
      if (candidate.key !== undefined && (this.#overlayKey === undefined || candidate.key < this.#overlayKey)) {
        this.#overlayKey = candidate.key;
        overlay = candidate;
      }
    }
    const base = this.#base.key;
    this.#current = overlay && (base === undefined || (this.#overlayKey as string) <= base) ? overlay : this.#base;
    this.key = this.#current.key;
  }
}

/** Rows of a point in time whose key starts with `prefix`, in batches; of one kind alone where that is given, which is cheaper. */
export async function* stateRows(
  source: SegmentSource, layers: readonly Layer[], prefix: BinaryString = '', signal?: AbortSignal, kind?: string,
): AsyncGenerator<ItemRow[]> {
  const cursor = new StateCursor(source, layers, signal);
  await cursor.seek(prefix);
  let batch: ItemRow[] = [];
  while (cursor.key !== undefined && cursor.key.startsWith(prefix)) {
    if (kind === undefined || cursor.kind === kind) batch.push(cursor.row);
    if (batch.length >= 1024) {
      yield batch;
      batch = [];
    }
    if (!cursor.step()) await cursor.finish();
  }
  if (batch.length > 0) yield batch;
}
