/** Every stored object is damaged in turn: check names it and the items it hits, all others restore, no wrong byte is given back. */
import { afterAll, expect, test } from 'vitest';
import { check, prune, rebuild, Repository } from '../../src/repository/index.ts';
import { backupTree, cacheFolder, copyStorage, IN_MEMORY, namesIn, openRepository } from './fixture.ts';
import { DamageRounds, files } from './damageRounds.ts';
import { seededNumbers, testSeed } from './seeded.ts';

const seed = testSeed();
const caches = await cacheFolder();
afterAll(() => caches.remove());
const made = await DamageRounds.make(IN_MEMORY, caches.path);
const names = await made.names();
let opened = 0;

test('the repository holds every kind of object and is sound', async () => {
  expect(new Set(names.map((name) => name.split('/')[0]))).toEqual(
    new Set(['config', 'keys', 'entities', 'packs', 'index', 'segments', 'snapshots', 'seals', 'pins', 'removals']));
  const repository = await openRepository(made.storage, caches.path('sound'), made.clock);
  expect((await check(repository, { readData: 100 })).errors).toEqual([]);
  const restored = await made.restoreAll(repository);
  expect({ ...restored, intact: 0 }).toEqual({ failed: new Set(), unlisted: new Set(), intact: 0 });
  expect(restored.intact).toBe(made.items);
});

test(`a flipped byte (HOLDFAST_SEED=${seed})`, { timeout: 300_000 }, async () => {
  const next = seededNumbers(seed);
  for (const name of names) {
    const { length } = await made.storage.get(name);
    for (const at of new Set([0, 4, 5, 6, length >> 1, length - 1, Math.floor(next() * length)])) await made.flip(name, at);
  }
});

test('a cut object', { timeout: 300_000 }, async () => {
  for (const name of names) {
    const { length } = await made.storage.get(name);
    for (const left of [0, 7, length >> 1, length - 1]) await made.cut(name, left);
  }
});

test('a deleted object', { timeout: 300_000 }, async () => {
  // A pin is not missed by anybody but who put it.
  for (const name of names.filter((one) => !one.startsWith('pins/') && !one.startsWith('removals/'))) await made.remove(name);
  // Without the journal the chain has a gap, told under the name of the snapshot that is gone.
  const storage = await copyStorage(made.storage);
  for (const name of await namesIn(storage, 'removals/')) await storage.delete(name);
  const report = await check(await openRepository(storage, caches.path('gap'), made.clock));
  expect(report.errors.map((one) => one.code)).toEqual(['chain-gap']);
});

test('two objects of a kind swapped', { timeout: 300_000 }, async () => {
  const kinds = new Map<string, string[]>();
  for (const name of names) kinds.set(name.split('/')[0] ?? '', [...(kinds.get(name.split('/')[0] ?? '') ?? []), name]);
  for (const alike of kinds.values()) {
    for (let i = 0; i + 1 < alike.length; i++) await made.swap(alike[i] as string, alike[i + 1] as string);
  }
});

test('a lost or damaged index is mended by rebuild, and by the next backup', { timeout: 300_000 }, async () => {
  for (const mend of ['rebuild', 'backup'] as const) {
    const storage = await copyStorage(made.storage);
    for (const [i, name] of (await namesIn(storage, 'index/')).entries()) {
      if (i % 2 === 0) await storage.delete(name);
      else await storage.put(name, [(await storage.get(name)).subarray(1)]);
    }
    const repository = await openRepository(storage, caches.path(`mend-${mend}`), made.clock);
    expect((await check(repository)).errors.length).toBeGreaterThan(0);
    if (mend === 'rebuild') await rebuild(repository);
    else for (const name of ['e', 'n']) await backupTree(repository, name, files({ 'fresh.txt': ['t7', 2_000] }), made.clock);
    const restored = await made.restoreAll(await openRepository(storage, caches.path(`mended-${mend}`), made.clock)).catch(String);
    if (mend === 'rebuild') {
      expect(restored).toMatchObject({ failed: new Set(), unlisted: new Set() });
      expect((await check(repository, { readData: 100 })).errors).toEqual([]);
    }
  }
});

test('a wrong key says so', async () => {
  await expect(Repository.open(made.storage, new Uint8Array(32).fill(9), { cacheDirectory: caches.path('wrong') }))
    .rejects.toMatchObject({ code: 'repository/wrong-key' });
});

test('prune deletes nothing where a snapshot, its rows or the index cannot be read', { timeout: 300_000 }, async () => {
  let refusals = 0;
  for (const name of names.filter((one) => /^(snapshots|segments|index|doomed)\//.test(one))) {
    const storage = await copyStorage(made.storage);
    const bytes = Uint8Array.from(await storage.get(name));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    await storage.put(name, [bytes]);
    const repository = await openRepository(storage, caches.path(`refuse-${opened++}`), made.clock);
    const before = (await namesIn(storage, 'packs/')).length;
    try {
      await prune(repository, { keepLast: 1 }, { graceMs: 0 });
    } catch (error) {
      expect(error).toMatchObject({ code: 'repository/prune-refused' });
      refusals++;
      expect((await namesIn(storage, 'packs/')).length).toBeGreaterThanOrEqual(before);
    }
  }
  expect(refusals).toBeGreaterThan(3);
});
