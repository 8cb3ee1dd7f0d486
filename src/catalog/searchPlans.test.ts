import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { search } from './searchHits.ts';
import * as indexing from './searchIndex.ts';
import type { SearchQuery } from './searchProtocol.ts';
import { Explained } from './testing/explained.ts';
import { row, snapshotOf } from './testing/model.ts';
import { InThread, scratchDirectory } from './testing/scratch.ts';

const directory = scratchDirectory();
let db: Explained;
let versions: number[];

beforeAll(() => {
  using catalog = new InThread(directory.path);
  const folder = row({ key: 'F', kind: 'folder', name: 'Folder' });
  const items = Array.from({ length: 50 }, (_, i) => row({ key: `k${i}`, parent: 'F', kind: 'mail', modified: 1e12 + i * 1000 }));
  catalog.add(snapshotOf(0, new Map([folder, ...items].map((one) => [one.key, one]))), undefined);
  const found = catalog.ask('pending', 2 ** 31 - 1, 0, 100);
  versions = found.map(({ version }) => version);
  catalog.ask('index', found.slice(0, 40).map(({ version, row: { name, modified } }) => ({
    version, signature: '', date: modified, name, authors: 'ann', recipients: '', text: 'some words', files: '', ...(version % 7 === 0 ? { failure: 'x' } : {}),
  })));
  const file = readdirSync(directory.path).find((name) => name.endsWith('.sqlite')) ?? '';
  db = new Explained(new DatabaseSync(join(directory.path, file)));
});

afterAll(() => {
  db.close();
  directory[Symbol.dispose]();
});

/** What the statements of an action did step by step; each statement is run once. */
function steps(action: () => void): string[] {
  db.plans.clear();
  action();
  expect(db.plans.size).toBeGreaterThan(0);
  return [...db.plans.values()].flat();
}

const WHOLE_TABLE = /SCAN (v|i|p|d|ver|item|doc)\b(?! USING (INDEX doc_failure|COVERING INDEX (doc_failure|ver_pending)))/;

const QUERIES: readonly SearchQuery[] = [
  {}, { words: 'words' }, { words: '"some words" -other', author: 'ann', name: 'k*' }, { words: 'words', from: 1e12, until: 1e12 + 9000 }, { folder: 'Folder', words: 'words' },
];

test('a page of hits is read from the index in its order, between its bounds, and completed by two statements', () => {
  for (const query of QUERIES) {
    for (const after of [undefined, 1e15]) {
      let hits = 0;
      const found = steps(() => { hits = search(db, query, { limit: 3, after }).hits.length; });
      expect(hits).toBeGreaterThan(0);
      // FTS5 tells in its plan what it was given: M a match, < and > bounds of the number, and 64 for its order backwards.
      const index = found.filter((step) => step.includes('VIRTUAL TABLE') && step.includes('search'));
      expect(index).toEqual([expect.stringMatching(/^SCAN search VIRTUAL TABLE INDEX \d+:.*M\d.*/)]);
      expect(index[0]).toMatch(/[<>].*[<>]/);
      for (const step of found) expect(step).not.toMatch(WHOLE_TABLE);
      // Only the page itself is put in order.
      expect(found.filter((step) => step.includes('TEMP B-TREE')).length).toBeLessThanOrEqual(2);
    }
  }
});

test('at an early snapshot what came later is passed over, and only what is ahead of it is looked up', () => {
  let hits = 0;
  const found = steps(() => { hits = search(db, { words: 'words' }, { limit: 3, snapshot: snapshotOf(0, new Map()).id }).hits.length; });
  expect(hits).toBe(3);
  const index = found.filter((step) => step.includes('VIRTUAL TABLE') && step.includes('search'));
  // One after another by their numbers, or one whose number is known.
  expect(index).toHaveLength(2);
  for (const step of [/INDEX \d+:.*=.*/, /[<>].*[<>]/]) expect(index).toContainEqual(expect.stringMatching(step));
  expect(found).toContainEqual(expect.stringMatching(/SEARCH ahead USING COVERING INDEX doc_ahead/));
  for (const step of found) expect(step).not.toMatch(WHOLE_TABLE);
});

test('as many statements for many hits as for few', () => {
  const count = (limit: number): number => {
    let asked = 0;
    const counting = new Proxy(db, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name === 'all' || name === 'get') asked++;
        return value.bind(target) as unknown;
      },
    });
    expect(search(counting, { words: 'words', folder: 'Folder' }, { limit }).hits.length).toBe(limit);
    return asked;
  };
  expect(count(30)).toBe(count(2));
  expect(count(2)).toBeLessThan(10);
});

test('what is pending, known or failed is found by its index', () => {
  const found = steps(() => {
    expect(indexing.pendingGroup(db, undefined)).toMatchObject({ last: 2 ** 31 - 1 });
    expect(indexing.pending(db, 2 ** 31 - 1, 0, 5).length).toBe(5);
    expect(indexing.searchStatus(db)).toMatchObject({ pending: 10, begun: true });
    expect(indexing.searchFailures(db, 3).length).toBe(3);
    db.exec('begin');
    expect(indexing.link(db, versions.map((version) => ({ version, signature: '' }))).length).toBe(10);
    db.exec('rollback');
  });
  // Whether there is a document is told by the first one.
  const first = found.filter((step) => /^SCAN doc( USING COVERING INDEX sqlite_autoindex_doc_1)?$/.test(step));
  expect(first.length).toBeLessThanOrEqual(1);
  for (const step of found) if (!first.includes(step)) expect(step).not.toMatch(WHOLE_TABLE);
});
