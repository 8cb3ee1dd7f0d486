import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { check, prune, rebuild, type Manifest, type PrunePolicy, type Repository } from '../../src/repository/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { backupTree, copyStorage, HOUR, initRepository, openRepository, SnapshotProof, TestClock } from './fixture.ts';
import { seededNumbers } from './seeded.ts';
import { nextTree, type Tree } from './tree.ts';

export interface PointInTimeOptions {
  readonly seed: number;
  readonly generations: number;
  readonly policies: number;
  readonly cache: (name: string) => string;
}

interface Generation {
  readonly manifest: Manifest;
  readonly tree: Tree;
}

/** Two entities that share contents, backed up in turn, an hour apart. */
async function history(storage: MemoryStorage, clock: TestClock, cache: string, start: number, count: number): Promise<Generation[]> {
  const repository = await initRepository(storage, cache, clock);
  const generations: Generation[] = [];
  const trees: Tree[] = [nextTree(new Map(), start, { changes: 40 }), nextTree(new Map(), start + 1, { changes: 15 })];
  for (let i = 0; i < count; i++) {
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
  from: MemoryStorage, clock: TestClock, cache: string, generations: readonly Generation[], policy: PrunePolicy, graceMs: number,
): Promise<number> {
  const storage = await copyStorage(from);
  const repository = await openRepository(storage, cache, clock);
  const would = await prune(repository, policy, { graceMs, dryRun: true });
  const done = await prune(repository, policy, { graceMs });
  assert.equal(done.snapshotsRemoved, would.snapshotsRemoved);
  const left = new Set((await repository.snapshots()).map(({ manifest }) => manifest.id));
  assert.equal(left.size, generations.length - done.snapshotsRemoved);
  for (const id of newestOf(generations)) assert.ok(left.has(id), `the newest of an entity, ${id}, is gone`);
  await holdAll(repository, generations.filter(({ manifest }) => left.has(manifest.id)));
  const report = await check(repository, { readData: 100, workers: 1 });
  assert.deepEqual(report.errors, []);
  assert.equal((await prune(repository, policy, { graceMs })).snapshotsRemoved, 0);
  return left.size;
}

/** After the generations every snapshot holds; also without the local cache, and after a rebuild. I11 of docs/format/invariants.md. */
export async function proveGenerations({ seed, generations, cache }: PointInTimeOptions): Promise<void> {
  const clock = new TestClock();
  await fc.assert(fc.asyncProperty(fc.nat(), async (start) => {
    const fresh = new MemoryStorage();
    const folder = cache(`history-${start}`);
    const made = await history(fresh, clock, folder, start, generations);
    const repository = await openRepository(fresh, folder, clock);
    await holdAll(repository, made);
    await rm(folder, { recursive: true });
    await holdAll(repository, made);
    await rebuild(repository);
    await holdAll(repository, made);
    assert.deepEqual((await check(repository, { readData: 100 })).errors, []);
  }), { seed, numRuns: 1, endOnFailure: true });
}

/** The same after each of seeded policies and the extremes, each on a copy. I17. @returns how many snapshots each left. */
export async function provePolicies({ seed, generations, policies, cache }: PointInTimeOptions): Promise<number[]> {
  const clock = new TestClock();
  const storage = new MemoryStorage();
  const made = await history(storage, clock, cache('policies'), seed, generations);
  const next = seededNumbers(seed);
  const tried: PrunePolicy[] = [{}, { keepLast: 0 }, { keepLast: 1 }, { keepLast: 1e6 }, { keepWithinMs: 0 }, { keepWithinMs: 1e15 }];
  while (tried.length < policies) {
    const keepLast = Math.floor(next() * 12);
    const keepWithinMs = Math.floor(next() * generations) * HOUR;
    tried.push(next() < 0.4 ? { keepLast } : next() < 0.6 ? { keepWithinMs } : { keepLast, keepWithinMs });
  }
  const sizes: number[] = [];
  for (const policy of tried) sizes.push(await pruneAndProve(storage, clock, cache('policies'), made, policy, next() < 0.7 ? 0 : 5 * HOUR));
  // Keeping all, keeping two (one an entity), and something in between must all have been tried.
  assert.equal(Math.min(...sizes), 2);
  assert.equal(Math.max(...sizes), generations);
  assert.ok(new Set(sizes).size > 2);
  return sizes;
}
