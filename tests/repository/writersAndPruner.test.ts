/**
 * A writer or a pruner is stopped before each of its storage operations while others run to their end, with no grace at
 * all; then it goes on. Whatever was sealed stays whole, and nobody fails for good.
 */
import { afterAll, expect, test } from 'vitest';
import { check, prune, type Manifest, type Repository } from '../../src/repository/index.ts';
import { MemoryStorage, type Storage } from '../../src/storage/index.ts';
import { backupTree, cacheFolder, copyStorage, HOUR, initRepository, namesIn, openRepository, SnapshotProof, TestClock } from './fixture.ts';
import { seededNumbers, testSeed } from './seeded.ts';
import { StoppedStorage } from './stoppedStorage.ts';
import type { Tree } from './tree.ts';

/** A writer is stopped at every operation, a pruner at every how many-th, from a different first one each time. */
const PRUNER_STEP = Number(process.env['HOLDFAST_STOP_STEP'] ?? 4);
/** Pairs of operations at which a writer and a pruner are stopped in turn. */
const PAIRS = Number(process.env['HOLDFAST_STOP_PAIRS'] ?? 20);
const seed = testSeed();
const NO_GRACE = { graceMs: 0 };
const caches = await cacheFolder();
afterAll(() => caches.remove());

const files = (all: Record<string, [string, number]>): Tree =>
  new Map(Object.entries(all).map(([path, [content, size]]) => [path, { content, size }]));

/** What the newest run finds again is only in the oldest snapshot, which prune removes. */
const OLD = files({ 'd/kept.bin': ['r1', 90_000], 'd/back.bin': ['r2', 120_000], 'back.txt': ['t3', 30_000], 'm.eml': ['m1', 90] });
const BETWEEN = files({ 'd/kept.bin': ['r1', 90_000], 'other.txt': ['t5', 9_000] });
const NEXT = files({
  'd/kept.bin': ['r1', 90_000], 'd/back.bin': ['r2', 120_000], 'moved.txt': ['t3', 30_000], 'm.eml': ['m1', 90], 'new.bin': ['r6', 70_000],
});
const NEIGHBOUR = files({ 'n.bin': ['r2', 120_000], 'n.txt': ['t8', 4_000] });

interface Made {
  readonly manifest: Manifest;
  readonly tree: Tree;
}

async function startingPoint(clock: TestClock): Promise<{ storage: MemoryStorage; made: Made[] }> {
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('start'), clock);
  const made: Made[] = [];
  for (const [name, tree] of [['e', OLD], ['n', NEIGHBOUR], ['e', BETWEEN]] as const) {
    made.push({ manifest: await backupTree(repository, name, tree, clock), tree });
    clock.time += HOUR;
  }
  return { storage, made };
}

let opened = 0;
const open = (storage: Storage, clock: TestClock): Promise<Repository> =>
  openRepository(storage, caches.path(`cache-${opened++ % 3}`), clock);

/** All snapshots that stand are whole, those in `must` among them. */
async function proveAll(storage: Storage, clock: TestClock, known: readonly Made[], must: readonly Manifest[]): Promise<void> {
  const repository = await open(storage, clock);
  const proof = new SnapshotProof(repository);
  const standing = await repository.snapshots();
  for (const { manifest } of standing) {
    const tree = known.find((one) => one.manifest.id === manifest.id)?.tree ?? NEXT;
    await proof.holds(manifest, tree);
  }
  const ids = standing.map(({ manifest }) => manifest.id);
  for (const manifest of must) expect(ids).toContain(manifest.id);
  expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
}

/** What the next prune and the one after it leave of it is whole too. */
async function proveAfterPrune(storage: Storage, clock: TestClock, known: readonly Made[], made: readonly Manifest[]): Promise<void> {
  await prune(await open(storage, clock), { keepLast: 1 }, NO_GRACE);
  await proveAll(storage, clock, known, made);
  for (const prefix of ['doomed/', 'void/', 'pins/', 'checkpoints/']) expect(await namesIn(storage, prefix)).toEqual([]);
}

