/** Every stored object is damaged in turn: check names it and the items it hits, all others restore, no wrong byte is given back. */
import { afterAll, expect, test } from 'vitest';
import { isHoldfastError, type ItemRow } from '../../src/domain/index.ts';
import { check, prune, rebuild, Repository, stateRows, type CheckReport } from '../../src/repository/index.ts';
import { MemoryStorage } from '../../src/storage/index.ts';
import {
  backupTree, cacheFolder, copyStorage, HOUR, initRepository, namesIn, openRepository, OPERATOR_KEY, RECOVERY_KEY, TestClock,
} from './fixture.ts';
import { seededNumbers, testSeed } from './seeded.ts';
import { bytesOf, type Tree } from './tree.ts';

const seed = testSeed();
const caches = await cacheFolder();
afterAll(() => caches.remove());

const files = (all: Record<string, [string, number]>): Tree =>
  new Map(Object.entries(all).map(([path, [content, size]]) => [path, { content, size }]));
const FIRST = files({ 'gone.txt': ['t1', 5_000] });
const SECOND = files({ 'a/one.bin': ['r1', 200_000], 'a/two.txt': ['t2', 20_000], 'm.eml': ['m1', 100], 'empty': ['t0', 0] });
const THIRD = files({ 'a/one.bin': ['r1', 200_000], 'a/two.txt': ['t3', 21_000], 'new/m.eml': ['m1', 101], 'big.bin': ['r4', 1_500_000] });
const OTHER = files({ 'o.bin': ['r5', 30_000], 'o.txt': ['t6', 3_000] });

interface Made {
  readonly storage: MemoryStorage;
  /** By snapshot id. */
  readonly trees: ReadonlyMap<string, Tree>;
  readonly clock: TestClock;
}

/** With a removal on record and a pin. */
async function smallRepository(): Promise<Made> {
  const clock = new TestClock();
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('made'), clock);
  const trees = new Map<string, Tree>();
  for (const [name, tree] of [['e', FIRST], ['e', SECOND], ['n', OTHER], ['e', THIRD]] as const) {
    trees.set((await backupTree(repository, name, tree, clock)).id, tree);
    clock.time += HOUR;
  }
  await prune(repository, { keepLast: 2 }, { graceMs: 0 });
  await repository.begin({ id: 'tree:n', service: 'tree', name: 'n' });
  return { storage, trees, clock };
}

const made = await smallRepository();
const names = await namesIn(made.storage);

interface Restored {
  /** Paths by snapshot that threw. */
  readonly failed: Set<string>;
  /** Snapshots that could not be listed whole. */
  readonly unlisted: Set<string>;
  readonly intact: number;
}

function pathOf(row: ItemRow): string {
  return Buffer.from(row.key, 'latin1').toString();
}

/** Restores everything; a wrong byte fails the test, an error is noted. */
async function restoreAll(repository: Repository): Promise<Restored> {
  const restored = { failed: new Set<string>(), unlisted: new Set<string>(), intact: 0 };
  const { storage, keyring } = repository.context;
  const snapshots = await repository.snapshots(undefined, undefined, () => {});
  for (const { manifest } of snapshots) {
    const tree = made.trees.get(manifest.id) as Tree;
    const record = await repository.entities().then((all) => all.find((one) => one.tag === manifest.tag), ignored);
    if (!record) continue;
    const reader = repository.reader(record);
    try {
      for await (const rows of stateRows({ storage, keyring, tag: manifest.tag }, manifest.layers)) {
        for (const row of rows) {
          if (row.kind === 'folder') continue;
          try {
            const bytes = await reader.bytes(row, 1e9);
            expect(bytes.equals(bytesOf(tree.get(row.key) ?? { content: 'none', size: -1 })), `${pathOf(row)} has wrong bytes`).toBe(true);
            restored.intact++;
          } catch (error) {
            ignored(error);
            restored.failed.add(pathOf(row));
          }
        }
      }
    } catch (error) {
      ignored(error);
      restored.unlisted.add(manifest.id);
    } finally {
      await reader.close();
    }
  }
  return restored;
}

/** Errors of ours say what is wrong; any other is a fault of the program. */
function ignored(error: unknown): undefined {
  if (!isHoldfastError(error)) throw error;
  return undefined;
}

let opened = 0;

async function openAny(storage: MemoryStorage): Promise<Repository | undefined> {
  for (const key of [OPERATOR_KEY, RECOVERY_KEY]) {
    try {
      return await Repository.open(storage, key, { cacheDirectory: caches.path(`open-${opened++}`), clock: made.clock });
    } catch (error) {
      ignored(error);
    }
  }
  return undefined;
}

const named = (report: CheckReport): Set<string> => new Set(report.errors.flatMap((one) => one.items.map((item) => item.path)));

