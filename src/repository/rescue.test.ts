/** A run that a prune has met stores again what is about to go, and counts on nothing that only an index still names. */
import { afterAll, expect, test } from 'vitest';
import { timeOrderedId } from '../runtime/index.ts';
import { check } from './index.ts';
import { StreamIndex } from './blobIndex.ts';
import { doomedBytes } from './doomed.ts';
import { lastSegment, names } from './names.ts';
import { readPackDirectory } from './strayPacks.ts';
import { InterceptedStorage, type StorageCall } from '../storage/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { backupTree, cacheFolder, initRepository, openRepository, TestClock } from '../../tests/repository/fixture.ts';
import type { Tree } from '../../tests/repository/tree.ts';

const caches = await cacheFolder();
afterAll(() => caches.remove());

/** Does something once, after the first segment of a catalog was put: before the manifest. */
class Hooked extends InterceptedStorage {
  hook: (() => Promise<void>) | undefined;

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    const result = await run();
    const { hook } = this;
    if (hook && call.operation === 'put' && call.name.startsWith('segments/')) {
      this.hook = undefined;
      await hook();
    }
    return result;
  }
}

test('a pack that is gone is no other copy of what a doomed pack holds', async () => {
  const clock = new TestClock();
  const memory = new MemoryStorage();
  const storage = new Hooked(memory);
  const repository = await initRepository(storage, caches.path('rescue'), clock);
  const { context } = repository;
  const tree: Tree = new Map([['f', { content: 't1', size: 3_000 }]]);
  const { tag } = await backupTree(repository, 'e', tree, clock);
  await backupTree(repository, 'e', new Map(), clock);
  const [pack] = (await memory.list(names.packs(tag))).objects;
  if (!pack) throw new Error('nothing was packed');
  const { packs } = await repository.entity(tag);
  const frames = await readPackDirectory(context, tag, lastSegment(pack.name), pack.size, () => packs.key);
  // What a merge of the index that raced a prune leaves: a segment that names a pack which is gone.
  await StreamIndex.add(context, tag, [{ id: timeOrderedId(clock.now() - 1000, context.random), size: pack.size, frames }]);
  const record = names.doomed(1, timeOrderedId(clock.now(), context.random));
  storage.hook = () => memory.put(record, doomedBytes(record, { n: 1, id: 'other', objects: [pack.name] }, context.keyring, context.random));
  await backupTree(repository, 'e', tree, clock);
  expect(storage.hook).toBeUndefined();
  await memory.delete(pack.name);
  await memory.delete(record);
  const again = await openRepository(memory, caches.path('fresh'), clock);
  expect((await check(again, { readData: 100, workers: 1 })).errors).toEqual([]);
});
