import type { BinaryString } from '../domain/index.ts';

/** What is to be erased: keys of items, and beginnings of keys where those say what lies in a folder. */
export interface Selection {
  readonly keys: ReadonlySet<BinaryString>;
  readonly prefixes: readonly BinaryString[];
}

/** Grows with what lies below the items: whatever is erased takes all below it along. */
export class EraseSet {
  readonly #keys: Set<BinaryString>;
  /** In ascending order; none begins with another. */
  readonly #prefixes: BinaryString[] = [];
  /** Keys of items that lay below an erased one and that no snapshot shows any more, anywhere. */
  readonly #hidden = new Set<BinaryString>();
  /** Keys that looked like those, and that a snapshot shows. */
  readonly #shown = new Set<BinaryString>();

  constructor({ keys, prefixes }: Selection) {
    this.#keys = new Set(keys);
    for (const prefix of prefixes.toSorted()) {
      const last = this.#prefixes.at(-1);
      if (last === undefined || !prefix.startsWith(last)) this.#prefixes.push(prefix);
    }
  }

  get size(): number { return this.#keys.size; }

  /** How many hidden items are known. */
  get hidden(): number { return this.#hidden.size; }

  has(key: BinaryString, parent: BinaryString): boolean {
    return this.#covers(key) || this.#hidden.has(key) || (parent !== '' && (this.#keys.has(parent) || this.#hidden.has(parent)));
  }

  add(key: BinaryString): void {
    this.#keys.add(key);
  }

  /** Takes in an entry that maybe no snapshot shows. */
  learn(key: BinaryString, parent: BinaryString): void {
    if (parent === '' || this.#covers(key) || this.#shown.has(key)) return;
    if (this.#covers(parent) || this.#hidden.has(parent)) this.#hidden.add(key);
  }

  /** A snapshot shows an item of that key, or one in it. */
  isShown(key: BinaryString): void {
    if (this.#hidden.has(key)) this.#shown.add(key);
  }

  /** Takes back what was learnt, where some of it is shown: more may have been learnt through that. */
  withoutShown(): void {
    for (const key of this.#shown) if (this.#hidden.has(key)) this.#hidden.clear();
  }

  /** Snapshots may have come meanwhile. */
  forgetHidden(): void {
    this.#hidden.clear();
    this.#shown.clear();
  }

  #covers(key: BinaryString): boolean {
    return this.#keys.has(key) || this.#beginsWithOne(key);
  }

  /** Only the last prefix that is not after the key can be its beginning: a search may have chosen many thousands. */
  #beginsWithOne(key: BinaryString): boolean {
    let low = 0;
    let high = this.#prefixes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#prefixes[middle] ?? '') <= key) low = middle + 1;
      else high = middle;
    }
    const prefix = this.#prefixes[low - 1];
    return prefix !== undefined && key.startsWith(prefix);
  }
}