/** Runs `work` stopped before its k-th operation, for each k that it reaches, with `meanwhile` in between. */
async function stoppedEverywhere(
  step: number,
  work: (repository: Repository, clock: TestClock) => Promise<Manifest | undefined>,
  meanwhile: (storage: MemoryStorage, clock: TestClock) => Promise<Manifest[]>,
): Promise<number> {
  const clock = new TestClock();
  const start = await startingPoint(clock);
  for (let k = 1 + (seed % step); ; k += step) {
    const storage = await copyStorage(start.storage);
    const stopped = new StoppedStorage(storage, k);
    const working = open(stopped, clock).then((repository) => work(repository, clock));
    const reached = await Promise.race([stopped.stopped.then(() => true), working.then(() => false)]);
    const must = reached ? await meanwhile(storage, clock) : [];
    stopped.go();
    try {
      const made = await working;
      const known = start.made;
      await proveAll(storage, clock, known, made ? [...must, made] : must);
      // What a stopped one left behind, the next prune takes away.
      await proveAfterPrune(storage, clock, known, made ? [made] : []);
    } catch (error) {
      throw new Error(`stopped at ${stopped.stoppedAt} (HOLDFAST_SEED=${seed})`, { cause: error });
    }
    if (!reached) return k;
  }
}

const pruned = async (storage: Storage, clock: TestClock): Promise<void> => {
  await prune(await open(storage, clock), { keepLast: 1 }, NO_GRACE);
};

// I7, I12, I13 and I14 of docs/format/invariants.md.
test('a writer is stopped at every step while a prune runs to its end', { timeout: 600_000 }, async () => {
  const steps = await stoppedEverywhere(1,
    (repository, clock) => backupTree(repository, 'e', NEXT, clock),
    async (storage, clock) => {
      await pruned(storage, clock);
      return [];
    });
  expect(steps).toBeGreaterThan(30);
});

test('a writer whose clock is a day behind is stopped at every step while a prune runs', { timeout: 600_000 }, async () => {
  const late = new TestClock();
  late.time -= 24 * HOUR;
  await stoppedEverywhere(1,
    (repository) => backupTree(repository, 'late', NEXT, late),
    async (storage, clock) => {
      await prune(await open(storage, clock), { keepLast: 1 }, { graceMs: HOUR });
      await pruned(storage, clock);
      return [];
    });
});

test('a pruner is stopped at every step while a backup and another prune run to their end', { timeout: 600_000 }, async () => {
  const steps = await stoppedEverywhere(PRUNER_STEP,
    async (repository) => {
      await prune(repository, { keepLast: 1 }, NO_GRACE);
      return undefined;
    },
    async (storage, clock) => {
      const made = await backupTree(await open(storage, clock), 'e', NEXT, clock);
      await pruned(storage, clock);
      return [made];
    });
  expect(steps).toBeGreaterThan(30);
});

test('a pruner is stopped at every step while another prune and then a backup run to their end', { timeout: 600_000 }, async () => {
  await stoppedEverywhere(PRUNER_STEP,
    async (repository) => {
      await prune(repository, { keepLast: 1 }, NO_GRACE);
      return undefined;
    },
    async (storage, clock) => {
      await pruned(storage, clock);
      return [await backupTree(await open(storage, clock), 'e', NEXT, clock)];
    });
});

test(`a writer and a pruner are stopped in turn at ${PAIRS} pairs of steps`, { timeout: 3_600_000 }, async () => {
  const clock = new TestClock();
  const start = await startingPoint(clock);
  const next = seededNumbers(seed);
  const write = (repository: Repository): Promise<Manifest> => backupTree(repository, 'e', NEXT, clock);
  const take = (repository: Repository): Promise<unknown> => prune(repository, { keepLast: 1 }, NO_GRACE);
  const stepsOf = async (work: (repository: Repository) => Promise<unknown>): Promise<number> => {
    const free = new StoppedStorage(await copyStorage(start.storage), Infinity);
    await work(await open(free, clock));
    return free.calls;
  };
  const most = { writer: await stepsOf(write), pruner: await stepsOf(take) };
  for (let i = 0; i < PAIRS; i++) {
    const storage = await copyStorage(start.storage);
    // Most of what can go wrong lies in the second half of either.
    const writer = new StoppedStorage(storage, 1 + Math.floor(most.writer * Math.sqrt(next())));
    const pruner = new StoppedStorage(storage, 1 + Math.floor(most.pruner * Math.sqrt(next())));
    const writing = open(writer, clock).then(write);
    await Promise.race([writer.stopped, writing]);
    const pruning = open(pruner, clock).then(take);
    await Promise.race([pruner.stopped, pruning]);
    try {
      writer.go();
      const made = await writing;
      pruner.go();
      await pruning;
      await proveAll(storage, clock, start.made, [made]);
      await proveAfterPrune(storage, clock, start.made, [made]);
    } catch (error) {
      throw new Error(`pair ${i}: writer at ${writer.stoppedAt}, pruner at ${pruner.stoppedAt} (HOLDFAST_SEED=${seed})`, { cause: error });
    }
  }
});
