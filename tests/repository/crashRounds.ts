import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { check, type Repository } from '../../src/repository/index.ts';
import { readSettings, systemClock } from '../../src/runtime/index.ts';
import { openStorage, type Storage } from '../../src/storage/index.ts';
import { runJob, type CrashJob } from './crashChild.ts';
import { initRepository, namesIn, OPERATOR_KEY, openRepository, SnapshotProof } from './fixture.ts';
import { seededNumbers } from './seeded.ts';
import { nextTree, type Tree } from './tree.ts';

/** More than one pack of new data, so that a run has something to make durable before its end. */
function bulk(seed: number): Tree {
  return new Map(Array.from({ length: 13 }, (_, i) => [`zz-bulk/${i}`, { content: `r${seed}/${i}`, size: 1_200_000 }] as const));
}

/** A content for which a worker of the store is started at once, at the beginning of the run: what is small is stored by the calling thread. It takes the place of an earlier one. */
function large(seed: number): Tree {
  return new Map([['a-large', { content: `l${seed}`, size: 4_300_000 }]]);
}

export interface CrashTally {
  /** Kills that struck while the job ran, by job. */
  readonly kills: Record<CrashJob['kind'], number>;
  /** Runs that were killed after their snapshot was sealed, or before. */
  sealed: number;
  unsealed: number;
  /** Checkpoints found after a kill. */
  checkpoints: number;
}

const HOUR = 3_600_000;
/**
 * How often a week passes between two rounds, when nobody works: the next prune would then sweep what pins killed runs
 * left. Without that each of them keeps its snapshot, and rounds grow longer and longer.
 */
const WEEK = 0.5;
const CHILD_MS = 180_000;
/** Generations differ by about this much; some of it cannot be compressed. */
const SHAPE = { changes: 14, largest: 150_000 };

/** Kills processes at random moments of backup, prune and rebuild, and proves after each that nothing sealed is lost and a rerun finishes. */
export class CrashRounds {
  readonly tally: CrashTally = { kills: { backup: 0, prune: 0, rebuild: 0 }, sealed: 0, unsealed: 0, checkpoints: 0 };
  readonly #folder: string;
  readonly #url: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #next: () => number;
  readonly #seed: number;
  /** By snapshot id. */
  readonly #trees = new Map<string, Tree>();
  readonly #durations: Record<CrashJob['kind'], number> = { backup: 400, prune: 150, rebuild: 60 };
  #tree: Tree = new Map();
  #rounds = 0;

  /** Caches lie in `folder`, the repository too unless it is at another `url`, for which the `environment` has keys. */
  constructor(folder: string, seed: number, place: { url?: string; environment?: Record<string, string> } = {}) {
    this.#folder = folder;
    this.#url = place.url ?? join(folder, 'repository');
    this.#environment = place.environment ?? {};
    this.#seed = seed;
    this.#next = seededNumbers(seed);
  }

  /** `told` hears of each round: long soaks say how far they are. */
  async run(kills: number, told?: (round: string) => void): Promise<CrashTally> {
    const storage = await openStorage(this.#url, { create: true, settings: readSettings(this.#environment) });
    await initRepository(storage, this.#cache, systemClock);
    this.#tree = nextTree(new Map(), this.#seed, { ...SHAPE, changes: 60 });
    const struck = (): number => Object.values(this.tally.kills).reduce((sum, n) => sum + n, 0);
    while (struck() < kills) {
      assert.ok(this.#rounds++ < kills * 4, 'most kills came too late');
      const job = this.#job();
      if (this.#next() < WEEK) for (const name of await namesIn(storage, 'pins/')) await storage.delete(name);
      try {
        await this.#round(storage, job);
        told?.(`round ${this.#rounds} (${job.kind}): ${struck()} kills`);
      } catch (error) {
        throw new Error(`round ${this.#rounds}, ${job.kind} (seed ${this.#seed})`, { cause: error });
      }
    }
    return this.tally;
  }

  get #cache(): string { return join(this.#folder, 'cache'); }

  #job(): CrashJob {
    const choice = this.#next();
    if (this.#rounds > 3 && choice < 0.35) {
      return { kind: 'prune', keepLast: 1 + Math.floor(this.#next() * 3), graceMs: this.#next() < 0.7 ? 0 : HOUR };
    }
    if (this.#rounds > 3 && choice < 0.45) return { kind: 'rebuild' };
    this.#tree = nextTree(this.#tree, this.#seed + this.#rounds, SHAPE);
    const extra = this.#next();
    if (extra < 0.08) this.#tree = new Map([...this.#tree, ...bulk(this.#seed + this.#rounds)]);
    else if (extra < 0.25) this.#tree = new Map([...this.#tree, ...large(this.#seed + this.#rounds)]);
    return { kind: 'backup', entity: 'e', tree: [...this.#tree] };
  }

  async #round(storage: Storage, job: CrashJob): Promise<void> {
    if (await this.#kill(job)) this.tally.kills[job.kind]++;
    const repository = await openRepository(storage, this.#cache, systemClock);
    this.tally.checkpoints += (await namesIn(storage, 'checkpoints/')).length;
    const sealed = await this.#prove(repository);
    if (job.kind === 'backup') this.tally[sealed > 0 ? 'sealed' : 'unsealed']++;
    const started = performance.now();
    await runJob(repository, job);
    this.#durations[job.kind] = (this.#durations[job.kind] + performance.now() - started) / 2;
    await this.#prove(repository);
  }

  /** @returns how many snapshots are new. */
  async #prove(repository: Repository): Promise<number> {
    const report = await check(repository, { readData: 100, workers: 1 });
    assert.deepEqual(report.errors, []);
    const proof = new SnapshotProof(repository);
    const standing = await repository.snapshots();
    let added = 0;
    for (const { manifest } of standing) {
      if (!this.#trees.has(manifest.id)) added++;
      const tree = this.#trees.get(manifest.id) ?? this.#tree;
      this.#trees.set(manifest.id, tree);
      await proof.holds(manifest, tree);
    }
    // The newest sealed snapshot never goes.
    const newest = [...this.#trees.keys()].sort().at(-1);
    if (newest !== undefined) assert.ok(standing.some(({ manifest }) => manifest.id === newest), 'the newest snapshot is gone');
    return added;
  }

  /** False when the job was done before the kill came. */
  async #kill(job: CrashJob): Promise<boolean> {
    const script = join(import.meta.dirname, 'crashChild.ts');
    const child = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning', script, this.#url, this.#cache,
      Buffer.from(OPERATOR_KEY).toString('hex'), JSON.stringify(job),
    ], { stdio: ['ignore', 'pipe', 'inherit'], timeout: CHILD_MS, killSignal: 'SIGKILL', env: { ...process.env, ...this.#environment } });
    const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
    let done = false;
    let killing: Promise<unknown> | undefined;
    const delay = this.#next() * this.#durations[job.kind] * 1.2;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'done') done = true;
      else killing = wait(delay).then(() => child.kill('SIGKILL'));
    });
    await closed;
    await killing;
    return !done;
  }
}
