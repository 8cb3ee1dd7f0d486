import { compareRanked } from '../odata/cursor.ts';
import type { Cursor, Ranked } from '../odata/cursor.ts';
import type { Item } from './item.ts';

/** Where the items of a folder come from before anybody changed it: functions of the index. */
export interface SeededItems {
  /** Distinguishes this folder's seeded keys from those of others: keys are `${name}.${index}`. */
  readonly name: string;
  readonly count: number;
  /** Strictly falling with the index. */
  rankOf(index: number): number;
  make(index: number): Item;
}

export interface Change {
  readonly sequence: number;
  readonly key: string;
}

/** An item of which only the place is known yet. */
export interface Placed extends Ranked {
  item(): Item;
}

/**
 * The items of one folder: seeded ones, made when asked for, under a layer of changes. Memory grows with the changes alone, and a page costs
 * what it shows, wherever in the folder it begins.
 */
export class Shelf {
  readonly #seeded: SeededItems;
  readonly #nextSequence: () => number;
  /** Seeded items that were changed in place. */
  readonly #changed = new Map<string, Item>();
  readonly #gone = new Set<number>();
  /** Items that are not this shelf's seeded ones, in order. */
  readonly #added: Item[] = [];
  readonly #addedByKey = new Map<string, Item>();
  /** Latest change of each key, oldest first. */
  readonly #changes = new Map<string, number>();
  #sequence = 0;

  constructor(seeded: SeededItems, nextSequence: () => number) {
    this.#seeded = seeded;
    this.#nextSequence = nextSequence;
  }

  get name(): string {
    return this.#seeded.name;
  }

  get size(): number {
    return this.#seeded.count - this.#gone.size + this.#added.length;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get(key: string): Item | undefined {
    const index = this.#indexOf(key);
    if (index === undefined) return this.#addedByKey.get(key);
    return this.#gone.has(index) ? undefined : this.#changed.get(key) ?? this.#seeded.make(index);
  }

  has(key: string): boolean {
    const index = this.#indexOf(key);
    return index === undefined ? this.#addedByKey.has(key) : !this.#gone.has(index);
  }

  /** All items after the cursor, in order. Nothing is made until `item` is called. */
  *entries(after?: Cursor): Generator<Placed> {
    let index = after === undefined ? 0 : this.#firstAfter(after);
    const added = this.#added;
    let place = after === undefined ? 0 : firstWhere(added.length, (at) => compareRanked(added[at] ?? after, after) > 0);
    for (;;) {
      while (index < this.#seeded.count && this.#gone.has(index)) index += 1;
      const seeded = index < this.#seeded.count ? { rank: this.#seeded.rankOf(index), key: this.#keyOf(index) } : undefined;
      const other = added[place];
      if (seeded === undefined && other === undefined) return;
      if (other !== undefined && (seeded === undefined || compareRanked(other, seeded) < 0)) {
        place += 1;
        yield { rank: other.rank, key: other.key, item: () => other };
      } else if (seeded !== undefined) {
        const made = index;
        index += 1;
        yield { ...seeded, item: () => this.#changed.get(seeded.key) ?? this.#seeded.make(made) };
      }
    }
  }

  /** Adds an item or replaces the one of its key. */
  put(item: Item): void {
    const index = this.#indexOf(item.key);
    if (index === undefined) {
      this.#takeOut(item.key);
      const place = firstWhere(this.#added.length, (at) => compareRanked(this.#added[at] ?? item, item) > 0);
      this.#added.splice(place, 0, item);
      this.#addedByKey.set(item.key, item);
    } else {
      this.#gone.delete(index);
      this.#changed.set(item.key, item);
    }
    this.#note(item.key);
  }

  remove(key: string): void {
    if (!this.has(key)) return;
    const index = this.#indexOf(key);
    if (index === undefined) this.#takeOut(key);
    else {
      this.#gone.add(index);
      this.#changed.delete(key);
    }
    this.#note(key);
  }

  /** The latest change of every key that changed after `since`, oldest first. */
  *changes(since: number): Generator<Change> {
    for (const [key, sequence] of this.#changes) if (sequence > since) yield { sequence, key };
  }

  #note(key: string): void {
    this.#sequence = this.#nextSequence();
    this.#changes.delete(key);
    this.#changes.set(key, this.#sequence);
  }

  #takeOut(key: string): void {
    const item = this.#addedByKey.get(key);
    if (item === undefined) return;
    this.#addedByKey.delete(key);
    this.#added.splice(this.#added.indexOf(item), 1);
  }

  #keyOf(index: number): string {
    return `${this.#seeded.name}.${index}`;
  }

  #indexOf(key: string): number | undefined {
    const at = key.lastIndexOf('.');
    if (at < 0 || key.slice(0, at) !== this.#seeded.name) return undefined;
    const index = Number(key.slice(at + 1));
    return Number.isInteger(index) && index >= 0 && index < this.#seeded.count ? index : undefined;
  }

  #firstAfter(after: Cursor): number {
    return firstWhere(this.#seeded.count, (index) => compareRanked({ rank: this.#seeded.rankOf(index), key: this.#keyOf(index) }, after) > 0);
  }
}

/** The first place from which on `holds` is true. */
function firstWhere(length: number, holds: (place: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
