/** Bits an entry: with six probes inside one 64-byte line about one lookup in eighty is a false alarm. */
const BITS = 10;
const LINE_WORDS = 16;

/** A blocked Bloom filter over blob ids: 1.25 bytes a blob, one cache line a lookup. Ids are uniform, so their own bytes are the hash. */
export class BlobFilter {
  readonly words: Uint32Array;
  readonly #lines: number;

  constructor(words: Uint32Array) {
    this.words = words;
    this.#lines = words.length / LINE_WORDS;
  }

  static forEntries(entries: number): BlobFilter {
    const lines = Math.max(1, Math.ceil((entries * BITS) / (LINE_WORDS * 32)));
    return new BlobFilter(new Uint32Array(lines * LINE_WORDS));
  }

  add(ids: Buffer, offset: number): void {
    this.#probe(ids, offset, true);
  }

  /** False: certainly absent. */
  maybe(ids: Buffer, offset: number): boolean {
    return this.#probe(ids, offset, false);
  }

  #probe(ids: Buffer, offset: number, set: boolean): boolean {
    const line = Math.floor((ids.readUInt32BE(offset) * this.#lines) / 0x1_0000_0000) * LINE_WORDS;
    let bits = ids.readUInt32BE(offset + 4);
    for (let i = 0; i < 6; i++) {
      if (i === 3) bits = ids.readUInt32BE(offset + 8);
      const bit = bits & 511;
      bits >>>= 9;
      const word = line + (bit >>> 5);
      const mask = 1 << (bit & 31);
      if (set) this.words[word] = (this.words[word] as number) | mask;
      else if (((this.words[word] as number) & mask) === 0) return false;
    }
    return true;
  }
}
