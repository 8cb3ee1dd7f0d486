/** Erasures, prunes and backups in a locked repository, stopped or killed at every how many-th operation: what waits for its locks ends in time, and nothing is lost. */
import { afterAll, expect, test } from 'vitest';
import { check, erase, prune, Repository, type Manifest } from '../../src/repository/index.ts';
import { LockedMemoryStorage } from '../../src/storage/trial/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { blobIdsOf, keyObjects, searchEverything, tracesOf } from './erasedTraces.ts';
import { backupTree, cacheFolder, namesIn, openRepository, OPERATOR_KEY, RECOVERY_KEY, SnapshotProof, TestClock } from './fixture.ts';
import { DAY, file } from './lockWorlds.ts';
import { testSeed } from './seeded.ts';
import { stoppedEverywhere } from './stoppedEverywhere.ts';
import type { Tree } from './tree.ts';

const seed = testSeed();
/** Every how many-th operation is tried. */
const STEP = Number(process.env['HOLDFAST_STOP_STEP'] ?? 401);
const caches = await cacheFolder();
afterAll(() => caches.remove());

let opened = 0;
const open = (storage: Storage, clock: TestClock): Promise<Repository> => openRepository(storage, caches.path(`cache-${opened++}`), clock);

const SECRET = file('t7', 3_000);
const KEPT: Tree = new Map([['a/one', file('r1', 30_000)], ['d/kept', file('t9', 800)], ['mail', file('m3', 400)]]);
const WHOLE: Tree = new Map([...KEPT, ['d/secret-4711.txt', SECRET], ['waste', file('r8', 90_000)]]);
const LATER: Tree = new Map([...KEPT, ['later', file('r5', 20_000)], ['again', file('r1', 30_000)]]);
const SELECTION = { keys: new Set(['d/secret-4711.txt']), prefixes: [] };

interface Start {
  readonly clock: TestClock;
  readonly storage: LockedMemoryStorage;
  readonly tag: string;
  readonly time: number;
  /** Of what is erased: pieces of it, its name, and the ids of its blobs. */
  readonly traces: readonly Buffer[];
}

/** Two entities that share contents; of the first one's snapshots the older has much that the newer has not, and its own lock has ended. */
async function start(): Promise<Start> {
  const clock = new TestClock();
  const storage = new LockedMemoryStorage({ now: () => clock.time });
  const options = { cacheDirectory: caches.path(`made-${opened++}`), clock, lock: { mode: 'compliance', days: 4 } } as const;
  const repository = await Repository.init(storage, OPERATOR_KEY, RECOVERY_KEY, options);
  const { tag } = await backupTree(repository, 'e', WHOLE, clock);
  await backupTree(repository, 'n', KEPT, clock);
  clock.time += 4.5 * DAY;
  const secret: Tree = new Map([...KEPT, ['d/secret-4711.txt', SECRET]]);
  await backupTree(repository, 'e', secret, clock);
  const traces = [...tracesOf('secret-4711.txt', SECRET), ...(await blobIdsOf(storage, 'tree:e', 'd/secret-4711.txt'))];
  return { clock, storage, tag, time: clock.time, traces };
}

async function proveSound(storage: Storage, clock: TestClock, trees: (manifest: Manifest) => Tree): Promise<void> {
  const repository = await open(storage, clock);
  const proof = new SnapshotProof(repository);
  for (const { manifest } of await repository.snapshots()) await proof.holds(manifest, trees(manifest));
  expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
}

/** By what a snapshot shows: {@link LATER} has one item more. */
function treeOf(tag: string, erased: boolean): (manifest: Manifest) => Tree {
  return (manifest) => {
    if (manifest.counts.items === LATER.size && manifest.tag !== tag) return LATER;
    if (manifest.tag !== tag) return KEPT;
    const all: Tree = manifest.counts.items + (erased ? 1 : 0) >= WHOLE.size ? WHOLE : new Map([...KEPT, ['d/secret-4711.txt', SECRET]]);
    return erased ? new Map([...all].filter(([key]) => !SELECTION.keys.has(key))) : all;
  };
}

/** To the end of it: as long as something waits the date stays, and when it has come nothing is left. */
async function finish(storage: Storage, { clock, tag, traces }: Start, keys: ReadonlyMap<string, Buffer>): Promise<void> {
  const { goneBy } = await erase(await open(storage, clock), tag, SELECTION);
  expect(goneBy).not.toBeNull();
  await proveSound(storage, clock, treeOf(tag, true));
  clock.time += DAY;
  await backupTree(await open(storage, clock), 'n', LATER, clock);
  expect((await erase(await open(storage, clock), tag, SELECTION)).goneBy).toBe(goneBy);
  clock.time = Date.parse(goneBy ?? '') + 2000;
  expect(await erase(await open(storage, clock), tag, SELECTION)).toMatchObject({ pending: [], goneBy: null });
  expect((await searchEverything(storage, traces, keys)).found).toEqual([]);
  await proveSound(storage, clock, treeOf(tag, true));
  // An announcement that a killed one left names what is gone.
  await prune(await open(storage, clock), {}, { graceMs: 0 });
  for (const prefix of ['doomed/', 'claims/']) expect(await namesIn(storage, prefix)).toEqual([]);
}

