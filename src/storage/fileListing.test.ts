import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test, vi } from 'vitest';
import type * as FsPromises from 'node:fs/promises';
import { isHoldfastError } from '../domain/index.ts';
import type { Storage } from './contract.ts';
import { FileStorage } from './fileStorage.ts';
import { listAll } from './listAll.ts';
import { MemoryStorage } from './memoryStorage.ts';

const system = vi.hoisted(() => ({ readFolders: [] as string[] }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FsPromises>();
  const readdir = ((path: string, options: { withFileTypes: true }) => {
    system.readFolders.push(path.replace(/^.*\/root\//, '/'));
    return real.readdir(path, options);
  }) as typeof real.readdir;
  return { ...real, readdir };
});

const scratch = await mkdtemp(join(tmpdir(), 'holdfast-listing-'));
let count = 0;
afterAll(() => rm(scratch, { recursive: true, force: true }));

const newFolder = (): Promise<FileStorage> => FileStorage.create(join(scratch, `${count++}/root`));

/** Few characters, among them all that sort around '/', so that names share beginnings and folders often. */
const segment = fc.stringMatching(/^[a.0_-]{1,3}$/).filter((word) => word !== '.' && word !== '..');
const name = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
const change = fc.record({ name, remove: fc.boolean(), size: fc.nat(5) });
const partial = fc.tuple(name, fc.nat(6)).map(([whole, length]) => whole.slice(0, length));
const query = fc.record({
  prefix: partial,
  after: fc.option(partial, { nil: undefined }),
  limit: fc.integer({ min: 1, max: 9 }),
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.then((value) => value, (error: unknown) => (isHoldfastError(error) ? error.code : error));
}

test('a folder behaves as memory does, whatever is put, deleted and listed', async () => {
  const property = fc.asyncProperty(fc.array(change, { maxLength: 25 }), fc.array(query), async (changes, queries) => {
    const memory = new MemoryStorage();
    const file = await newFolder();
    const both = async (call: (storage: Storage) => Promise<unknown>): Promise<void> => {
      expect(await outcome(call(file))).toEqual(await outcome(call(memory)));
    };
    for (const { name: changed, remove, size } of changes) {
      const parts = [new Uint8Array(size).fill(size)];
      await both((storage) => (remove ? storage.delete(changed) : storage.put(changed, parts)));
      await both((storage) => storage.stat(changed));
    }
    await both((storage) => collect(listAll(storage, '')));
    for (const { prefix, after, limit } of queries) {
      const options = after === undefined ? { limit } : { limit, after };
      await both((storage) => storage.list(prefix, options));
      await both((storage) => collect(listAll(storage, prefix, options)));
    }
  });
  await fc.assert(property, { numRuns: 120 });
});

test('only folders that can hold an answer are read', async () => {
  const storage = await newFolder();
  for (const folder of ['index', 'packs/aa', 'packs/ab', 'packs/b0', 'snapshots/x/y']) {
    for (const object of ['1', '2']) await storage.put(`${folder}/${object}`, []);
  }
  const reads = async (prefix: string, options = {}): Promise<string[]> => {
    system.readFolders.length = 0;
    await storage.list(prefix, options);
    return system.readFolders;
  };
  expect(await reads('packs/ab/')).toEqual(['/packs/ab/']);
  expect(await reads('packs/a')).toEqual(['/packs/', '/packs/aa/', '/packs/ab/']);
  expect(await reads('packs/', { after: 'packs/ab/1' })).toEqual(['/packs/', '/packs/ab/', '/packs/b0/']);
  expect(await reads('packs/', { after: 'packs/ab0' })).toEqual(['/packs/', '/packs/b0/']);
  expect(await reads('packs/', { limit: 1 })).toEqual(['/packs/', '/packs/aa/']);
  expect(await reads('snapshots/x/y/1')).toEqual(['/snapshots/x/y/']);
  expect(await reads('none/')).toEqual(['/none/']);
});

test('a listing of many objects stops when told to', async () => {
  const storage = await newFolder();
  for (let i = 0; i < 300; i++) await storage.put(`f/${i}`, []);
  const controller = new AbortController();
  const reason = new Error('stop');
  const listing = storage.list('', { signal: controller.signal });
  controller.abort(reason);
  await expect(listing).rejects.toBe(reason);
});

test.each([0, -1, 1.5, Number.NaN])('a page of %s objects is refused', async (limit) => {
  for (const storage of [new MemoryStorage(), await newFolder()]) {
    await expect(storage.list('', { limit })).rejects.toMatchObject({ code: 'storage/bad-limit', retryClass: 'never' });
  }
});

test.each(['/', 'a//', '../', 'a/../', 'A', 'a b', './x'])('the prefix %j is refused', async (prefix) => {
  for (const storage of [new MemoryStorage(), await newFolder()]) {
    await expect(storage.list(prefix)).rejects.toMatchObject({ code: 'storage/bad-name', retryClass: 'never' });
  }
});
