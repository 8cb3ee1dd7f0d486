import assert from 'node:assert/strict';
import { check, prune, type Manifest, type Repository } from '../../src/repository/index.ts';
import { type Storage } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { backupTree, copyStorage, HOUR, initRepository, namesIn, openRepository, SnapshotProof, TestClock, type Place } from './fixture.ts';
import { seededNumbers } from './seeded.ts';
import { StoppedStorage } from './stoppedStorage.ts';
import type { Tree } from './tree.ts';

const NO_GRACE = { graceMs: 0 };

const files = (all: Record<string, [string, number]>): Tree =>
  new Map(Object.entries(all).map(([path, [content, size]]) => [path, { content, size }]));

/** What the newest run finds again is only in the oldest snapshot, which prune removes. */
const OLD = files({ 'd/kept.bin': ['r1', 90_000], 'd/back.bin': ['r2', 120_000], 'back.txt': ['t3', 30_000], 'm.eml': ['m1', 90] });
const BETWEEN = files({ 'd/kept.bin': ['r1', 90_000], 'other.txt': ['t5', 9_000] });
export const NEXT = files({
  'd/kept.bin': ['r1', 90_000], 'd/back.bin': ['r2', 120_000], 'moved.txt': ['t3', 30_000], 'm.eml': ['m1', 90], 'new.bin': ['r6', 70_000],
});
const NEIGHBOUR = files({ 'n.bin': ['r2', 120_000], 'n.txt': ['t8', 4_000] });

interface Made {
  readonly manifest: Manifest;
  readonly tree: Tree;
}

export interface StoppedOptions {
  readonly place: Place;
  readonly cache: (name: string) => string;
  readonly seed: number;
}

/** Stops writers and pruners before their storage operations while others run, and proves that what was sealed stays whole. */
export class StoppedRounds {
  readonly #options: StoppedOptions;
  #opened = 0;

  constructor(options: StoppedOptions) {
    this.#options = options;
  }

  open(storage: Storage, clock: TestClock): Promise<Repository> {
    return openRepository(storage, this.#options.cache(`cache-${this.#opened++ % 3}`), clock);
  }

  async pruned(storage: Storage, clock: TestClock): Promise<void> {
    await prune(await this.open(storage, clock), { keepLast: 1 }, NO_GRACE);
  }

  /** Runs `work` stopped before its k-th operation, for each `step`-th k that it reaches, with `meanwhile` in between. */
  async everywhere(
    step: number,
    work: (repository: Repository, clock: TestClock) => Promise<Manifest | undefined>,
    meanwhile: (storage: Storage, clock: TestClock) => Promise<Manifest[]>,
  ): Promise<number> {
    const { place, seed } = this.#options;
    const clock = new TestClock();
    const start = await this.#startingPoint(clock);
    for (let k = 1 + (seed % step); ; k += step) {
      const storage = await copyStorage(start.storage, place);
      const stopped = new StoppedStorage(storage, k);
      const working = this.open(stopped, clock).then((repository) => work(repository, clock));
      const reached = await Promise.race([stopped.stopped.then(() => true), working.then(() => false)]);
      const must = reached ? await meanwhile(storage, clock) : [];
      stopped.go();
      try {
        const made = await working;
        const known = start.made;
        await this.#proveAll(storage, clock, known, made ? [...must, made] : must);
        // What a stopped one left behind, the next prune takes away.
        await this.#proveAfterPrune(storage, clock, known, made ? [made] : []);
      } catch (error) {
        throw new Error(`stopped at ${stopped.stoppedAt} (HOLDFAST_SEED=${seed})`, { cause: error });
      }
      if (!reached) return k;
    }
  }

  /** A writer and a pruner are stopped in turn, each at a random one of its operations. */
  async pairs(count: number): Promise<void> {
    const { place, seed } = this.#options;
    const clock = new TestClock();
    const start = await this.#startingPoint(clock);
    const next = seededNumbers(seed);
    const write = (repository: Repository): Promise<Manifest> => backupTree(repository, 'e', NEXT, clock);
    const take = (repository: Repository): Promise<unknown> => prune(repository, { keepLast: 1 }, NO_GRACE);
    const stepsOf = async (work: (repository: Repository) => Promise<unknown>): Promise<number> => {
      const free = new StoppedStorage(await copyStorage(start.storage, place), Infinity);
      await work(await this.open(free, clock));
      return free.calls;
    };
    const most = { writer: await stepsOf(write), pruner: await stepsOf(take) };
    for (let i = 0; i < count; i++) {
      const storage = await copyStorage(start.storage, place);
      // Most of what can go wrong lies in the second half of either.
      const writer = new StoppedStorage(storage, 1 + Math.floor(most.writer * Math.sqrt(next())));
      const pruner = new StoppedStorage(storage, 1 + Math.floor(most.pruner * Math.sqrt(next())));
      const writing = this.open(writer, clock).then(write);
      await Promise.race([writer.stopped, writing]);
      const pruning = this.open(pruner, clock).then(take);
      await Promise.race([pruner.stopped, pruning]);
      try {
        writer.go();
        const made = await writing;
        pruner.go();
        await pruning;
        await this.#proveAll(storage, clock, start.made, [made]);
        await this.#proveAfterPrune(storage, clock, start.made, [made]);
      } catch (error) {
        throw new Error(`pair ${i}: writer at ${writer.stoppedAt}, pruner at ${pruner.stoppedAt} (HOLDFAST_SEED=${seed})`, { cause: error });
      }
    }
  }

  /** Made in memory, to be copied to where a round needs it. */
  async #startingPoint(clock: TestClock): Promise<{ storage: Storage; made: Made[] }> {
    const storage = new MemoryStorage();
    const repository = await initRepository(storage, this.#options.cache('start'), clock);
    const made: Made[] = [];
    for (const [name, tree] of [['e', OLD], ['n', NEIGHBOUR], ['e', BETWEEN]] as const) {
      made.push({ manifest: await backupTree(repository, name, tree, clock), tree });
      clock.time += HOUR;
    }
    return { storage, made };
  }

  /** All snapshots that stand are whole, those in `must` among them. */
  async #proveAll(storage: Storage, clock: TestClock, known: readonly Made[], must: readonly Manifest[]): Promise<void> {
    const repository = await this.open(storage, clock);
    const proof = new SnapshotProof(repository);
    const standing = await repository.snapshots();
    for (const { manifest } of standing) {
      const tree = known.find((one) => one.manifest.id === manifest.id)?.tree ?? NEXT;
      await proof.holds(manifest, tree);
    }
    const ids = new Set(standing.map(({ manifest }) => manifest.id));
    for (const manifest of must) assert.ok(ids.has(manifest.id), `${manifest.id} is gone`);
    assert.deepEqual((await check(repository, { readData: 100, workers: 1 })).errors, []);
  }

  /** What the next prune and the one after it leave of it is whole too. */
  async #proveAfterPrune(storage: Storage, clock: TestClock, known: readonly Made[], made: readonly Manifest[]): Promise<void> {
    await this.pruned(storage, clock);
    await this.#proveAll(storage, clock, known, made);
    for (const prefix of ['doomed/', 'void/', 'pins/', 'checkpoints/']) assert.deepEqual(await namesIn(storage, prefix), []);
  }
}
