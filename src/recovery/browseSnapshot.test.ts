import { afterAll, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ItemRow, RowChange } from '../domain/index.ts';
import { Repository, type Manifest } from '../repository/index.ts';
import { type Storage } from '../storage/index.ts';
import { CountingStorage, MemoryStorage } from '../storage/trial/index.ts';
import { browseDifference, type Difference } from './browseDifference.ts';
import { isTop, SnapshotBrowser, type KeyStyle, type Placed } from './browseSnapshot.ts';
import { keysAtPath } from './keysAtPath.ts';

const cacheDirectory = mkdtempSync(join(tmpdir(), 'holdfast-browse-'));
afterAll(() => rmSync(cacheDirectory, { recursive: true, force: true }));

/** A snapshot as a test writes it down: every row by its key. */
type State = ReadonlyMap<string, ItemRow>;

const EMPTY: ItemRow = {
  key: '', parent: '', name: '', kind: 'file', size: 0, modified: 1_700_000_000_000, change: '', meta: '', outcome: '', content: '',
};

async function makeRepository(storage: Storage = new MemoryStorage()): Promise<Repository> {
  // Ids order snapshots by the millisecond, and these are made faster than that.
  let now = 1_700_000_000_000;
  const clock = { now: () => now++, monotonic: () => now };
  return Repository.init(storage, new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), { cacheDirectory, clock });
}

/** Makes a snapshot that holds exactly `after`, as a run whose predecessor held `before`. */
async function addSnapshot(repository: Repository, before: State, after: State): Promise<Manifest> {
  const changes: RowChange[] = [];
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const row = after.get(key);
    if (!row) changes.push({ removed: key });
    else if (before.get(key) !== row) changes.push({ row });
  }
  const session = await repository.begin({ id: 'test:x', service: 'test', name: 'x' }, { workers: 1 });
  try {
    for (const change of changes) if (!session.row(change)) await session.settle();
    const none = { items: 0, folders: 0, bytes: 0, added: 0, changed: 0, removed: 0, skipped: 0, failed: 0, altered: 0 };
    return await session.commit({ startedAt: '2026-01-01T00:00:00.000Z', status: 'complete', counts: none, warnings: [], cursor: null });
  } finally {
    await session.close();
  }
}

async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const found: T[] = [];
  for await (const batch of batches) found.push(...batch);
  return found;
}

const bytes = (name: string): string => Buffer.from(name, 'utf8').toString('latin1');

function naivePath(state: State, row: ItemRow): string {
  const above = state.get(row.parent);
  return above ? `${naivePath(state, above)}/${row.name}` : row.name;
}

function isBelow(state: State, row: ItemRow, folder: string): boolean {
  return row.parent === folder || (state.has(row.parent) && isBelow(state, state.get(row.parent) ?? EMPTY, folder));
}

const placedOf = (state: State, rows: readonly ItemRow[]): Placed[] =>
  rows.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map((row) => ({ row, path: naivePath(state, row) }));

// Names that sort around the NUL that joins keys and the 1 that seeks past it, and one that is a prefix of others.
const NAME = fc.constantFrom('a', 'a\x01', 'a!', 'ab', 'b', 'ä', 'x y');

/** Trees: each step adds, touches or removes something at a place made of few names, so that they meet. */
const STEPS = fc.array(fc.record({
  path: fc.array(NAME, { minLength: 1, maxLength: 4 }), folder: fc.boolean(), remove: fc.boolean(), size: fc.nat(3),
}), { maxLength: 30 });

type Step = { path: string[]; folder: boolean; remove: boolean; size: number };

function keyOf(style: KeyStyle, path: readonly string[], folder: boolean): string {
  if (style === 'path') return path.map(bytes).join('\0');
  // No order that has to do with the tree, and folders apart from items.
  return (folder ? 'f' : 'm') + Buffer.from(path.join('/')).reverse().toString('latin1');
}

