import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Chunker, MAX_CHUNK, MIN_CHUNK, WHOLE_LIMIT } from './chunker.ts';
import { chunkerKernel } from './chunkerKernel.ts';

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const wasm = new Chunker(KEY);
const script = new Chunker(KEY, 'script');

const FROZEN_CUTS = [
  53246, 131536, 187828, 272719, 315988, 373858, 451369, 529965, 607454, 671863, 751932, 812840, 864993,
  942294, 999694, 1000000,
];
const FROZEN_HASH = 'd6d2d9e47514a0eefd7669944be6af9078b980cc0cbd3e29a642fb88014140d4';

/** The same bytes everywhere for a seed; `alphabet` narrows them, as text does. */
function noise(seed: number, length: number, alphabet = 256): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed & 0xff), Buffer.alloc(16, seed >>> 8));
  const bytes = cipher.update(Buffer.alloc(length));
  return alphabet === 256 ? bytes : bytes.map((byte) => byte % alphabet) as Buffer;
}

const contents = fc
  .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 1_500_000 }), fc.constantFrom(256, 64, 4, 2, 1))
  .map(([seed, length, alphabet]) => noise(seed, length, alphabet));

test('the kernel runs on this machine, so that these tests compare two engines', () => {
  expect(chunkerKernel(1)).toBeDefined();
});

// I5 of docs/format/invariants.md.
test('cuts never change: repositories of earlier versions deduplicate against them', () => {
  const content = noise(1, 1_000_000);
  expect(wasm.cuts(content)).toEqual(FROZEN_CUTS);
  const many = wasm.cuts(noise(2, 20_000_000));
  expect(createHash('sha256').update(many.join()).digest('hex')).toBe(FROZEN_HASH);
});

describe('for any content', () => {
  test('both engines cut alike, within the limits', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const ends = wasm.cuts(content);
        expect(script.cuts(content)).toEqual(ends);
        expect(ends.at(-1) ?? 0).toBe(content.length);
        const lengths = ends.map((end, i) => end - (ends[i - 1] ?? 0));
        expect(lengths.every((length) => length > 0 && length <= MAX_CHUNK)).toBe(true);
        expect(lengths.slice(0, -1).every((length) => length > MIN_CHUNK)).toBe(true);
        expect(content.length > WHOLE_LIMIT || ends.length <= 1).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('reading it piece by piece gives the same chunks', () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(contents, pieces, fc.constantFrom(wasm, script), (content, sizes, chunker) => {
        const expected = wasm.cuts(content);
        let [at, call] = [0, 0];
        const ends: number[] = [];
        let end = 0;
        const read = (into: Buffer): number => {
          const copied = content.copy(into, 0, at, at + sizes[call++ % sizes.length]!);
          at += copied;
          return copied;
        };
        for (const chunk of chunker.chunks(read)) {
          expect(chunk.equals(content.subarray(end, end + chunk.length))).toBe(true);
          ends.push((end += chunk.length));
        }
        expect(ends).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});

test('pieces of any length, each begun with what the one before left, give the same chunks', () => {
  const pieces = fc.array(fc.integer({ min: 20_000, max: 2_500_000 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(contents.filter((content) => content.length > WHOLE_LIMIT), pieces, (content, sizes) => {
      const ends: number[] = [];
      let [start, end] = [0, 0];
      for (let call = 0; end < content.length; call++) {
        end = Math.min(content.length, end + sizes[call % sizes.length]!);
        const cuts = wasm.pieceCuts(content.subarray(start, end), end === content.length);
        const from = start;
        ends.push(...cuts.map((cut) => from + cut));
        start = ends.at(-1) ?? 0;
      }
      expect(ends).toEqual(wasm.cuts(content));
    }),
    { numRuns: 60 },
  );
});

test('lengths at the limits', () => {
  for (const length of [0, 1, MIN_CHUNK, WHOLE_LIMIT]) expect(wasm.cuts(Buffer.alloc(length)).length).toBe(length && 1);
  expect(wasm.cuts(Buffer.alloc(WHOLE_LIMIT + 1)).at(-1)).toBe(WHOLE_LIMIT + 1);
  expect(wasm.cut(0, MIN_CHUNK, true)).toBe(MIN_CHUNK);
  expect(wasm.cut(0, MAX_CHUNK - 1, false)).toBe(-1);
  expect(wasm.cut(0, MAX_CHUNK, false)).toBeGreaterThan(0);
});

test('the average is about 64 KiB', () => {
  const length = 32_000_000;
  const average = length / wasm.cuts(noise(5, length)).length;
  expect(average).toBeGreaterThan(60_000);
  expect(average).toBeLessThan(70_000);
});

test('an insertion changes the chunks around it only', () => {
  const before = noise(6, 8_000_000);
  const after = Buffer.concat([before.subarray(0, 3_000_000), Buffer.from('inserted'), before.subarray(3_000_000)]);
  const known = new Set(chunksOf(before));
  const fresh = chunksOf(after).filter((chunk) => !known.has(chunk));
  expect(fresh.length).toBeGreaterThan(0);
  expect(fresh.length).toBeLessThanOrEqual(4);
});

test('another key cuts elsewhere', () => {
  const content = noise(7, 4_000_000);
  const shared = new Set(wasm.cuts(content).slice(0, -1));
  const other = new Chunker(Buffer.alloc(32, 1)).cuts(content).slice(0, -1);
  expect(other.filter((end) => shared.has(end)).length).toBe(0);
  expect(() => new Chunker(Buffer.alloc(31))).toThrow(RangeError);
});

function chunksOf(content: Buffer): string[] {
  let start = 0;
  return wasm.cuts(content).map((end) => {
    const hash = createHash('sha256').update(content.subarray(start, end)).digest('hex');
    start = end;
    return hash;
  });
}

