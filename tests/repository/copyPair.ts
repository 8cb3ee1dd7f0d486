import assert from 'node:assert/strict';
import { backupTree, cacheFolder, HOUR, initRepository, openRepository, SnapshotProof, TestClock } from './fixture.ts';
import { check, copyRepository, type CopyOptions, type CopyResult, type Manifest, type Repository } from '../../src/repository/index.ts';
import { type Storage } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import type { Tree } from './tree.ts';

/** Local caches of all pairs of a test file; `remove` them at its end. */
export const caches = await cacheFolder();

const files = (all: Record<string, [string, number]>): Tree =>
  new Map(Object.entries(all).map(([path, [content, size]]) => [path, { content, size }]));
const OLD = files({ 'd/kept.bin': ['r1', 90_000], 'd/back.bin': ['r2', 120_000], 'back.txt': ['t3', 30_000], 'm.eml': ['m1', 90] });
export const BETWEEN = files({ 'd/kept.bin': ['r1', 90_000], 'other.txt': ['t5', 9_000] });
export const NEXT = files({ 'd/kept.bin': ['r1', 90_000], 'd/back.bin': ['r2', 120_000], 'moved.txt': ['t3', 30_000], 'new.bin': ['r6', 70_000] });
const NEIGHBOUR = files({ 'n.bin': ['r2', 120_000], 'n.txt': ['t8', 4_000] });

/** A snapshot and the tree that it is of. */
export interface Made {
  readonly manifest: Manifest;
  readonly tree: Tree;
}

/** A repository and a place for its copy. */
export class Pair {
  readonly clock = new TestClock();
  readonly source: Storage;
  readonly target: Storage;
  readonly made: Made[] = [];

  constructor(source: Storage = new MemoryStorage(), target: Storage = new MemoryStorage()) {
    this.source = source;
    this.target = target;
  }

  static async start(source?: Storage, target?: Storage): Promise<Pair> {
    const pair = new Pair(source, target);
    await initRepository(pair.source, caches.path('source'), pair.clock);
    for (const [name, tree] of [['e', OLD], ['n', NEIGHBOUR], ['e', BETWEEN]] as const) await pair.backup(name, tree);
    return pair;
  }

  open(storage: Storage = this.source): Promise<Repository> {
    return openRepository(storage, caches.path(storage === this.target ? 'target' : 'source'), this.clock);
  }

  async backup(name: string, tree: Tree): Promise<Manifest> {
    const manifest = await backupTree(await this.open(), name, tree, this.clock);
    this.made.push({ manifest, tree });
    this.clock.time += HOUR;
    return manifest;
  }

  async copy(options: CopyOptions = {}, source: Storage = this.source, target: Storage = this.target): Promise<CopyResult> {
    return copyRepository(await openRepository(source, caches.path('source'), this.clock), target, options);
  }

  /** A copy that was stopped: sound but for what has no seal yet, and each snapshot that stands is what was backed up. */
  async proveStopped(): Promise<void> {
    const standing = await (await this.open(this.target)).snapshots();
    await this.proveCopy(this.made.filter((one) => standing.some(({ manifest }) => manifest.id === one.manifest.id)), ['stray', 'unsealed']);
  }

  /** The copy alone, with caches of its own: sound, and each of these snapshots is what was backed up. */
  async proveCopy(wanted: readonly Made[] = this.made, notices: readonly string[] = ['stray']): Promise<void> {
    const repository = await openRepository(this.target, caches.path(`alone-${alone++}`), this.clock);
    const report = await check(repository, { readData: 100, workers: 1 });
    assert.deepEqual(report.errors, []);
    assert.deepEqual(report.notices.filter(({ code }) => !notices.includes(code)), []);
    const proof = new SnapshotProof(repository);
    const standing = await repository.snapshots();
    for (const { manifest, tree } of wanted) {
      const stored = standing.find((one) => one.manifest.id === manifest.id);
      assert.deepEqual(stored?.manifest, manifest);
      await proof.holds(manifest, tree);
    }
  }
}
let alone = 0;
