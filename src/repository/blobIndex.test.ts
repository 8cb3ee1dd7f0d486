import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock, systemRandom } from '../runtime/index.ts';
import { CountingStorage, MemoryStorage } from '../storage/trial/index.ts';
import { StreamIndex, type IndexContext } from './blobIndex.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { IndexFile } from './indexFile.ts';
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

test('a long run that makes checkpoint after checkpoint leaves few segments, and reads no segment for it', async () => {
  const index = await StreamIndex.load(context, STREAM);
  storage.reset();
  let most = 0;
  for (let n = 0; n < 300; n++) {
    await index.append([pack(n)]);
    most = Math.max(most, index.files().length);
  }
  expect(most).toBeLessThan(40);
  expect(storage.counts.get.requests).toBe(0);
  expect(storage.counts.put.requests).toBeLessThan(300 * 1.05);
  for (let n = 0; n < 300; n++) expect(index.locate(id(n), 0, NOTHING)?.pack, `blob ${n}`).toBe(pack(n).id);
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

test('reloads at once come one after another: what went away meanwhile is closed once, each sees what stood at its call', async () => {
  await addAndCompact(3);
  const index = await StreamIndex.load(context, STREAM);
  const merging = await StreamIndex.load(context, STREAM);
  const gone = await merging.rewrite((name) => name !== pack(0).id);
  merging.close();
  for (const segment of gone) await storage.delete(`index/${STREAM}/${segment}`);
  expect(await Promise.all([index.reload(), index.reload(), index.reload()])).toEqual([true, false, false]);
  expect(index.locate(id(0), 0, NOTHING)).toBeUndefined();
  expect(index.locate(id(2), 0, NOTHING)?.pack).toBe(pack(2).id);
  const first = index.reload(AbortSignal.abort(new Error('given up')));
  const second = index.reload();
  await index.append([pack(3)]);
  await expect(first).rejects.toThrow('given up');
  await second;
  expect(index.locate(id(3), 0, NOTHING)?.pack).toBe(pack(3).id);
  index.close();
});

test('an index that is closed under a reload leaves no file open', async () => {
  await addAndCompact(3);
  const before = readdirSync('/proc/self/fd').length;
  const index = await StreamIndex.load(context, STREAM);
  await StreamIndex.add(context, STREAM, [pack(3)]);
  const reloading = index.reload();
  index.close();
  await reloading;
  expect(readdirSync('/proc/self/fd').length).toBe(before);
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

test('a local file with one changed bit, wherever it is, is made anew', async () => {
  await addAndCompact(9);
  const [file = ''] = readdirSync(join(cache, 'index')).filter((name) => readFileSync(join(cache, 'index', name)).readUInt32LE(12) > 1);
  const path = join(cache, 'index', file);
  const right = readFileSync(path);
  const seen = await StreamIndex.load(context, STREAM);
  seen.close();
  for (let at = 0; at < right.length; at += 7) {
    const bytes = Buffer.from(right);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const index = await StreamIndex.load(context, STREAM);
    expect(readFileSync(path).equals(right), `bit of byte ${at}`).toBe(true);
    for (let n = 0; n < 9; n++) expect(index.locate(id(n), 0, NOTHING)?.pack).toBe(pack(n).id);
    index.close();
  }
});

test('a local file whose numbers ask for gigabytes is refused before they are taken', () => {
  const header = Buffer.alloc(24);
  [0x4846495a, 0, 0, 0, 0xf0000000, 0].forEach((value, i) => header.writeUInt32LE(value, i * 4));
  const path = join(cache, 'made-up.idx');
  writeFileSync(path, Buffer.concat([header, createHash('sha256').update(header).digest()]));
  const taken = vi.spyOn(Buffer, 'allocUnsafeSlow');
  onTestFinished(() => taken.mockRestore());
  expect(() => IndexFile.open(path)).toThrow('ends too early');
  expect(Math.max(...taken.mock.calls.map(([bytes]) => bytes))).toBeLessThan(2 ** 20);
});