function applied(style: KeyStyle, before: State, steps: readonly Step[]): Map<string, ItemRow> {
  const state = new Map(before);
  for (const { path, folder, remove, size } of steps) {
    const key = keyOf(style, path, folder);
    const there = state.get(key);
    if (remove) {
      const gone = [...state.values()].filter((row) => row.key === key || isBelow(state, row, key));
      for (const row of gone) state.delete(row.key);
    } else if (there === undefined || (there.kind === 'folder') === folder) {
      const parent = makeFolders(style, state, path.slice(0, -1));
      if (parent !== undefined) state.set(key, { ...EMPTY, key, parent, name: path.at(-1) ?? '', kind: folder ? 'folder' : 'file', size });
    }
  }
  return state;
}

/** Makes the folders of a path; gives the last one's key, or undefined where an item is in the way. */
function makeFolders(style: KeyStyle, state: Map<string, ItemRow>, path: readonly string[]): string | undefined {
  let parent = '';
  for (const [depth, name] of path.entries()) {
    const key = keyOf(style, path.slice(0, depth + 1), true);
    const there = state.get(key);
    if (there && there.kind !== 'folder') return undefined;
    if (!there) state.set(key, { ...EMPTY, key, parent, name, kind: 'folder' });
    parent = key;
  }
  return parent;
}

async function checkAgainst(state: State, browser: SnapshotBrowser): Promise<void> {
  const rows = [...state.values()];
  expect(await all(browser.below())).toEqual(placedOf(state, rows));
  expect(await all(browser.children())).toEqual(placedOf(state, rows.filter((row) => row.parent === '')));
  for (const row of rows) {
    const path = naivePath(state, row);
    expect(await browser.find(`/${path}/`)).toEqual(placedOf(state, rows.filter((other) => naivePath(state, other) === path)));
    if (row.kind !== 'folder') continue;
    expect(await all(browser.children(row))).toEqual(placedOf(state, rows.filter((other) => other.parent === row.key)));
    expect(await all(browser.below(row))).toEqual(placedOf(state, rows.filter((other) => isBelow(state, other, row.key))));
  }
  expect(await browser.find('a/nowhere')).toEqual([]);
}

function naiveDifference(a: State, b: State): Difference[] {
  const found: Difference[] = [];
  for (const key of [...new Set([...a.keys(), ...b.keys()])].sort()) {
    const [before, after] = [a.get(key), b.get(key)];
    if (!before && after) found.push({ change: 'added', after: { row: after, path: naivePath(b, after) } });
    else if (before && !after) found.push({ change: 'removed', before: { row: before, path: naivePath(a, before) } });
    else if (before && after) {
      const parts = [...(before.size === after.size ? [] : ['content' as const]), ...(before.kind === after.kind ? [] : ['fields' as const])];
      if (parts.length === 0) continue;
      const places = { before: { row: before, path: naivePath(a, before) }, after: { row: after, path: naivePath(b, after) } };
      found.push({ change: 'changed', ...places, parts });
    }
  }
  return found;
}

test.each(['path', 'opaque'] as const)('finds and compares like a plain search, with keys of style %s', async (keys) => {
  await fc.assert(fc.asyncProperty(fc.array(STEPS, { minLength: 1, maxLength: 4 }), async (generations) => {
    const repository = await makeRepository();
    const states: State[] = [];
    const manifests: Manifest[] = [];
    for (const steps of generations) {
      const before: State = states.at(-1) ?? new Map<string, ItemRow>();
      const state = applied(keys, before, steps);
      manifests.push(await addSnapshot(repository, before, state));
      states.push(state);
    }
    const last = manifests.at(-1) as Manifest;
    await checkAgainst(states.at(-1) as State, new SnapshotBrowser(repository, last, { keys }));
    for (const [i, manifest] of manifests.entries()) {
      const state = states[i] as State;
      expect(await all(browseDifference(repository, manifest, last, { keys }))).toEqual(naiveDifference(state, states.at(-1) as State));
      expect(await all(browseDifference(repository, last, manifest, { keys }))).toEqual(naiveDifference(states.at(-1) as State, state));
    }
  }), { numRuns: 40 });
}, 60_000);

