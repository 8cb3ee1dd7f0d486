/**
 * Fills a catalog of 1,000,000 rows and 100 snapshots and times folder pages at several points in time.
 * `node tests/bench/catalog.ts [rows] [snapshots] [directory]`; prints JSON lines. Not part of CI.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '../../src/catalog/index.ts';
import type { PageOptions } from '../../src/catalog/index.ts';
import type { ItemRow, RowChange } from '../../src/domain/index.ts';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const SNAPSHOTS = Number(process.argv[3] ?? 100);
const directory = mkdtempSync(join(process.argv[4] ?? tmpdir(), 'catalog-bench-'));
const FOLDERS = 200;
const SHARE_OF_BIGGEST = 0.4;
const QUESTIONS = 300;
const WORDS = 'report invoice meeting minutes Budget draft offer contract travel Photo summer team plan'.split(' ');

let seed = 42;
/** mulberry32 */
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit: number): number => Math.floor(random() * limit);
const word = (): string => WORDS[below(WORDS.length)] ?? '';

function folderKey(index: number): string {
  return `F${String(index).padStart(4, '0')}`;
}

/** The first folder holds 40 % of all items, the rest share what is left. */
function anyFolder(): string {
  return random() < SHARE_OF_BIGGEST ? folderKey(0) : folderKey(1 + below(FOLDERS - 1));
}

function item(key: string, version: number): ItemRow {
  return {
    key,
    parent: anyFolder(),
    name: `${word()} ${word()} ${word()} ${below(100_000)}`,
    kind: 'mail',
    size: below(200_000),
    // One new mail a minute, so that what came later is newer.
    modified: 1.6e12 + (version === 0 ? below(ROWS) : ROWS + version * 1440) * 60_000,
    change: String(version),
    meta: '{"flags":["seen"],"from":"alice@example.test"}',
    outcome: '',
    content: Array.from({ length: 40 }, () => String.fromCharCode(below(256))).join(''),
  };
}

const itemKey = (index: number): string => `M${String(index).padStart(9, '0')}`;

async function* base(): AsyncGenerator<RowChange[]> {
  yield Array.from({ length: FOLDERS }, (_, index) => ({
    row: { ...item(folderKey(index), 0), parent: '', kind: 'folder', name: `Folder ${index}`, size: 0, content: '' },
  }));
  for (let start = 0; start < ROWS; start += 1000) {
    const length = Math.min(1000, ROWS - start);
    yield Array.from({ length }, (_, index) => ({ row: item(itemKey(start + index), 0) }));
  }
}

let made = ROWS;
async function* changes(version: number): AsyncGenerator<RowChange[]> {
  const byKey = new Map<string, RowChange>();
  for (let count = 0; count < ROWS * 0.0003; count++) {
    const key = itemKey(below(made));
    byKey.set(key, { row: item(key, version) });
  }
  for (let count = 0; count < ROWS * 0.0001; count++) {
    const key = itemKey(below(made));
    byKey.set(key, { removed: key });
  }
  for (let count = 0; count < ROWS * 0.0006; count++) {
    const key = itemKey(made++);
    byKey.set(key, { row: item(key, version) });
  }
  yield [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? []);
}

function print(what: string, figures: Record<string, number | string>): void {
  console.log(JSON.stringify({ what, ...figures }));
}

const snapshotId = (version: number): string => String(version).padStart(32, '0');
const startedAt = (version: number): string => new Date(1.7e12 + version * 3_600_000 * 6).toISOString();
const rounded = (value: number): number => Math.round(value * 100) / 100;

async function timed<T>(action: () => Promise<T>): Promise<[number, T]> {
  const start = performance.now();
  const result = await action();
  return [performance.now() - start, result];
}

async function fill(catalog: Catalog): Promise<void> {
  const info = (version: number) => ({ id: snapshotId(version), startedAt: startedAt(version) });
  const [ms] = await timed(() => catalog.addSnapshot(info(0), base(), { base: undefined }));
  print('first snapshot', { rows: ROWS, seconds: rounded(ms / 1000), rowsPerSecond: Math.round(ROWS / (ms / 1000)) });
  print('memory', { peakRssMB: Math.round(process.resourceUsage().maxRSS / 1024) });
  const times: number[] = [];
  for (let version = 1; version < SNAPSHOTS; version++) {
    const add = () => catalog.addSnapshot(info(version), changes(version), { base: snapshotId(version - 1) });
    times.push((await timed(add))[0]);
  }
  printTimes('one more snapshot, 0.1 % changed', times);
}

