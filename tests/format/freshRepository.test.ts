import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, afterAll, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { check, formatRecoveryKey, Repository } from '../../src/repository/index.ts';
import { makeScratch } from '../../src/runtime/index.ts';
import type { Scratch } from '../../src/runtime/index.ts';
import { expectNoNonceTwice, expectNothingShows, objectsOf, readIndependently, readWithHoldfast } from './compareSample.ts';
import { IndependentReader } from './independentReader.ts';
import { parsePrintedKey } from './independentSealing.ts';
import { readOps, readRecipe } from './independentRows.ts';
import { makeSample } from './sampleRepository.ts';
import type { Sample } from './sampleRepository.ts';

/** What the code of today writes, read by the document alone. */
const SEED = 'fresh repository';
let scratch: Scratch;
let sample: Sample;
let storage: MemoryStorage;
let objects: Map<string, Buffer>;

beforeAll(async () => {
  scratch = await makeScratch('format-test');
  const folder = join(scratch.path, 'house of ada');
  mkdirSync(folder);
  storage = new MemoryStorage();
  sample = await makeSample(storage, folder, join(scratch.path, 'cache'), SEED);
  objects = await objectsOf(storage);
});

afterAll(() => scratch[Symbol.asyncDispose]());

test('I10, I19: an independent reader gives back every item of every snapshot, and no unsealed one', async () => {
  const reader = new IndependentReader(objects, sample.operatorKey);
  reader.proveSlots();
  expect(await readIndependently(reader)).toEqual(sample.snapshots);
  expect(sample.snapshots.length).toBe(5);
});

test('I11: what packs say of themselves is enough to find every blob', async () => {
  const withoutIndex = new Map([...objects].filter(([name]) => !name.startsWith('index/')));
  expect(await readIndependently(new IndependentReader(withoutIndex, sample.operatorKey, 'packs'))).toEqual(sample.snapshots);
});

test('I1: the recovery key as printed opens the same', async () => {
  const key = parsePrintedKey(formatRecoveryKey(sample.recoveryKey));
  expect(await readIndependently(new IndependentReader(objects, key))).toEqual(sample.snapshots);
});

test('I2: no nonce is used twice', () => {
  expectNoNonceTwice(new IndependentReader(objects, sample.operatorKey));
});

test('I3: names and stored bytes show nothing', () => {
  expectNothingShows(objects, new IndependentReader(objects, sample.operatorKey), sample.secrets);
});

test('I5: all kinds of recipes occur, and chunks end where the document says', () => {
  const reader = new IndependentReader(objects, sample.operatorKey);
  const kinds = new Set<string>();
  let chunked = 0;
  for (const { tag } of reader.entities()) {
    for (const row of reader.snapshots(tag).flatMap((manifest) => reader.rows(manifest))) {
      if (row.content === '') continue;
      const recipe = readRecipe(row.content);
      kinds.add(recipe.kind);
      if (recipe.kind !== 'ops') continue;
      for (const op of recipe.ops) {
        kinds.add(op.base64 ? `base64 ${op.base64.line} ${op.base64.crlf ? 'crlf' : 'lf'}` : 'raw');
        const [only] = recipe.ops;
        if (recipe.ops.length > 1 || !only || only.base64) continue;
        const ends = reader.chunkEnds(reader.content(tag, row) ?? Buffer.alloc(0));
        expect(ends).toEqual(endsOf(only.blobs.map((blob) => blob.length)));
        chunked += ends.length;
      }
    }
  }
  expect([...kinds].toSorted()).toEqual(['base64 64 lf', 'base64 76 crlf', 'blob', 'empty', 'ops', 'raw', 'stored']);
  expect(chunked).toBeGreaterThan(10);
  expect(readOps(Buffer.alloc(0))).toEqual([]);
});

function endsOf(lengths: readonly number[]): number[] {
  let end = 0;
  return lengths.map((length) => (end += length));
}

test('I8: each snapshot names the hash of the one before it, where that still stands', () => {
  const reader = new IndependentReader(objects, sample.operatorKey);
  let links = 0;
  for (const { tag } of reader.entities()) {
    for (const { predecessor } of reader.snapshots(tag)) {
      if (!predecessor || !objects.has(`snapshots/${tag}/${predecessor.id}`)) continue;
      expect(reader.manifestHash(tag, predecessor.id)).toBe(predecessor.sha256);
      links++;
    }
  }
  expect(links).toBeGreaterThan(2);
});

test('the program itself finds it sound and gives back the same', async () => {
  const repository = await Repository.open(storage, sample.operatorKey, { cacheDirectory: join(scratch.path, 'other') });
  expect((await check(repository, { readData: 100 })).errors).toEqual([]);
  expect(await readWithHoldfast(repository)).toEqual(sample.snapshots);
});