test('names with a slash, repeated names and broken bytes are found as they are shown', async () => {
  const rows: ItemRow[] = [
    { ...EMPTY, key: 'f1', name: 'In/box', kind: 'folder' },
    { ...EMPTY, key: 'm1', parent: 'f1', name: 'Re: 1/2' },
    { ...EMPTY, key: 'm2', parent: 'f1', name: 'Re: 1/2' },
    { ...EMPTY, key: 'm3', parent: 'f1', name: '' },
    { ...EMPTY, key: 'm4', parent: 'f9', name: 'lost' },
  ];
  const repository = await makeRepository();
  const manifest = await addSnapshot(repository, new Map(), new Map(rows.map((row) => [row.key, row])));
  const browser = new SnapshotBrowser(repository, manifest, { keys: 'opaque' });
  const keysAt = async (path: string): Promise<string[]> => (await browser.find(path)).map(({ row }) => row.key);
  expect(await keysAt('In/box')).toEqual(['f1']);
  expect(await keysAt('In/box/Re: 1/2')).toEqual(['m1', 'm2']);
  expect(await keysAt('In/box/')).toEqual(['f1', 'm3']);
  expect(await keysAt('lost')).toEqual(['m4']);
  expect(await keysAt('box/Re: 1/2')).toEqual([]);
});

test('a file name that is no UTF-8 is found by what is shown of it', async () => {
  const rows = [{ ...EMPTY, key: 'caf\xe9', name: 'caf\uFFFD' }, { ...EMPTY, key: '\0', name: '.', kind: 'folder' }];
  const repository = await makeRepository();
  const manifest = await addSnapshot(repository, new Map(), new Map(rows.map((row) => [row.key, row])));
  const browser = new SnapshotBrowser(repository, manifest, { keys: 'path' });
  expect((await browser.find('caf\uFFFD')).map(({ row }) => row.key)).toEqual(['caf\xe9']);
  // The top directory's own row is no entry of itself.
  expect((await all(browser.children())).map(({ path }) => path)).toEqual(['caf\uFFFD']);
  expect((await all(browser.below())).map(({ path }) => path)).toEqual(['caf\uFFFD']);
});

test.each([['', true], ['/', true], ['.', true], ['./', true], ['a', false], ['/a', false]])('the top is what %o says: %o', (path, top) => {
  expect(isTop(path)).toBe(top);
});

test('the keys at a path in any snapshot are found in one pass over the rows that the snapshots share', async () => {
  const storage = new CountingStorage(new MemoryStorage());
  const repository = await makeRepository(storage);
  const row = (key: string, parent: string, name: string, kind = 'mail'): [string, ItemRow] => [key, { ...EMPTY, key, parent, name, kind }];
  const base = [row('f', '', 'Old', 'folder'), row('g', '', 'Other', 'folder'), row('m1', 'f', 'Hi/there'), row('m2', 'g', 'Hi/there'), row('m3', 'f', 'Bye')];
  // The folder is called New for a while; another item is where m1 was; m2 moves there.
  const steps = [[], [row('f', '', 'New', 'folder')], [row('f', '', 'Old', 'folder')], [row('m4', 'f', 'Hi/there')], [row('m2', 'f', 'Hi/there')], [], []];
  const manifests: Manifest[] = [];
  let state: State = new Map();
  for (const [i, step] of steps.entries()) {
    const after: State = new Map([...(i === 0 ? base : state), ...step]);
    manifests.push(await addSnapshot(repository, state, after));
    state = after;
  }
  storage.reset();
  expect([...await keysAtPath(repository, manifests, 'Old/Hi/there')].toSorted()).toEqual(['m1', 'm2', 'm4']);
  // A pass for the items and one for the folders above them, each of five segments: the end and one block.
  expect(storage.counts.get.requests).toBe(20);
  expect([...await keysAtPath(repository, manifests, '/New/Bye/')]).toEqual(['m3']);
  expect([...await keysAtPath(repository, manifests, 'Bye')]).toEqual([]);
});
