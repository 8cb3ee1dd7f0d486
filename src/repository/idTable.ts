/** Bytes of an id. Ids are keyed hashes: their first bytes are as good as random. */
const ID_WORDS = 6;
const ID_BYTES = 4 * ID_WORDS;
const RECORD_WORDS = ID_WORDS + 1;
/** Entries live in pages, so that growing copies no entry and wastes at most one page. */
const PAGE_BITS = 14;
const PAGE_ENTRIES = 1 << PAGE_BITS;
const IN_PAGE = PAGE_ENTRIES - 1;
const TOP_BIT = -0x8000_0000;
const FIRST_SLOTS = 1024;
/** Slots grow when more than this part of them is used. */
const MOST_LOAD = 0.75;

/** An entry of an {@link IdTable}; `id` is only valid until the next one. */
export interface IdEntry {
  readonly id: Buffer;
  readonly value: number;
}

/**
 * A map from 24-byte ids to 32-bit unsigned values, in typed arrays: 28 bytes an entry and 5 to 11 bytes of slots.
 * Entries are never removed.
 */
export class IdTable {
  /** Entry number + 1, 0 when free. */
  #slots = new Int32Array(FIRST_SLOTS);
  readonly #pages: Int32Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Sets the value (0 to 2^32 - 1) of the id at `offset` of `ids`; an id that is known already gets the new one. */
  set(ids: Uint8Array, offset: number, value: number): void {
    if (offset + ID_BYTES > ids.length) throw new RangeError(`an id has ${ID_BYTES} bytes`);
    const slot = this.#find(ids, offset);
    const known = (this.#slots[slot] ?? 0) - 1;
    const entry = known < 0 ? this.#size++ : known;
    const page = this.#page(entry);
    const at = (entry & IN_PAGE) * RECORD_WORDS;
    page[at + ID_WORDS] = value;
    if (known >= 0) return;
    for (let i = 0; i < ID_WORDS; i++) page[at + i] = word(ids, offset + 4 * i);
    this.#slots[slot] = this.#size;
    if (this.#size > this.#slots.length * MOST_LOAD) this.#grow();
  }

  /** The value of the id at `offset` of `ids`, -1 when it has none. */
  get(ids: Uint8Array, offset: number): number {
    const entry = (this.#slots[this.#find(ids, offset)] ?? 0) - 1;
    return entry < 0 ? -1 : this.#word(entry, ID_WORDS) >>> 0;
  }

  /** All entries in the order of their ids' bytes. Needs 4 bytes an entry while it runs; the table must not change. */
  *sorted(): Generator<IdEntry, void, undefined> {
    const id = Buffer.alloc(ID_BYTES);
    for (const entry of this.#order()) {
      for (let i = 0; i < ID_WORDS; i++) id.writeInt32BE(this.#word(entry, i) ^ TOP_BIT, 4 * i);
      yield { id, value: this.#word(entry, ID_WORDS) >>> 0 };
    }
  }

  /** The slot that holds the id, or the free one where it belongs. */
  #find(ids: Uint8Array, offset: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const first = word(ids, offset);
    for (let slot = first & mask; ; slot = (slot + 1) & mask) {
      const entry = (slots[slot] ?? 0) - 1;
      if (entry < 0) return slot;
      const page = this.#page(entry);
      const at = (entry & IN_PAGE) * RECORD_WORDS;
      if (page[at] !== first) continue;
      let same = 1;
      while (same < ID_WORDS && page[at + same] === word(ids, offset + 4 * same)) same++;
      if (same === ID_WORDS) return slot;
    }
  }

  #page(entry: number): Int32Array {
    const number = entry >>> PAGE_BITS;
    let page = this.#pages[number];
    if (page === undefined) this.#pages[number] = page = new Int32Array(PAGE_ENTRIES * RECORD_WORDS);
    return page;
  }

  #word(entry: number, i: number): number {
    return this.#page(entry)[(entry & IN_PAGE) * RECORD_WORDS + i] ?? 0;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let entry = 0; entry < this.#size; entry++) {
      let slot = this.#word(entry, 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.#slots = slots;
  }

  #order(): Uint32Array {
    return Uint32Array.from({ length: this.#size }, (_, i) => i).sort((a, b) => {
      let i = 0;
      while (i < ID_WORDS - 1 && this.#word(a, i) === this.#word(b, i)) i++;
      return this.#word(a, i) - this.#word(b, i);
    });
  }
}

/**
 * Four bytes as a big-endian number whose top bit is turned: signed, so that it is never put on the heap, and yet
 * in the order of the bytes.
 */
function word(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return (high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) ^ TOP_BIT;
}
