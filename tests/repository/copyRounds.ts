import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { check, prune, type Repository } from '../../src/repository/index.ts';
import { systemClock } from '../../src/runtime/index.ts';
import { FileStorage, type Storage } from '../../src/storage/index.ts';
import { runCopy } from './copyChild.ts';
import { backupTree, initRepository, namesIn, OPERATOR_KEY, openRepository, SnapshotProof } from './fixture.ts';
import { seededNumbers } from './seeded.ts';
import { nextTree, type Tree } from './tree.ts';

export interface CopyTally {
  /** Kills that struck while a copy ran. */
  kills: number;
  /** Of those, with --prune. */
  pruning: number;
  /** Kills after which the copy had packs that it had not indexed, or snapshots without a seal. */
  halfway: number;
}

/** More than one pack, now and then, so that a copy has something to be killed in. */
function bulk(seed: number): Tree {
  return new Map(Array.from({ length: 24 }, (_, i) => [`zz-bulk/${i}`, { content: `r${seed}/${i}`, size: 1_200_000 }] as const));
}

/** Kills copies at random moments: what is in the copy then is sound, and the next run brings all that its source has. */
export class CopyRounds {
  readonly tally: CopyTally = { kills: 0, pruning: 0, halfway: 0 };
  readonly #folder: string;
  readonly #seed: number;
  readonly #next: () => number;
  readonly #trees = new Map<string, Tree>();
  #tree: Tree = new Map();
  #duration = 500;
  #rounds = 0;

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#seed = seed;
    this.#next = seededNumbers(seed);
  }

  async run(kills: number): Promise<CopyTally> {
    const source = await FileStorage.create(this.#path('source'));
    const target = await FileStorage.create(this.#path('target'));
    await initRepository(source, this.#path('cache'), systemClock);
    while (this.tally.kills < kills) {
      assert.ok(this.#rounds++ < kills * 4, 'most kills came too late');
      try {
        await this.#round(source, target);
      } catch (error) {
        throw new Error(`round ${this.#rounds} (seed ${this.#seed})`, { cause: error });
      }
    }
    return this.tally;
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async #round(source: Storage, target: Storage): Promise<void> {
    const repository = await openRepository(source, this.#path('cache'), systemClock);
    await this.#change(repository);
    const mirror = this.#next() < 0.4;
    if (await this.#kill(mirror)) {
      this.tally.kills++;
      if (mirror) this.tally.pruning++;
      const manifests = (await namesIn(target, 'snapshots/')).length;
      if ((await namesIn(target, 'seals/')).length < manifests || (await namesIn(target, 'doomed/')).length > 0) this.tally.halfway++;
    }
    if (await target.stat('config')) await this.#prove(target, []);
    // Who was killed while it made the repository looks alive for two minutes: this is what the error then tells a person to do.
    else for (const claim of await namesIn(target, 'init/')) await target.delete(claim);
    const started = performance.now();
    await runCopy(repository, target, mirror);
    this.#duration = (this.#duration + performance.now() - started) / 2;
    await this.#prove(target, (await repository.snapshots()).map(({ manifest }) => manifest.id));
  }

  async #change(repository: Repository): Promise<void> {
    const changes = { changes: 14, largest: 400_000 };
    this.#tree = nextTree(this.#tree, this.#seed + this.#rounds, changes);
    const extra = this.#rounds === 1 || this.#next() < 0.2 ? bulk(this.#seed + this.#rounds) : [];
    const tree = new Map([...this.#tree, ...extra]);
    this.#trees.set((await backupTree(repository, 'e', tree, systemClock)).id, tree);
    if (this.#next() < 0.4) await prune(repository, { keepLast: 1 + Math.floor(this.#next() * 3) }, { graceMs: 0 });
  }

  async #prove(target: Storage, wanted: readonly string[]): Promise<void> {
    const copy = await openRepository(target, this.#path(`alone-${this.#rounds}`), systemClock);
    assert.deepEqual((await check(copy, { readData: 100, workers: 1 })).errors, []);
    const proof = new SnapshotProof(copy);
    const standing = await copy.snapshots();
    for (const { manifest } of standing) await proof.holds(manifest, this.#trees.get(manifest.id) ?? new Map());
    const ids = new Set(standing.map(({ manifest }) => manifest.id));
    for (const id of wanted) assert.ok(ids.has(id), `${id} is not in the copy`);
  }

  /** False when the copy was done before the kill came. */
  async #kill(mirror: boolean): Promise<boolean> {
    const child = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'copyChild.ts'), this.#path('source'), this.#path('target'),
      this.#path('cache'), Buffer.from(OPERATOR_KEY).toString('hex'), String(mirror),
    ], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000, killSignal: 'SIGKILL' });
    const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
    let done = false;
    let killing: Promise<unknown> | undefined;
    const delay = this.#next() * this.#duration * 1.2;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'done') done = true;
      else killing = wait(delay).then(() => child.kill('SIGKILL'));
    });
    await closed;
    await killing;
    return !done;
  }
}
