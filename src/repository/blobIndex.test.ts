import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../runtime/index.ts';
import { CountingStorage, listAll, MemoryStorage, type Storage } from '../storage/index.ts';
import { StreamIndex, type IndexContext } from './blobIndex.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { Keyring } from './keyring.ts';
import { names } from './names.ts';

const keyring = Keyring.create('test', systemRandom);
const root = await mkdtemp(join(tmpdir(), 'holdfast-index-'));
afterAll(() => rm(root, { recursive: true, force: true }));

let caches = 0;
const contextOf = (storage: Storage): IndexContext =>
  ({ storage, keyring, clock: systemClock, random: systemRandom, cacheDirectory: join(root, String(caches++)) });

const idOf = (n: number): Buffer => Buffer.from(`${'x'.repeat(20)}${String(n).padStart(4, '0')}`);
const packId = (n: number): string => String(n).padStart(32, '0');
const none = new Set<string>();

/** A pack of one frame with these blobs of 10 bytes each. */
function pack(n: number, blobs: readonly number[]): IndexedPack {
  return {
    id: packId(n), size: 1000 + n,
    frames: [{ offset: 8, length: 100, plainLength: blobs.length * 10, ids: Buffer.concat(blobs.map(idOf)), lengths: new Uint32Array(blobs.length).fill(10) }],
  };
}

async function placesOf(index: StreamIndex, blob: number): Promise<string[]> {
  const found: string[] = [];
  const avoid = new Set<string>();
  for (let place = index.locate(idOf(blob), 0, avoid); place; place = index.locate(idOf(blob), 0, avoid)) {
    found.push(place.pack);
    avoid.add(place.pack);
  }
  return found.sort();
}

test('a blob of two packs is found in either, before and after a merge', async () => {
  const context = contextOf(new MemoryStorage());
  const index = await StreamIndex.load(context, 'shared');
  for (let n = 0; n < 9; n++) await index.append([pack(n, [n, 100])]);
  expect((await placesOf(index, 100)).length).toBe(9);
  await index.compact();
  const again = await StreamIndex.load({ ...contextOf(context.storage) }, 'shared');
  expect((await placesOf(again, 100)).length).toBe(9);
  expect(await placesOf(again, 3)).toEqual([packId(3)]);
  expect(again.locate(idOf(3), 0, none)).toMatchObject({ offset: 0, length: 10, frame: { offset: 8, length: 100, plainLength: 20 } });
  expect(again.locate(idOf(555), 0, none)).toBeUndefined();
  index.close();
  again.close();
});

test('a rewrite leaves out packs, frames and entries; what is untouched stays as it is', async () => {
  const context = contextOf(new MemoryStorage());
  const index = await StreamIndex.load(context, 'shared');
  await index.append([pack(1, [1, 2]), pack(2, [2, 3])]);
  await index.append([pack(2, [2, 3]), pack(4, [5])]);
  const replaced = await index.rewrite((id) => id !== packId(1));
  expect(replaced.length).toBe(2);
  for (const id of replaced) await context.storage.delete(names.index('shared', id));
  const again = await StreamIndex.load(contextOf(context.storage), 'shared');
  expect([...again.packs()].sort()).toEqual([packId(2), packId(4)]);
  expect(again.entries).toBe(3);
  expect(await placesOf(again, 1)).toEqual([]);
  expect(await placesOf(again, 2)).toEqual([packId(2)]);
  expect(again.files()[0]?.packSizes).toEqual([1002, 1004]);
  expect(again.files()[0]?.frameTable().length).toBe(2 * 16);
  expect(await again.rewrite((id) => id !== packId(77))).toEqual([]);
  index.close();
  again.close();
});

test('a segment that goes away between the listing and its reading makes the listing be done again', async () => {
  const storage = new MemoryStorage();
  const writer = await StreamIndex.load(contextOf(storage), 'shared');
  await writer.append([pack(1, [1])]);
  await writer.append([pack(2, [2])]);
  const [first = '', second = ''] = writer.segmentIds;
  let merged = false;
  const racing = new Proxy(storage, {
    get(target, key) {
      if (key !== 'list') return Reflect.get(target, key).bind?.(target) ?? Reflect.get(target, key);
      return async (...args: Parameters<MemoryStorage['list']>) => {
        const page = await target.list(...args);
        if (!merged) {
          merged = true;
          await writer.rewrite((id) => id !== 'none', undefined);
          const both = await StreamIndex.load(contextOf(target), 'shared');
          await both.copy(() => true);
          both.close();
          for (const id of [first, second]) await target.delete(names.index('shared', id));
        }
        return page;
      };
    },
  });
  const reader = await StreamIndex.load(contextOf(racing), 'shared');
  expect(await placesOf(reader, 1)).toEqual([packId(1)]);
  expect(await placesOf(reader, 2)).toEqual([packId(2)]);
  reader.close();
  writer.close();
});

test('a damaged segment is told, or passed over where that is asked for', async () => {
  const storage = new MemoryStorage();
  const writer = await StreamIndex.load(contextOf(storage), 'shared');
  await writer.append([pack(1, [1])]);
  await writer.append([pack(2, [2])]);
  const name = names.index('shared', writer.segmentIds[0] ?? '');
  const bytes = await storage.get(name);
  await storage.put(name, [bytes.subarray(0, -3)]);
  await expect(StreamIndex.load(contextOf(storage), 'shared')).rejects.toMatchObject({ code: 'repository/damaged', data: { object: name } });
  const told: unknown[] = [];
  const index = await StreamIndex.load(contextOf(storage), 'shared', undefined, (error) => told.push(error.data['object']));
  expect(told).toEqual([name]);
  expect(await placesOf(index, 2)).toEqual([packId(2)]);
  expect(await placesOf(await StreamIndex.loadReadable(contextOf(storage), 'shared'), 1)).toEqual([]);
  index.close();
  writer.close();
});

test('what was appended is not read back, and a reload reads only what is new', async () => {
  const storage = new CountingStorage(new MemoryStorage());
  const index = await StreamIndex.load(contextOf(storage), 'shared');
  await index.append([pack(1, [1])]);
  expect(storage.counts.get.requests).toBe(0);
  await index.reload();
  expect(storage.counts.get.requests).toBe(0);
  expect(await placesOf(index, 1)).toEqual([packId(1)]);
  let stored = 0;
  for await (const object of listAll(storage, 'index/')) stored += object.size > 0 ? 1 : 0;
  expect(stored).toBe(1);
  index.close();
});