function atEveryStep<T>(
  made: Start, step: number, killed: boolean, work: (repository: Repository) => Promise<T>,
  meanwhile: (storage: Storage) => Promise<void>, after: (storage: Storage, made: T | undefined) => Promise<void>,
): Promise<number> {
  const copy = (): Storage => {
    made.clock.time = made.time;
    return made.storage.copy();
  };
  return stoppedEverywhere({ start: made.storage, copy, seed, step, killed, open: (storage) => open(storage, made.clock), work, meanwhile, after });
}

test('I24, I30: an erasure that is killed at any step, run again, ends at the date that it names', { timeout: 600_000 }, async () => {
  const made = await start();
  const keys = await keyObjects(made.storage);
  const steps = await atEveryStep(made, STEP, true, (repository) => erase(repository, made.tag, SELECTION), async () => {}, async (storage) => {
    const repository = await open(storage, made.clock);
    expect(await repository.snapshots(made.tag)).toHaveLength(2);
    expect((await check(repository)).errors).toEqual([]);
    await finish(storage, made, keys);
  });
  expect(steps).toBeGreaterThan(30);
});

test('I24, I30: its end, when the locks have ended, may be killed as well', { timeout: 600_000 }, async () => {
  const first = await start();
  const keys = await keyObjects(first.storage);
  const { goneBy } = await erase(await open(first.storage, first.clock), first.tag, SELECTION);
  const { traces } = first;
  const made = { ...first, time: Date.parse(goneBy ?? '') + 2000 };
  await atEveryStep(made, STEP, true, (repository) => erase(repository, made.tag, SELECTION), async () => {}, async (storage) => {
    await proveSound(storage, made.clock, treeOf(made.tag, true));
    expect(await erase(await open(storage, made.clock), made.tag, SELECTION)).toMatchObject({ pending: [], goneBy: null });
    expect((await searchEverything(storage, traces, keys)).found).toEqual([]);
    await proveSound(storage, made.clock, treeOf(made.tag, true));
  });
});

test('I30: a prune that is killed at any step leaves nothing that the next ones do not take away', { timeout: 600_000 }, async () => {
  const made = await start();
  const clean = async (storage: Storage): Promise<void> => { await prune(await open(storage, made.clock), { keepLast: 1 }, { graceMs: 0 }); };
  const steps = await atEveryStep(made, STEP, true, (repository) => prune(repository, { keepLast: 1 }, { graceMs: 0 }), async () => {}, async (storage) => {
    await proveSound(storage, made.clock, treeOf(made.tag, false));
    await clean(storage);
    for (let day = 0; day < 6; day += 2) {
      made.clock.time += 2 * DAY;
      await backupTree(await open(storage, made.clock), 'n', LATER, made.clock);
    }
    await clean(storage);
    await clean(storage);
    await proveSound(storage, made.clock, treeOf(made.tag, false));
    // What only the older snapshot needed has gone from packs of which other things are needed each day.
    expect((await searchEverything(storage, tracesOf('waste', file('r8', 90_000)).slice(1), new Map())).found).toEqual([]);
  });
  expect(steps).toBeGreaterThan(30);
});

test('I23, I30: a backup of another entity that is stopped at any step while items are erased loses nothing and moves no date', { timeout: 600_000 }, async () => {
  const made = await start();
  const { clock, tag, traces } = made;
  const keys = await keyObjects(made.storage);
  let date = '';
  await atEveryStep(made, Math.ceil(STEP / 3), false, (repository) => backupTree(repository, 'x', LATER, clock), async (storage) => {
    date = (await erase(await open(storage, clock), tag, SELECTION)).goneBy ?? '';
  }, async (storage, manifest) => {
    await new SnapshotProof(await open(storage, clock)).holds(manifest as Manifest, LATER);
    if (date === '') return;
    await proveSound(storage, clock, treeOf(tag, true));
    clock.time = Date.parse(date) + 2000;
    expect(await erase(await open(storage, clock), tag, SELECTION)).toMatchObject({ pending: [], goneBy: null });
    expect((await searchEverything(storage, traces, keys)).found).toEqual([]);
    await proveSound(storage, clock, treeOf(tag, true));
    date = '';
  });
});
