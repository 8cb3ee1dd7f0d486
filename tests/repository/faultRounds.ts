import assert from 'node:assert/strict';
import { check, prune, rebuild, type Manifest, type Repository } from '../../src/repository/index.ts';
import { type Storage } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { backupTree, HOUR, initRepository, openRepository, SnapshotProof, TestClock } from './fixture.ts';
import { nextTree, type Tree } from './tree.ts';

export type Work = (repository: Repository) => Promise<unknown>;

/** What no seed takes away whole: a run with nothing to read or delete proves nothing. */
const SOME: Tree = new Map(Array.from({ length: 12 }, (_, i) => [`f${i}`, { content: `r${i}0`, size: 9_000 * (i + 1) }] as const));
const SHAPE = { changes: 12, largest: 80_000 };

/** A repository with three snapshots, the work that is to fail on copies of it, and the proof of what stands afterwards. */
export class FaultRounds {
  readonly start = new MemoryStorage();
  readonly clock = new TestClock();
  readonly trees: readonly Tree[];
  readonly made: Manifest[] = [];
  /** What the backup among the work stores. */
  readonly next: Tree;
  readonly work: Readonly<Record<'backup' | 'prune' | 'rebuild', Work>> = {
    backup: (repository) => backupTree(repository, 'e', this.next, this.clock),
    prune: (repository) => prune(repository, { keepLast: 1 }, { graceMs: 0 }),
    rebuild: (repository) => rebuild(repository),
  };
  readonly #cache: (name: string) => string;
  #opened = 0;

  private constructor(cache: (name: string) => string, trees: readonly Tree[], next: Tree) {
    this.#cache = cache;
    this.trees = trees;
    this.next = next;
  }

  static async make(cache: (name: string) => string, seed: number): Promise<FaultRounds> {
    const trees: Tree[] = [];
    for (let i = 0; i < 4; i++) trees.push(nextTree(trees.at(-1) ?? SOME, seed + i, SHAPE));
    const next = trees.pop() as Tree;
    const rounds = new FaultRounds(cache, trees, next);
    const repository = await initRepository(rounds.start, cache('start'), rounds.clock);
    for (const tree of trees) {
      rounds.made.push(await backupTree(repository, 'e', tree, rounds.clock));
      rounds.clock.time += HOUR;
    }
    return rounds;
  }

  open(storage: Storage): Promise<Repository> {
    return openRepository(storage, this.#cache(`cache-${this.#opened++ % 4}`), this.clock);
  }

  /** What stands is whole; `work` then finishes on the healed storage. */
  async proveAndFinish(storage: Storage, work: Work): Promise<void> {
    for (const finish of [undefined, work]) {
      const repository = await this.open(storage);
      if (finish) await finish(repository);
      assert.deepEqual((await check(repository)).errors, []);
      const proof = new SnapshotProof(repository);
      for (const { manifest } of await repository.snapshots()) {
        const known = this.made.findIndex((one) => one.id === manifest.id);
        await proof.holds(manifest, this.trees[known] ?? this.next);
      }
    }
  }
}
