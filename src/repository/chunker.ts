import { createHash } from 'node:crypto';
import { chunkerKernel } from './chunkerKernel.ts';
import type { CutScan } from './chunkerKernel.ts';

/** Content up to this length is one blob: chunks of small content would cost more in the index than they save. */
export const WHOLE_LIMIT = 131072;
/** Every chunk but the last of a content is longer than this. */
export const MIN_CHUNK = 16384;
/** No chunk is longer than this. */
export const MAX_CHUNK = 262144;

/**
 * Up to here a chunk ends at 1 of 2^18 bytes, from here on at 1 of 2^14 (normalised chunking of FastCDC). With the
 * minimum this makes an average of 64 KiB on random bytes.
 */
const NORMAL_CHUNK = 53248;
const STRICT_LIMIT = 2 ** (32 - 18);
const LOOSE_LIMIT = 2 ** (32 - 14);
/** The gear hash forgets a byte after 32 more, so a cut depends on the 32 bytes before it and on nothing else. */
const HASH_SPAN = 32;

const GEAR_BYTES = 1024;
/** Where the window starts in the kernel's memory, behind the gear table. */
const WINDOW_AT = 4096;
/** Small enough to stay in the fast caches; larger ones measured slower. */
const WINDOW = 1024 * 1024;

/**
 * Content-defined chunks by a keyed gear hash. The cuts of a content depend on its bytes and the key only,
 * not on how it is read. One chunker serves one content at a time; it holds about 1 MiB.
 */
export class Chunker {
  /** The window: callers read bytes straight into it and then ask {@link cut}. Its content is theirs. */
  readonly buffer: Buffer;
  readonly #scan: CutScan;

  /** `key` is 32 secret bytes; `engine` is for tests: both give the same cuts. */
  constructor(key: Uint8Array, engine: 'fastest' | 'script' = 'fastest') {
    const gear = gearTable(key);
    const kernel = engine === 'fastest' ? chunkerKernel(WINDOW_AT + WINDOW) : undefined;
    if (kernel === undefined) {
      this.buffer = Buffer.alloc(WINDOW);
      this.#scan = scriptScan(this.buffer, gear);
    } else {
      gear.forEach((value, i) => new DataView(kernel.memory).setUint32(4 * i, value, true));
      this.buffer = Buffer.from(kernel.memory, WINDOW_AT, WINDOW);
      this.#scan = (from, min, normal, hard, strict, loose) =>
        kernel.cut(from + WINDOW_AT, min + WINDOW_AT, normal + WINDOW_AT, hard + WINDOW_AT, strict, loose) - WINDOW_AT;
    }
  }

  /**
   * End of the chunk that starts at `start` of the window, which is filled up to `end`; -1 when more bytes are needed
   * (move what is left to the front and fill up). `final`: the content ends at `end`. The caller keeps the rule of
   * WHOLE_LIMIT: content that short is not cut at all.
   */
  cut(start: number, end: number, final: boolean): number {
    const length = end - start;
    if (length < MAX_CHUNK) {
      if (!final) return -1;
      if (length <= MIN_CHUNK) return end;
    }
    const min = start + MIN_CHUNK;
    const hard = Math.min(end, start + MAX_CHUNK);
    return this.#scan(min - HASH_SPAN, min, Math.min(hard, start + NORMAL_CHUNK), hard, STRICT_LIMIT, LOOSE_LIMIT);
  }

  /** End offsets of all chunks of a content in memory; none for an empty one. Uses the window. */
  cuts(bytes: Uint8Array): number[] {
    if (bytes.length > WHOLE_LIMIT) return this.pieceCuts(bytes, true);
    return bytes.length === 0 ? [] : [bytes.length];
  }

  /**
   * End offsets of the chunks in a piece, of any length, of a content longer than WHOLE_LIMIT. The piece starts where
   * a chunk does; what is behind the last offset belongs before the next piece. `final`: the content ends here, and
   * nothing is left behind. Uses the window.
   */
  pieceCuts(bytes: Uint8Array, final: boolean): number[] {
    const ends: number[] = [];
    let done = 0;
    for (let at = -1; at !== 0 && done < bytes.length; done += at) {
      const filled = bytes.subarray(done, done + WINDOW);
      this.buffer.set(filled);
      const last = final && done + filled.length === bytes.length;
      at = 0;
      for (let end = this.cut(0, filled.length, last); end > at; end = this.cut(at, filled.length, last)) {
        ends.push(done + end);
        at = end;
      }
    }
    return ends;
  }

  /**
   * The chunks of a content that is read piece by piece, WHOLE_LIMIT kept. `read` puts the next bytes at the front
   * of what it is given and returns how many, 0 at the end. A chunk is a view of the window: it is
   * gone when the next one is asked for.
   */
  *chunks(read: (into: Buffer) => number): Generator<Buffer, void, undefined> {
    const { buffer } = this;
    let [start, end, final, first] = [0, 0, false, true];
    for (;;) {
      while (!final && end < buffer.length) {
        const count = read(buffer.subarray(end));
        final = count === 0;
        end += count;
      }
      const whole = first && final && end <= WHOLE_LIMIT;
      first = false;
      for (let next = 0; start < end; start = next) {
        next = whole ? end : this.cut(start, end, final);
        if (next < 0) break;
        yield buffer.subarray(start, next);
      }
      if (final) return;
      buffer.copyWithin(0, start, end);
      [start, end] = [0, end - start];
    }
  }
}

/** 256 numbers of 32 bits: SHA-256 of key and block number (u32, big-endian), read as little-endian words. */
function gearTable(key: Uint8Array): Uint32Array {
  if (key.length !== 32) throw new RangeError(`a chunker key has 32 bytes, not ${key.length}`);
  const bytes = Buffer.alloc(GEAR_BYTES);
  const counter = Buffer.alloc(4);
  for (let i = 0; i < GEAR_BYTES / 32; i++) {
    counter.writeUInt32BE(i);
    bytes.set(createHash('sha256').update(key).update(counter).digest(), i * 32);
  }
  return Uint32Array.from({ length: 256 }, (_, i) => bytes.readUInt32LE(4 * i));
}

/** `cut` of chunker.wat in JavaScript. */
function scriptScan(bytes: Uint8Array, gear: Uint32Array): CutScan {
  return (from, min, normal, hard, strict, loose) => {
    let hash = 0;
    let at = from;
    for (; at < min; at++) hash = ((hash << 1) + (gear[bytes[at] ?? 0] ?? 0)) | 0;
    for (; at < normal; at++) {
      hash = ((hash << 1) + (gear[bytes[at] ?? 0] ?? 0)) | 0;
      if (hash >>> 0 < strict) return at + 1;
    }
    for (; at < hard; at++) {
      hash = ((hash << 1) + (gear[bytes[at] ?? 0] ?? 0)) | 0;
      if (hash >>> 0 < loose) return at + 1;
    }
    return hard;
  };
}
