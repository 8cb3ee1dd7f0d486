import { afterAll, expect, test } from 'vitest';
import { StreamIndex } from './blobIndex.ts';
import { check } from './index.ts';
import { names } from './names.ts';
import { readPackDirectory } from './strayPacks.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { backupTree, cacheFolder, initRepository, namesIn, TestClock } from '../../tests/repository/fixture.ts';
import type { Tree } from '../../tests/repository/tree.ts';

const caches = await cacheFolder();
afterAll(() => caches.remove());

const clock = new TestClock();
const FILES: Tree = new Map([['a.txt', { content: 't1', size: 4000 }], ['b.txt', { content: 't2', size: 5000 }]]);

test('items are named whose place the index gets wrong, also where the pack is whole', async () => {
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('differs'), clock);
  const { tag } = await backupTree(repository, 'e', FILES, clock);
  for (const name of await namesIn(storage, 'index/')) await storage.delete(name);
  const { packs } = await repository.entity(tag);
  for (const name of await namesIn(storage, 'packs/')) {
    const [, stream = '', , id = ''] = name.split('/');
    const { length: size } = await storage.get(name);
    const frames = await readPackDirectory(repository.context, stream, id, size, stream === tag ? () => packs.key : repository.context.keyring.sharedOf);
    await StreamIndex.add(repository.context, stream, [{ id, size, frames: frames.map((frame) => ({ ...frame, offset: frame.offset + 1 })) }]);
  }
  const { errors } = await check(repository, { readData: 100, workers: 1 });
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['index-differs']));
  expect(errors.flatMap(({ items }) => items.map(({ path }) => path)).sort()).toEqual(['a.txt', 'b.txt']);
});

test('a snapshot whose manifest is damaged is named as lost whole', async () => {
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('manifest'), clock);
  const { tag, id } = await backupTree(repository, 'e', FILES, clock);
  const name = names.snapshot(tag, id);
  const bytes = Uint8Array.from(await storage.get(name));
  bytes[60] = (bytes[60] ?? 0) ^ 1;
  await storage.put(name, [bytes]);
  const { errors } = await check(repository);
  expect(errors).toMatchObject([
    { object: name, code: 'damaged', itemCount: 1, items: [{ entity: 'e', snapshot: id, path: '(all items of this snapshot)' }] },
  ]);
});
