/**
 * `node tests/bench/churn.ts [generations]`: what prune gains, rewrites and leaves dead over many generations of change,
 * with expiry, and after a fifth of the entities is deleted. All in memory; prints a table.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBackup } from '../../src/backup/index.ts';
import { check, prune, Repository, type PruneResult } from '../../src/repository/index.ts';
import type { Clock } from '../../src/runtime/index.ts';
import { listAll } from '../../src/storage/index.ts';
import { CountingStorage, MemoryStorage } from '../../src/storage/trial/index.ts';
import { seededNumbers } from '../repository/seeded.ts';
import { TreeSource, type Tree, type TreeFile } from '../repository/tree.ts';

const GENERATIONS = Number(process.argv[2] ?? 40);
const ENTITIES = 5;
const KEEP = 5;
const DAY = 86_400_000;
const random = seededNumbers(1);

class BenchClock implements Clock {
  time = Date.parse('2026-01-01T00:00:00Z');
  now(): number { return this.time++; }
  monotonic(): number { return performance.now(); }
}

/** Mostly text and mails of some KB, some larger files that cannot be compressed. */
function file(): TreeFile {
  const choice = random();
  const content = `${choice < 0.6 ? 't' : choice < 0.9 ? 'm' : 'r'}${Math.floor(random() * 9)}${Math.floor(random() * 1e9)}`;
  return { content, size: choice < 0.9 ? 500 + Math.floor(random() ** 3 * 60_000) : 50_000 + Math.floor(random() * 600_000) };
}

/** A tree after a day: so many of a hundred files deleted, changed and added. */
function dayOf(tree: Tree, percent: number): Tree {
  const next = new Map<string, TreeFile>();
  for (const [path, old] of tree) {
    const choice = random() * 100;
    if (choice < percent / 2) continue;
    next.set(path, choice < percent ? file() : old);
  }
  for (let i = 0; i < (tree.size * percent) / 200; i++) next.set(`d${Math.floor(random() * 12)}/f${Math.floor(random() * 1e9)}`, file());
  return next;
}

function firstTree(files: number): Tree {
  return new Map(Array.from({ length: files }, (_, i) => [`d${i % 12}/f${String(i).padStart(5, '0')}`, file()]));
}

const clock = new BenchClock();
const counting = new CountingStorage(new MemoryStorage());
const cacheDirectory = await mkdtemp(join(tmpdir(), 'holdfast-churn-'));
const repository = await Repository.init(counting, new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), { cacheDirectory, clock });
const trees: Tree[] = Array.from({ length: ENTITIES }, () => firstTree(600));

async function packBytes(): Promise<{ bytes: number; packs: number }> {
  let [bytes, packs] = [0, 0];
  for await (const object of listAll(counting, 'packs/')) {
    bytes += object.size;
    packs++;
  }
  return { bytes, packs };
}

const mega = (bytes: number): string => (bytes / 1e6).toFixed(1).padStart(7);
const cells = (values: readonly (string | number)[]): string => values.map((value) => String(value).padStart(9)).join(' ');

function report(label: string | number, stored: number, result: PruneResult, written: number, packs: number, cpu: number): void {
  const share = `${((100 * result.deadKept) / Math.max(1, result.bytesKept)).toFixed(1)} %`;
  console.log(cells([label, mega(stored), mega(result.bytesFreed), result.packsDeleted, result.packsRewritten, mega(written),
    mega(result.bytesKept), mega(result.deadKept), share, packs, cpu.toFixed(2)]));
}

console.log(cells(['day', 'stored MB', 'freed', 'deleted', 'rewritten', 'copied MB', 'kept MB', 'dead MB', 'dead', 'packs', 'cpu s']));
const total = { stored: 0, copied: 0, cpu: 0 };

async function pruned(label: string | number, stored: number): Promise<void> {
  counting.reset();
  const before = process.cpuUsage();
  const result = await prune(repository, { keepLast: KEEP }, { graceMs: 0 });
  const used = process.cpuUsage(before);
  const cpu = (used.user + used.system) / 1e6;
  const { packs, bytes } = await packBytes();
  const copied = bytes - (stored - result.bytesFreed) > 0 ? result.packsRewritten > 0 ? counting.counts.put.bytes : 0 : 0;
  total.stored += stored;
  total.copied += copied;
  total.cpu += cpu;
  report(label, stored, result, copied, packs, cpu);
}

for (let day = 0; day < GENERATIONS; day++) {
  clock.time += DAY;
  const before = (await packBytes()).bytes;
  for (let i = 0; i < ENTITIES; i++) {
    // Some entities hardly change, one changes a lot.
    trees[i] = day === 0 ? trees[i] as Tree : dayOf(trees[i] as Tree, [0.5, 1, 2, 5, 15][i] ?? 1);
    await runBackup(repository, new TreeSource(`e${i}`, trees[i] as Tree), {
      signal: new AbortController().signal, progress: () => {}, clock, workers: 2,
    });
  }
  await pruned(day, (await packBytes()).bytes - before);
}

// A fifth of the entities is deleted: their snapshots go, whatever a policy says.
const gone = (await repository.entities())[2]?.tag ?? '';
for (const kind of ['snapshots', 'seals']) for await (const object of listAll(counting, `${kind}/${gone}/`)) await counting.delete(object.name);
await pruned('1/5 gone', 0);
await pruned('again', 0);
const { errors } = await check(repository, { readData: 100 });
console.log(`stored ${mega(total.stored)} MB, copied by prune ${mega(total.copied)} MB, ${total.cpu.toFixed(1)} CPU s; check finds ${errors.length} errors`);
rmSync(cacheDirectory, { recursive: true });
