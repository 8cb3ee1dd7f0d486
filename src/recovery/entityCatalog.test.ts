import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runBackup } from '../backup/index.ts';
import type { SourceChange, SourceItem, SourceSession } from '../connectors/contract.ts';
import { Repository, stateRows, type Manifest } from '../repository/index.ts';
import { systemClock } from '../runtime/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { openEntityCatalog } from './entityCatalog.ts';

let directory: string;
let repository: Repository;
let day = 0;
const signal = new AbortController().signal;
/** A day later at each run, so that counts per day tell the runs apart. */
const clock = { now: () => Date.UTC(2026, 0, 1 + day), monotonic: systemClock.monotonic };

beforeEach(async () => {
  day = 0;
  directory = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  repository = await Repository.init(new MemoryStorage(), new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), { cacheDirectory: directory, clock });
});
afterEach(() => rm(directory, { recursive: true }));

function item(key: string, change: string, parent: string): SourceItem {
  return { key, parent, name: `${key} ${change}`, kind: parent === '' ? 'folder' : 'note', size: change.length, modified: null, change, meta: '' };
}

/** A source that lists exactly these: key → change key; keys of one letter are folders. */
function sourceOf(items: Readonly<Record<string, string>>): SourceSession {
  const parentOf = (key: string): string => (key.length === 1 ? '' : key.slice(0, 1));
  return {
    entity: { id: 'notes:a', service: 'notes', name: 'A' },
    cursor: () => undefined,
    close: async () => {},
    async* enumerate(): AsyncGenerator<SourceChange[]> {
      const changes = Object.entries(items).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, change]): SourceChange => ({
        type: 'item', item: item(key, change, parentOf(key)), content: { from: key.length === 1 ? 'none' : 'fetch' },
      }));
      yield [{ type: 'listing', prefix: '' }, ...changes, { type: 'listed', prefix: '' }];
    },
    async* fetch(items) {
      for (const one of items) yield { item: one, bytes: Buffer.from(one.change) };
    },
  };
}

const GENERATIONS: readonly Readonly<Record<string, string>>[] = [
  { f: '1', f1: 'a', f2: 'a' },
  { f: '1', f1: 'a', f2: 'b', f3: 'a' },
  { f: '1', f1: 'a', f2: 'b', f3: 'a' },
  { f: '1', f3: 'c', g: '1', g1: 'a' },
];

async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const found: T[] = [];
  for await (const batch of batches) found.push(...batch);
  return found;
}

async function history(): Promise<Manifest[]> {
  for (const generation of GENERATIONS) {
    day++;
    await runBackup(repository, sourceOf(generation), { signal, progress: () => {}, clock });
  }
  return (await repository.snapshots()).map((stored) => stored.manifest);
}

test('the catalog shows at each snapshot what the repository holds, also when it is made anew', async () => {
  const snapshots = await history();
  for (const round of ['made', 'found', 'made anew']) {
    if (round === 'made anew') await rm(join(repository.context.cacheDirectory, 'catalog'), { recursive: true });
    const catalog = await openEntityCatalog(repository, snapshots, { indexed: true, signal });
    for (const manifest of snapshots) {
      const { storage, keyring } = repository.context;
      const expected = await all(stateRows({ storage, keyring, tag: manifest.tag }, manifest.layers));
      expect(await all(catalog.rows(manifest.id)), `${round} ${manifest.id}`).toEqual(expected);
    }
    await catalog.close();
  }
});

test('a day counts what its snapshot added, changed and removed; a pruned snapshot is dropped', async () => {
  const snapshots = await history();
  const catalog = await openEntityCatalog(repository, snapshots, { indexed: true, signal });
  expect(await catalog.countsPerDay('2026-01-02', '2026-01-05')).toMatchObject([
    { day: '2026-01-02', snapshots: 1, added: 3, changed: 0, removed: 0 },
    { day: '2026-01-03', snapshots: 1, added: 1, changed: 1, removed: 0 },
    { day: '2026-01-04', snapshots: 1, added: 0, changed: 0, removed: 0 },
    { day: '2026-01-05', snapshots: 1, added: 2, changed: 1, removed: 2 },
  ]);
  await catalog.close();
  const without = await openEntityCatalog(repository, snapshots.toSpliced(1, 1), { indexed: true, signal });
  expect(await without.snapshots()).toEqual(snapshots.toSpliced(1, 1).map((manifest) => manifest.id));
  await without.close();
});
