import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ItemRow } from '../domain/index.ts';
import type { DiffPage, Page, PageOptions, WalkPage } from './protocol.ts';
import * as model from './testing/model.ts';
import type { ModelSnapshot, State } from './testing/model.ts';
import { InThread, scratchDirectory } from './testing/scratch.ts';

// Keys that text or a careless order would confuse; folders are those with an 'F'.
const FOLDERS = ['F', 'F\0', 'F\0F', 'F\xff', '\xc3F'];
const KEYS = [...FOLDERS, '\0', 'a', 'a\0', 'a\0b', 'aa', '\x80', '\xff', '\xff\xff', 'z1', 'z2', 'z3'];
const NAMES = ['', 'a', 'A', 'ä', 'b', 'a\0b', 'x\ud800', 'x\ud801', 'Report', 'report', '日本'];

const anyFields = fc.record({
  parent: fc.constantFrom('', '', ...FOLDERS),
  name: fc.constantFrom(...NAMES),
  size: fc.nat({ max: 3 }),
  modified: fc.constantFrom(null, 0, -5, 1.5, 2e12),
  change: fc.constantFrom('', '\0', '\xff'),
  content: fc.constantFrom('', '\0\xff'),
});
/** Per key: a new version, nothing (undefined) or its end (null). */
const anyEdit = fc.oneof(
  { weight: 3, arbitrary: anyFields },
  { weight: 1, arbitrary: fc.constant(null) },
);
const anyGeneration = fc.dictionary(fc.constantFrom(...KEYS), anyEdit, { maxKeys: 8, noNullPrototype: true });
const anyHistory = fc.array(anyGeneration, { minLength: 1, maxLength: 12 });
const anyDrops = fc.array(fc.array(fc.nat({ max: 11 }), { maxLength: 5 }), { maxLength: 3 });

type Generation = Record<string, Partial<ItemRow> | null>;

function statesOf(history: readonly Generation[]): ModelSnapshot[] {
  let state = new Map<string, ItemRow>();
  return history.map((generation, index) => {
    state = new Map(state);
    for (const [key, edit] of Object.entries(generation)) {
      if (edit === null) state.delete(key);
      else state.set(key, model.row({ key, ...edit, kind: key.includes('F') ? 'folder' : 'file' }));
    }
    return model.snapshotOf(index, state);
  });
}

function allPages(catalog: InThread, snapshot: string, parent: string, options: PageOptions): ItemRow[] {
  const rows: ItemRow[] = [];
  let after: string | undefined;
  do {
    const page: Page = catalog.ask('page', snapshot, parent, { ...options, after });
    expect(page.rows.length).toBeLessThanOrEqual(options.limit);
    rows.push(...page.rows);
    // Pages in circles would never end.
    expect(rows.length).toBeLessThanOrEqual(KEYS.length);
    after = page.next;
  } while (after !== undefined);
  return rows;
}

const byKey = (a: ItemRow, b: ItemRow): number => (a.key < b.key ? -1 : Number(a.key > b.key));
const value = (row: ItemRow, order: 'size' | 'modified'): number => row[order] ?? Number.NEGATIVE_INFINITY;

function checkPages(catalog: InThread, id: string, state: State, parent: string): void {
  const wanted = model.childrenOf(state, parent);
  const named = allPages(catalog, id, parent, { limit: 2 });
  expect(named.toSorted(byKey)).toEqual(wanted);
  for (const [index, row] of named.slice(1).entries()) {
    expect(model.compareByName(named[index] ?? row, row)).toBeLessThanOrEqual(0);
  }
  expect(allPages(catalog, id, parent, { limit: 1000 })).toEqual(named);
  for (const order of ['size', 'modified'] as const) {
    const rows = allPages(catalog, id, parent, { limit: 2, order, direction: 'descending', kind: 'file' });
    expect(rows.toSorted(byKey)).toEqual(wanted.filter((row) => row.kind === 'file'));
    const values = rows.map((row) => value(row, order));
    expect(values).toEqual(values.toSorted((a, b) => b - a));
  }
  const items = wanted.filter((row) => row.kind !== 'folder');
  const bytes = items.reduce((sum, row) => sum + row.size, 0);
  const counts = { folders: wanted.length - items.length, items: items.length, bytes };
  expect(catalog.ask('childCount', id, parent)).toEqual(counts);
}

