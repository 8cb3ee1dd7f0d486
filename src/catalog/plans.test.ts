import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { childrenSql, childrenValues } from './children.ts';
import type { ChildQuery } from './children.ts';
import { diff } from './difference.ts';
import { page } from './pageQuery.ts';
import type { PageOrder } from './protocol.ts';
import * as queries from './queries.ts';
import { Database, createTables } from './schema.ts';
import { walk } from './walk.ts';
import { Explained } from './testing/explained.ts';
import { row, snapshotOf } from './testing/model.ts';
import { InThread, scratchDirectory } from './testing/scratch.ts';

const directory = scratchDirectory();
let db: Explained;

beforeAll(() => {
  using catalog = new InThread(directory.path);
  const state = new Map([['F', row({ key: 'F', kind: 'folder' })], ['a', row({ key: 'a', parent: 'F' })]]);
  const edits = [row({ key: 'a', parent: 'F', size: 2 }), row({ key: 'b', parent: 'F' })];
  const changed = new Map([...state, ...edits.map((edit) => [edit.key, edit] as const)]);
  const snapshots = [state, changed, state, changed].map((rows, index) => snapshotOf(index, rows));
  for (const [index, snapshot] of snapshots.entries()) catalog.add(snapshot, snapshots[index - 1]);
  const file = readdirSync(directory.path).find((name) => name.endsWith('.sqlite')) ?? '';
  db = new Explained(new DatabaseSync(join(directory.path, file)));
});

afterAll(() => {
  db.close();
  directory[Symbol.dispose]();
});

const id = (index: number): string => snapshotOf(index, new Map()).id;

test('a page reads index ranges in order and sorts nothing, in every order and at every depth of history', () => {
  for (const order of ['name', 'modified', 'size'] satisfies PageOrder[]) {
    for (const direction of ['ascending', 'descending'] as const) {
      for (const after of [undefined, { sort: order === 'name' ? Buffer.from('a') : 1, item: 1 }]) {
        for (const forks of [[0], [0, 1, 2], [0, ...Array.from({ length: 20 }, (_, level) => 2 ** level)]]) {
          const query: ChildQuery = { parent: 1, leaf: 1, order, direction, after, limit: 100 };
          const sql = childrenSql(query, forks.length);
          db.all(sql, ...childrenValues(query, 1, forks));
          const steps = (db.plans.get(sql) ?? []).filter((step) => !/^(MERGE \(UNION ALL\)|LEFT|RIGHT)$/.test(step));
          expect(steps.length).toBe(forks.length);
          for (const step of steps) expect(step).toMatch(pageStep(order, after !== undefined));
        }
      }
    }
  }
});

function pageStep(order: PageOrder, after: boolean): RegExp {
  const column = order === 'name' ? 'sort' : order;
  const place = after ? ` AND \\(${column},item\\)[<>]\\(\\?,\\?\\)` : '';
  return new RegExp(`^SEARCH v USING COVERING INDEX ver_${order} \\(parent=\\? AND fork=\\? AND leaf=\\?${place}\\)$`);
}

test('newest first, a page of an early moment begins at what the folder held by then', () => {
  db.plans.clear();
  page(db, id(0), 'F', { limit: 1, order: 'modified', direction: 'descending' });
  const steps = [...db.plans].filter(([sql]) => sql.includes('ver_modified')).flatMap(([, plan]) => plan).join('\n');
  expect(steps).toContain('SEARCH v USING COVERING INDEX ver_modified (parent=? AND fork=? AND leaf=? AND (modified,item)<(?,?))');
});

test('no question reads a whole table of rows or sorts one', () => {
  db.plans.clear();
  page(db, id(1), 'F', { limit: 1 });
  page(db, id(1), 'F', { limit: 1, after: page(db, id(1), 'F', { limit: 1 }).next });
  queries.item(db, id(0), 'a');
  queries.path(db, id(0), 'a');
  queries.resolve(db, id(0), ['F', 'a'], 10);
  queries.childCount(db, id(0), 'F');
  queries.history(db, 'a');
  queries.rows(db, id(2), 'F', 10);
  walk(db, id(1), '', 10);
  expect(db.plans.size).toBeGreaterThanOrEqual(10);
  for (const [sql, steps] of db.plans) {
    for (const step of steps) {
      const slow = expect.stringMatching(/TEMP B-TREE|SCAN (v|i|p|ver|item|tally)\b/);
      expect({ sql, step }).not.toEqual({ sql, step: slow });
    }
  }
});

test('a difference of neighbours is read from what began and what ended, one of far points by key', () => {
  db.plans.clear();
  diff(db, id(1), id(2), undefined, 1000);
  const few = [...db.plans.values()].flat().join('\n');
  expect(few).toContain('SEARCH ver USING INDEX ver_first (first>? AND first<?)');
  expect(few).toContain('SEARCH ver USING INDEX ver_last (last>? AND last<?)');
  db.plans.clear();
  diff(db, id(0), id(3), undefined, 1);
  const many = [...db.plans.values()].flat().join('\n');
  expect(many).toContain('SEARCH i USING COVERING INDEX sqlite_autoindex_item_1 (key>?)');
  expect(many).toContain('SEARCH v EXISTS USING COVERING INDEX ver_item (item=?)');
  expect(many).not.toContain('TEMP B-TREE');
});

test('a page without its index is an error, not a slow answer', () => {
  const path = join(directory.path, 'bare');
  closeSync(openSync(path, 'wx'));
  createTables(path);
  const bare = new Database(new DatabaseSync(path));
  bare.exec('drop index ver_name');
  const query: ChildQuery = { parent: 1, leaf: 1, order: 'name', direction: 'ascending', limit: 1 };
  expect(() => bare.all(childrenSql(query, 1), ...childrenValues(query, 1, [0]))).toThrow('no such index');
  bare.close();
});
