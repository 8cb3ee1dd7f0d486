import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../runtime/index.ts';
import { CountingStorage, MemoryStorage } from '../storage/index.ts';
import { StreamIndex, type IndexContext } from './blobIndex.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { Keyring } from './keyring.ts';

const STREAM = 'a'.repeat(32);
const NOTHING = new Set<string>();
let cache: string;
let storage: CountingStorage;
let context: IndexContext;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  storage = new CountingStorage(new MemoryStorage());
  context = { storage, keyring: Keyring.create('r', systemRandom), cacheDirectory: cache, clock: systemClock, random: systemRandom };
});
afterEach(() => rm(cache, { recursive: true, force: true }));

/** The id of a made-up blob: 24 bytes. */
function id(n: number): Buffer {
  return createHash('sha256').update(`blob ${n}`).digest().subarray(0, 24);
}

/** A pack of one frame with one blob. */
function pack(n: number): IndexedPack {
  const frame = { offset: 8, length: 100, plainLength: 60, ids: Uint8Array.from(id(n)), lengths: Uint32Array.of(60) };
  return { id: n.toString(16).padStart(32, '0'), size: 200, frames: [frame] };
}

async function addAndCompact(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const index = await StreamIndex.load(context, STREAM);
    await index.append([pack(n)]);
    await index.compact();
    index.close();
  }
}

test('what a look-up costs does not grow with the number of runs, and every blob is found in its own pack', async () => {
  await addAndCompact(120);
  await rm(cache, { recursive: true });
  storage.reset();
  const index = await StreamIndex.load(context, STREAM);
  expect(storage.counts.get.requests).toBeLessThan(40);
  for (let n = 0; n < 120; n++) expect(index.locate(id(n), 0, NOTHING)?.pack, `blob ${n}`).toBe(pack(n).id);
  expect(index.locate(id(120), 0, NOTHING)).toBeUndefined();
  index.close();
});

test('a merge whose maker has a slow clock is still found out to replace', async () => {
  await StreamIndex.add(context, STREAM, [pack(1)]);
  for (let n = 2; n < 9; n++) await StreamIndex.add(context, STREAM, [pack(n)]);
  const slow = { ...context, clock: { ...systemClock, now: () => systemClock.now() - 86_400_000 } };
  const merging = await StreamIndex.load(slow, STREAM);
  await merging.compact();
  merging.close();
  const index = await StreamIndex.load(context, STREAM);
  expect(index.files()).toHaveLength(1);
  expect(index.entries).toBe(8);
  index.close();
});

test('two reloads at once are one; segments that went away meanwhile are closed once', async () => {
  await addAndCompact(3);
  const index = await StreamIndex.load(context, STREAM);
  const merging = await StreamIndex.load(context, STREAM);
  const gone = await merging.rewrite((name) => name !== pack(0).id);
  merging.close();
  for (const segment of gone) await storage.delete(`index/${STREAM}/${segment}`);
  await Promise.all([index.reload(), index.reload(), index.reload()]);
  expect(index.locate(id(0), 0, NOTHING)).toBeUndefined();
  expect(index.locate(id(2), 0, NOTHING)?.pack).toBe(pack(2).id);
  index.close();
});

test('a cache folder that is cleared while an index is loaded, and a file in it that is cut, cost nothing but time', async () => {
  await addAndCompact(2);
  const index = await StreamIndex.load(context, STREAM);
  await rm(cache, { recursive: true });
  await index.append([pack(2)]);
  index.close();
  const [first] = index.segmentIds.length > 0 ? index.segmentIds : (await storage.list(`index/${STREAM}/`)).objects.map(({ name }) => name.slice(-32));
  await writeFile(join(cache, 'index', `${first}.idx`), 'cut');
  const again = await StreamIndex.load(context, STREAM);
  for (let n = 0; n < 3; n++) expect(again.locate(id(n), 0, NOTHING)?.pack).toBe(pack(n).id);
  again.close();
});