function checkRows(catalog: InThread, id: string, state: State): void {
  const rows: ItemRow[] = [];
  let after: string | undefined;
  do {
    const part = catalog.ask('rows', id, after, 3);
    rows.push(...part.rows);
    after = part.next;
  } while (after !== undefined);
  expect(rows).toEqual(model.rowsOf(state));
}

function checkWalk(catalog: InThread, id: string, state: State, folder: string): void {
  const rows: ItemRow[] = [];
  let from: Parameters<typeof InThread.prototype.ask<'walk'>>[2] | undefined = folder;
  while (from !== undefined) {
    const part: WalkPage = catalog.ask('walk', id, from, 2);
    rows.push(...part.rows);
    // A walk in circles would never end.
    expect(rows.length).toBeLessThanOrEqual(KEYS.length);
    from = part.next;
  }
  expect(rows.map((row) => row.key).sort()).toEqual(model.keysBelow(state, folder));
  const before = new Set([folder]);
  for (const row of rows) {
    expect(before).toContain(row.parent);
    before.add(row.key);
  }
}

function checkDiff(catalog: InThread, a: ModelSnapshot, b: ModelSnapshot, limit: number): void {
  const found: DiffPage['changes'] = [];
  let after: string | undefined;
  do {
    const part: DiffPage = catalog.ask('diff', a.id, b.id, after, limit);
    found.push(...part.changes);
    after = part.next;
  } while (after !== undefined);
  expect(found).toEqual(model.differences(a.state, b.state));
}

/** Everything the catalog answers, against the plain model. */
function checkAll(catalog: InThread, kept: readonly ModelSnapshot[]): void {
  expect(catalog.ask('snapshots')).toEqual(kept.map(({ id }) => id));
  expect(catalog.ask('countsPerDay', '2026-01-01', '2026-12-31')).toEqual(model.dayCounts(kept));
  for (const key of KEYS) expect(catalog.ask('history', key)).toEqual(model.versionsOf(kept, key));
  for (const [index, snapshot] of kept.entries()) {
    const { id, state } = snapshot;
    checkRows(catalog, id, state);
    for (const folder of ['', ...FOLDERS]) {
      checkPages(catalog, id, state, folder);
      checkWalk(catalog, id, state, folder);
    }
    for (const key of KEYS) {
      expect(catalog.ask('item', id, key)).toEqual(state.get(key) ?? null);
      expect(catalog.ask('path', id, key).map((row) => row.name)).toEqual(model.namesAbove(state, key));
    }
    for (const path of [['a'], ['Report', 'a'], ['x\ud800'], ['b', 'b', ''], ['A', '日本']]) {
      expect(catalog.ask('resolve', id, path, 1000).toSorted(byKey)).toEqual(model.rowsAt(state, path));
    }
    for (const other of [kept[index - 1], kept[0], kept.at(-1)]) {
      // A small limit walks the keys, a big one the indexes of changes.
      if (other) for (const limit of [1, 1000]) checkDiff(catalog, other, snapshot, limit);
    }
  }
}

test('every question gets the answer of a plain model, at every snapshot, also after some are dropped', () => {
  const property = fc.property(anyHistory, anyDrops, (history, drops) => {
    using directory = scratchDirectory();
    using catalog = new InThread(directory.path);
    const all = statesOf(history as Generation[]);
    let kept: ModelSnapshot[] = [];
    for (const snapshot of all) {
      const counts = catalog.add(snapshot, kept.at(-1), kept.length % 2 === 0);
      const found = model.differences(kept.at(-1)?.state ?? new Map(), snapshot.state);
      expect(counts.added + counts.changed + counts.removed).toBe(found.length);
      kept.push(snapshot);
    }
    checkAll(catalog, kept);
    for (const [round, drop] of drops.entries()) {
      catalog.ask('drop', drop.flatMap((index) => all[index]?.id ?? []));
      kept = kept.filter((snapshot) => !drop.some((index) => all[index]?.id === snapshot.id));
      checkAll(catalog, kept);
      const last = model.snapshotOf(100 + round, all[round]?.state ?? new Map());
      catalog.add(last, kept.at(-1));
      kept.push(last);
      checkAll(catalog, kept);
    }
  });
  fc.assert(property, { seed: 20261122, numRuns: 15 });
}, 120_000);
