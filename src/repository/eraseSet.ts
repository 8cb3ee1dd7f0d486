import type { BinaryString } from '../domain/index.ts';

/** What is to be erased: keys of items, and beginnings of keys where those say what lies in a folder. */
export interface Selection {
  readonly keys: ReadonlySet<BinaryString>;
  readonly prefixes: readonly BinaryString[];
}

/** Grows with what lies below the items: whatever is erased takes all below it along. */
export class EraseSet {
  readonly #keys: Set<BinaryString>;
  readonly #prefixes: readonly BinaryString[];
  /** Keys of items that lay below an erased one and that no snapshot shows any more, anywhere. */
  readonly #hidden = new Set<BinaryString>();
  /** Keys that looked like those, and that a snapshot shows. */
  readonly #shown = new Set<BinaryString>();

  constructor({ keys, prefixes }: Selection) {
    this.#keys = new Set(keys);
    this.#prefixes = prefixes;
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
    return this.#keys.has(key) || this.#prefixes.some((prefix) => key.startsWith(prefix));
  }
}
