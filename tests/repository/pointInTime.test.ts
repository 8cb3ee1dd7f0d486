/** Every snapshot lists and restores exactly what was there then, whatever was done to the repository since. */
import fc from 'fast-check';
import { rm } from 'node:fs/promises';
import { afterAll, expect, test } from 'vitest';
import { check, prune, rebuild, type Manifest, type PrunePolicy, type Repository } from '../../src/repository/index.ts';
import { MemoryStorage } from '../../src/storage/index.ts';
import { backupTree, cacheFolder, copyStorage, HOUR, initRepository, openRepository, SnapshotProof, TestClock } from './fixture.ts';
import { seededNumbers, testSeed } from './seeded.ts';
import { nextTree, type Tree } from './tree.ts';

const GENERATIONS = Number(process.env['HOLDFAST_GENERATIONS'] ?? 30);
const POLICIES = Number(process.env['HOLDFAST_POLICIES'] ?? 50);
const seed = testSeed();
const caches = await cacheFolder();
afterAll(() => caches.remove());

interface Generation {
  readonly manifest: Manifest;
  readonly tree: Tree;
}

/** Two entities that share contents, backed up in turn, an hour apart. */
async function history(storage: MemoryStorage, clock: TestClock, cache: string, start: number): Promise<Generation[]> {
  const repository = await initRepository(storage, cache, clock);
  const generations: Generation[] = [];
  const trees: Tree[] = [nextTree(new Map(), start, { changes: 40 }), nextTree(new Map(), start + 1, { changes: 15 })];
  for (let i = 0; i < GENERATIONS; i++) {
    const entity = i % 3 === 2 ? 1 : 0;
    const tree = i % 7 === 6 ? trees[entity] as Tree : nextTree(trees[entity] as Tree, start + 10 + i);
    trees[entity] = tree;
    clock.time += HOUR;
    generations.push({ manifest: await backupTree(repository, `e${entity}`, tree, clock), tree });
  }
  return generations;
}

async function holdAll(repository: Repository, generations: readonly Generation[]): Promise<void> {
  const proof = new SnapshotProof(repository);
  for (const { manifest, tree } of generations) await proof.holds(manifest, tree);
}

/** The newest complete one of each entity. */
function newestOf(generations: readonly Generation[]): string[] {
  return [...new Map(generations.map(({ manifest }) => [manifest.tag, manifest.id])).values()];
}

async function pruneAndProve(
  from: MemoryStorage, clock: TestClock, generations: readonly Generation[], policy: PrunePolicy, graceMs: number,
): Promise<number> {
  const storage = await copyStorage(from);
  const repository = await openRepository(storage, caches.path('policies'), clock);
  const would = await prune(repository, policy, { graceMs, dryRun: true });
  const done = await prune(repository, policy, { graceMs });
  expect(done.snapshotsRemoved).toBe(would.snapshotsRemoved);
  const left = new Set((await repository.snapshots()).map(({ manifest }) => manifest.id));
  expect(left.size).toBe(generations.length - done.snapshotsRemoved);
  for (const id of newestOf(generations)) expect(left).toContain(id);
  await holdAll(repository, generations.filter(({ manifest }) => left.has(manifest.id)));
  const report = await check(repository, { readData: 100, workers: 1 });
  expect(report.errors).toEqual([]);
  expect((await prune(repository, policy, { graceMs })).snapshotsRemoved).toBe(0);
  return left.size;
}

// I11 (rebuild) and I17 (the newest stays) of docs/format/invariants.md.
test(`every point in time holds (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async () => {
  const clock = new TestClock();
  const storage = new MemoryStorage();
  await fc.assert(fc.asyncProperty(fc.nat(), async (start) => {
    const fresh = new MemoryStorage();
    const cache = caches.path(`history-${start}`);
    const generations = await history(fresh, clock, cache, start);
    const repository = await openRepository(fresh, cache, clock);
    await holdAll(repository, generations);
    await rm(cache, { recursive: true });
    await holdAll(repository, generations);
    await rebuild(repository);
    await holdAll(repository, generations);
    expect((await check(repository, { readData: 100 })).errors).toEqual([]);
  }), { seed, numRuns: 1, endOnFailure: true });
  const generations = await history(storage, clock, caches.path('policies'), seed);
  const next = seededNumbers(seed);
  const policies: PrunePolicy[] = [{}, { keepLast: 0 }, { keepLast: 1 }, { keepLast: 1e6 }, { keepWithinMs: 0 }, { keepWithinMs: 1e15 }];
  while (policies.length < POLICIES) {
    const keepLast = Math.floor(next() * 12);
    const keepWithinMs = Math.floor(next() * GENERATIONS) * HOUR;
    policies.push(next() < 0.4 ? { keepLast } : next() < 0.6 ? { keepWithinMs } : { keepLast, keepWithinMs });
  }
  const sizes: number[] = [];
  for (const policy of policies) sizes.push(await pruneAndProve(storage, clock, generations, policy, next() < 0.7 ? 0 : 5 * HOUR));
  // Keeping all, keeping two (one an entity), and something in between must all have been tried.
  expect(Math.min(...sizes)).toBe(2);
  expect(Math.max(...sizes)).toBe(GENERATIONS);
  expect(new Set(sizes).size).toBeGreaterThan(5);
});