function printTimes(what: string, times: number[]): void {
  times.sort((a, b) => a - b);
  const place = (share: number): number => Math.min(times.length - 1, Math.floor(times.length * share));
  const at = (share: number): number => rounded(times[place(share)] ?? 0);
  print(what, { count: times.length, medianMs: at(0.5), p95Ms: at(0.95), maxMs: at(1) });
}

async function pages(catalog: Catalog, what: string, version: () => number, folder: () => string, extra: object) {
  const first: number[] = [];
  const second: number[] = [];
  for (let count = 0; count < QUESTIONS; count++) {
    const snapshot = snapshotId(version());
    const parent = folder();
    const options: PageOptions = { limit: 100, ...extra };
    const ask = (after?: string) => timed(() => catalog.page(snapshot, parent, { ...options, after }));
    const [ms, page] = await ask();
    first.push(ms);
    if (page.next) second.push((await ask(page.next))[0]);
  }
  printTimes(`page, ${what}`, first);
  printTimes(`page after it, ${what}`, second);
}

async function deepPages(catalog: Catalog): Promise<void> {
  const times: number[] = [];
  const snapshot = snapshotId(Math.floor(SNAPSHOTS / 2));
  let after: string | undefined;
  do {
    const [ms, page] = await timed(() => catalog.page(snapshot, folderKey(0), { limit: 100, after }));
    times.push(ms);
    after = page.next;
  } while (after !== undefined && times.length < 2000);
  printTimes('page, deep into the biggest folder', times);
}

async function questions(catalog: Catalog): Promise<void> {
  const newest = SNAPSHOTS - 1;
  const times = { newest: () => newest, any: () => below(SNAPSHOTS), oldest: () => 0 };
  for (const [when, version] of Object.entries(times)) {
    await pages(catalog, `any folder, ${when} snapshot, by name`, version, anyFolder, {});
    const newestFirst = { order: 'modified', direction: 'descending' };
    await pages(catalog, `biggest folder, ${when} snapshot, newest first`, version, () => folderKey(0), newestFirst);
    const biggest = { order: 'size', direction: 'descending' };
    await pages(catalog, `biggest folder, ${when} snapshot, by size`, version, () => folderKey(0), biggest);
  }
  await deepPages(catalog);
  const diffs: number[] = [];
  for (let version = 1; version < SNAPSHOTS; version++) {
    const ask = () => catalog.diff(snapshotId(version - 1), snapshotId(version), { limit: 100 });
    diffs.push((await timed(ask))[0]);
  }
  printTimes('first page of a difference, neighbours', diffs);
  const far = async (): Promise<number> => {
    let count = 0;
    let after: string | undefined;
    do {
      const page = await catalog.diff(snapshotId(0), snapshotId(newest), { after, limit: 1000 });
      count += page.changes.length;
      after = page.next;
    } while (after !== undefined);
    return count;
  };
  const [farMs, differences] = await timed(far);
  print('whole difference, oldest to newest', { differences, ms: rounded(farMs) });
  const [rowsMs, rows] = await timed(async () => {
    let count = 0;
    for await (const batch of catalog.rows(snapshotId(newest))) count += batch.length;
    return count;
  });
  print('all rows', { rows, seconds: rounded(rowsMs / 1000) });
  const [walkMs, walked] = await timed(async () => {
    let count = 0;
    for await (const batch of catalog.below(snapshotId(newest), '')) count += batch.length;
    return count;
  });
  print('all rows by folder', { rows: walked, seconds: rounded(walkMs / 1000) });
}

const catalog = await Catalog.open({ directory, entity: 'bench', generation: '1' });
try {
  await fill(catalog);
  await questions(catalog);
  const bytes = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  print('files', { megabytes: Math.round(bytes / 2 ** 20) });
  const dropped = Array.from({ length: Math.floor(SNAPSHOTS / 2) }, (_, index) => snapshotId(index * 2));
  const [dropMs] = await timed(() => catalog.dropSnapshots(dropped));
  print('dropping every other snapshot', { dropped: dropped.length, ms: rounded(dropMs) });
  print('memory', { peakRssMB: Math.round(process.resourceUsage().maxRSS / 1024) });
} finally {
  await catalog.close();
  rmSync(directory, { recursive: true, force: true });
}