/** @param touched the damaged objects; check must name each, by itself or by its folder. */
async function examine(storage: MemoryStorage, touched: readonly string[]): Promise<void> {
  const repository = await openAny(storage);
  if (!repository) {
    expect(touched.some((name) => name === 'config' || name.startsWith('keys/')), 'only config and keys keep it shut').toBe(true);
    return;
  }
  // Of packs every byte must be read to find a flip; all else is read by every check.
  const readData = touched.some((name) => name.startsWith('packs/')) ? 100 : 0;
  const report = await check(repository, { readData, workers: 1, named: 1000 });
  const findings = [...report.errors, ...report.notices];
  for (const name of touched) {
    const told = findings.some(({ object }) => object === name || (object.endsWith('/') && name.startsWith(object)) || sibling(object, name));
    expect(told, `check does not name ${name}; it says ${findings.map((one) => `${one.code} ${one.object}`).join(', ')}`).toBe(true);
  }
  const restored = await restoreAll(repository);
  const paths = named(report);
  const whole = paths.has('(all items)') || restored.unlisted.size > 0;
  if (!whole) for (const path of restored.failed) expect(paths, `${path} does not restore`).toContain(path);
  if (touched.every((name) => name.startsWith('packs/'))) {
    expect([...paths].sort()).toEqual([...restored.failed].sort());
    expect(restored.intact).toBeGreaterThan(0);
  }
  if (restored.unlisted.size > 0) expect(touched.some((name) => name.startsWith('segments/'))).toBe(true);
}

/** A snapshot's seal and manifest: what is wrong with one may show in the other. A shared index serves every entity. */
function sibling(object: string, name: string): boolean {
  const [kind = '', tag, id] = name.split('/');
  if (kind === 'index') return object.startsWith('index/');
  return ['seals', 'snapshots'].includes(kind) && (object === `seals/${tag}/${id}` || object === `snapshots/${tag}/${id}`);
}

async function damaged(change: (storage: MemoryStorage) => Promise<void>, touched: readonly string[], what: string): Promise<void> {
  const storage = await copyStorage(made.storage);
  await change(storage);
  try {
    await examine(storage, touched);
  } catch (error) {
    throw new Error(`${what} of ${touched.join(' and ')} (HOLDFAST_SEED=${seed})`, { cause: error });
  }
}

test('the repository holds every kind of object and is sound', async () => {
  expect(new Set(names.map((name) => name.split('/')[0]))).toEqual(
    new Set(['config', 'keys', 'entities', 'packs', 'index', 'segments', 'snapshots', 'seals', 'pins', 'removals']));
  const repository = await openRepository(made.storage, caches.path('sound'), made.clock);
  expect((await check(repository, { readData: 100 })).errors).toEqual([]);
  const restored = await restoreAll(repository);
  expect({ ...restored, intact: 0 }).toEqual({ failed: new Set(), unlisted: new Set(), intact: 0 });
  expect(restored.intact).toBe(SECOND.size + THIRD.size + OTHER.size);
});

test('a flipped byte', { timeout: 300_000 }, async () => {
  const next = seededNumbers(seed);
  for (const name of names) {
    const { length } = await made.storage.get(name);
    for (const at of new Set([0, 4, 5, 6, length >> 1, length - 1, Math.floor(next() * length)])) {
      await damaged(async (storage) => {
        const bytes = Uint8Array.from(await storage.get(name));
        bytes[at] = (bytes[at] ?? 0) ^ 0x20;
        await storage.put(name, [bytes]);
      }, [name], `flip at ${at} of ${length}`);
    }
  }
});

test('a cut object', { timeout: 300_000 }, async () => {
  for (const name of names) {
    const bytes = await made.storage.get(name);
    for (const length of [0, 7, bytes.length >> 1, bytes.length - 1]) {
      await damaged((storage) => storage.put(name, [bytes.subarray(0, length)]), [name], `cut to ${length} of ${bytes.length}`);
    }
  }
});

test('a deleted object', { timeout: 300_000 }, async () => {
  // A pin is not missed by anybody but who put it.
  for (const name of names.filter((one) => !one.startsWith('pins/') && !one.startsWith('removals/'))) {
    await damaged((storage) => storage.delete(name), [name], 'deletion');
  }
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
    for (let i = 0; i + 1 < alike.length; i++) {
      const [a, b] = [alike[i] as string, alike[i + 1] as string];
      await damaged(async (storage) => {
        const bytes = await storage.get(a);
        await storage.put(a, [await storage.get(b)]);
        await storage.put(b, [bytes]);
      }, [a, b], 'swap');
    }
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
    const restored = await restoreAll(await openRepository(storage, caches.path(`mended-${mend}`), made.clock)).catch(String);
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
