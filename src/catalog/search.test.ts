import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ItemRow } from '../domain/index.ts';
import type { IndexedVersion, SearchHit, SearchQuery } from './searchProtocol.ts';
import { row, snapshotOf } from './testing/model.ts';
import type { ModelSnapshot } from './testing/model.ts';
import { InThread, scratchDirectory } from './testing/scratch.ts';
import { matches } from '../../tests/search/plainMatcher.ts';
import type { Asked } from '../../tests/search/plainMatcher.ts';

let directory: ReturnType<typeof scratchDirectory>;
let catalog: InThread;

beforeEach(() => {
  directory = scratchDirectory();
  catalog = new InThread(directory.path);
});

afterEach(() => {
  catalog[Symbol.dispose]();
  directory[Symbol.dispose]();
});

type Words = Partial<Pick<IndexedVersion, 'name' | 'authors' | 'recipients' | 'text' | 'files' | 'date' | 'failure'>>;

/** Indexes all that is pending; what each key says. */
function indexAll(wordsOf: (row: ItemRow) => Words): number {
  let indexed = 0;
  for (let group = catalog.ask('pendingGroup', undefined); group; group = catalog.ask('pendingGroup', group.last)) {
    const found = catalog.ask('pending', group.last, 0, 100_000);
    const signed = found.map(({ version, row: one }) => ({ version, signature: JSON.stringify([one.name, one.parent, one.content, one.modified]) }));
    const missing = catalog.ask('link', signed);
    if (missing === 'busy') throw new Error('busy');
    const documents = found.filter(({ version }) => missing.includes(version)).map(({ version, row: one }) => documentOf(version, one, wordsOf(one)));
    expect(catalog.ask('index', documents)).toBe('done');
    indexed += documents.length;
  }
  return indexed;
}

function documentOf(version: number, { name, parent, content, modified }: ItemRow, words: Words): IndexedVersion {
  return {
    version, signature: JSON.stringify([name, parent, content, modified]), date: modified, name, authors: '', recipients: '', text: '', files: '', ...words,
  };
}

function find(query: SearchQuery, limit = 1000, snapshot?: string): SearchHit[] {
  const hits: SearchHit[] = [];
  let after: number | undefined;
  for (;;) {
    const page = catalog.ask('search', query, { limit, after, snapshot });
    hits.push(...page.hits);
    if (!page.more) return hits;
    after = page.hits.at(-1)?.place;
  }
}

const keys = (query: SearchQuery, limit?: number): string[] => find(query, limit).map((hit) => hit.row.key);

const MINUTE = 60_000;
/** Keys of folders and what each is called; the items of {@link filled} lie in them in turn, every fourth at the top. */
const PLACES: readonly { readonly key: string; readonly parent: string; readonly name: string; readonly path: string }[] = [
  { key: '', parent: '', name: '', path: '' }, { key: 'A', parent: '', name: 'One', path: '/One' },
  { key: 'B', parent: 'A', name: 'Two', path: '/One/Two' }, { key: 'C', parent: '', name: 'Two', path: '/Two' },
];
const placeOf = (index: number) => PLACES[index % PLACES.length] as (typeof PLACES)[number];
const dateOf = (index: number): number => 1e12 + index * MINUTE;

/** One snapshot whose items say these words; `modified` counts up. */
function filled(documents: readonly Words[]): void {
  const folders = PLACES.slice(1).map(({ key, parent, name }) => row({ key, parent, name, kind: 'folder' }));
  const rows = documents.map((words, i) => row({ key: `k${String(i).padStart(5, '0')}`, parent: placeOf(i).key, kind: 'mail', modified: dateOf(i), name: words.name ?? '' }));
  catalog.add(snapshotOf(0, new Map([...folders, ...rows].map((one) => [one.key, one]))), undefined);
  indexAll((one) => documents[Number(one.key.slice(1))] ?? {});
}

/** Of documents by number, those that the query must find, newest first. */
function expected(documents: readonly Words[], asked: Asked): string[] | undefined {
  const found: string[] = [];
  for (const [i, words] of documents.entries()) {
    const answer = matches({ date: dateOf(i), path: placeOf(i).path, name: '', authors: '', recipients: '', text: '', files: '', ...words }, asked);
    if (answer === undefined) return undefined;
    if (answer) found.unshift(`k${String(i).padStart(5, '0')}`);
  }
  return found;
}

const VOCABULARY = [
  'invoice', 'Invoices', 'in', 'e-mail', 'mail', 'alice@example.test', 'Alice', 'bob.smith@sub.example.test', 'café', 'CAFE', 'naïve', 'Straße', 'STRASSE',
  '東京都', '東京', '京都', '京', 'カタカナ', 'ｶﾀｶﾅ', 'ひらがな', '東京abc', 'abc東', '한국어를', '한국', 'สวัสดีครับ', 'สวัส',
  'שָׁלוֹם', 'שלום', 'עולם', 'السَّلَام', 'السلام', 'أهلا', 'اهلا', 'हिन्दी', 'हि', 'Ελλάδος', 'ΕΛΛΆΔΟΣ', 'Привет', 'ПРИВЕТ', 'ℌello', '①', '２０２６', '2026-11-27',
  'ﬁle', 'file', "don't", 'don', 't', 'R&D', 'C++', 'AND', 'OR', 'NOT', 'NEAR', 'name:', 'place', 'all', 'in1', '*', '^', '(', ')', '"', "'", '-', '--', '{', ':', ';', '\\', '\0', '\u00ad', 'sof\u00adt', 'soft',
  'zero\u200bwidth', 'a\u200db', '\u202eabc', '😀', '\u{20000}\u{20001}', '\u{1e900}dlam', 'x'.repeat(70), `${'x'.repeat(64)}y`, 'é'.repeat(66), '\ud800', '\u0301', 'か\u3099', 'が', '々', 'ー',
];
const word = fc.constantFrom(...VOCABULARY);
const textOf = (maxLength: number) => fc.array(fc.tuple(word, fc.constantFrom(' ', '', ' ', '\n', ', ', '<', '*')), { maxLength }).map((parts) => parts.flat().join(''));
const text = textOf(12);
const anyText = fc.oneof({ weight: 6, arbitrary: text }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) });
const documents = fc.array(fc.record({ name: anyText, authors: anyText, recipients: anyText, text: anyText, files: anyText }, { requiredKeys: ['name'] }), { minLength: 1, maxLength: 25 });
const queryWord = fc.tuple(fc.constantFrom('', '', '', '-'), fc.oneof(
  { weight: 4, arbitrary: word }, { weight: 2, arbitrary: textOf(3).map((one) => `"${one.replaceAll('"', '')}"`) },
  { weight: 2, arbitrary: word.map((one) => `${[...one].slice(0, 2).join('')}*`) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
)).map((parts) => parts.join(''));
const query = fc.array(queryWord, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' '));
const moment = fc.integer({ min: -2, max: 27 }).map(dateOf);
const folder = fc.constantFrom('One', '/One/', 'One/Two', 'Two', '/');
const asked = fc.oneof(
  { weight: 3, arbitrary: fc.record({ words: query }) },
  { weight: 1, arbitrary: fc.record({ words: query, name: query, author: query, recipient: query, folder, from: moment, until: moment }, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.record({ words: word, folder, from: moment, until: moment }, { requiredKeys: ['folder'] }) },
);

test('every query finds exactly what reading all texts finds, newest first', () => {
  fc.assert(fc.property(documents, fc.array(asked, { minLength: 16, maxLength: 16 }), (all, questions) => {
    using scratch = scratchDirectory();
    catalog = new InThread(scratch.path);
    filled(all);
    for (const question of questions) {
      const wanted = expected(all, question as Asked);
      if (wanted === undefined) expect(() => find(question)).toThrow('no letter or digit');
      else expect(keys(question, 3), JSON.stringify(question)).toEqual(wanted);
    }
    catalog[Symbol.dispose]();
  }), { numRuns: 40 });
});

test('what is asked for must stand in the field, and all of it must hold', () => {
  filled([
    { name: 'Minutes of March', authors: 'Alice Meier alice@example.test', recipients: 'bob@example.test', text: 'the budget is agreed', files: 'plan.pdf' },
    { name: 'Budget', authors: 'Bob bob@example.test', recipients: 'Alice alice@example.test', text: 'see the minutes', files: '' },
  ]);
  expect(keys({ words: 'minutes budget' })).toEqual(['k00001', 'k00000']);
  expect(keys({ words: 'alice@example.test' })).toEqual(['k00001', 'k00000']);
  expect(keys({ author: 'alice@example.test' })).toEqual(['k00000']);
  expect(keys({ author: 'example.test alice' })).toEqual(['k00000']);
  expect(keys({ author: '"example.test alice"' })).toEqual([]);
  expect(keys({ recipient: 'alice', words: 'minutes' })).toEqual(['k00001']);
  expect(keys({ name: 'budg*' })).toEqual(['k00001']);
  expect(keys({ words: 'plan.pdf' })).toEqual(['k00000']);
  expect(keys({ words: 'budget -plan' })).toEqual(['k00001']);
  expect(keys({ words: '-plan' })).toEqual(['k00001']);
  expect(keys({ from: 1e12 + 60_000 })).toEqual(['k00001']);
  expect(keys({ until: 1e12 + 60_000 })).toEqual(['k00000']);
  expect(keys({ from: 1e12, until: 1e12 + 61_000, words: 'budget' })).toEqual(['k00001', 'k00000']);
  expect(keys({ from: 1e12 + 1 })).toEqual(['k00001']);
  expect(keys({})).toEqual(['k00001', 'k00000']);
  expect(() => keys({ words: 'w '.repeat(300) })).toThrow('at most');
  expect(() => keys({ words: 'w'.repeat(5000) })).toThrow('at most');
});

test('hits of one second, of one without a date and of one before any calendar are all there, page by page', () => {
  const dates = [null, -1e15, -3e12, 0, 5, 999, 1e12, 1e12, 1e12, 1e12 + 1, 9e15];
  filled(dates.map((date) => ({ text: 'word', date })));
  const found = find({ words: 'word' }, 2);
  expect(found.length).toBe(dates.length);
  const order = found.map((hit) => dates[Number(hit.row.key.slice(1))] ?? -1e16);
  expect(order.map((date) => Math.floor(Math.max(date, -2.2e12) / 1000))).toEqual(order.map((date) => Math.floor(Math.max(date, -2.2e12) / 1000)).toSorted((a, b) => b - a));
  expect(find({ from: 0, until: 1000 }).length).toBe(3);
});

test('a second with more items than it has places goes on into the next', () => {
  filled(Array.from({ length: 4200 }, () => ({ date: 1e12 })));
  expect(new Set(keys({}, 1000)).size).toBe(4200);
});

/** Histories: items that come, go, come again, are moved, renamed and flagged; snapshots that are dropped at any time. */
interface Entry { readonly key: number; readonly text: number; readonly folder: number; readonly flags: number }
const TEXTS = ['alpha one', 'beta two', 'alpha two', 'beta one'];
const state = fc.uniqueArray(fc.record({ key: fc.nat(6), text: fc.nat(3), folder: fc.nat(1), flags: fc.nat(1) }), { selector: (entry) => entry.key, maxLength: 6 });
const step = fc.oneof({ weight: 3, arbitrary: state }, { weight: 1, arbitrary: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }) }, { weight: 1, arbitrary: fc.constant('index' as const) });

/** Long ago; or at a time that early snapshots have before them, later ones behind them. */
function modifiedOf(key: number): number {
  return key % 2 === 0 ? 1e12 + key * 1000 : Date.UTC(2026, 0, 1) + key * 4 * 3_600_000;
}

function modelRows(entries: readonly Entry[]): Map<string, ItemRow> {
  const folders = [0, 1].map((i) => row({ key: `f${i}`, kind: 'folder', name: `Folder ${i}` }));
  const items = entries.map(({ key, text: content, folder: place, flags }) =>
    row({ key: `k${key}`, parent: `f${place}`, kind: 'mail', name: 'item', content: String(content), change: String(flags), modified: modifiedOf(key) }));
  return new Map([...folders, ...items].map((one) => [one.key, one]));
}

/** What must be found: each item with each of its words and places, and where it is shown. */
function modelHits(kept: readonly ModelSnapshot[], word: string): string[] {
  const found = new Map<string, { first: string; last: string }>();
  for (const { id, state: rows } of kept) {
    for (const one of rows.values()) {
      if (one.kind === 'folder' || !(TEXTS[Number(one.content)] ?? '').includes(word)) continue;
      const name = `${one.key} ${one.parent} ${one.content}`;
      found.set(name, { first: found.get(name)?.first ?? id, last: id });
    }
  }
  return [...found].map(([name, { first, last }]) => `${name} ${first} ${last}`).sort();
}

/** What of one snapshot must be found, newest first: the row as it is there, and the folder that holds it there. */
function modelAt({ state: rows }: ModelSnapshot, word: string): string[] {
  const found = [...rows.values()].filter((one) => one.kind !== 'folder' && (TEXTS[Number(one.content)] ?? '').includes(word));
  return found.toSorted((a, b) => (b.modified ?? 0) - (a.modified ?? 0)).map((one) => `${one.key} ${one.content} ${one.change} Folder ${one.parent.slice(1)}`);
}

test('whatever is added, moved, flagged, deleted and pruned, a search shows what the kept snapshots show', () => {
  fc.assert(fc.property(fc.array(step, { minLength: 2, maxLength: 14 }), (steps) => {
    using scratch = scratchDirectory();
    using history = new InThread(scratch.path);
    catalog = history;
    let kept: ModelSnapshot[] = [];
    let made = 0;
    const index = (): number => indexAll((one) => ({ text: TEXTS[Number(one.content)] ?? '' }));
    for (const action of [...steps, 'index' as const]) {
      if (action === 'index') index();
      else if (typeof action[0] === 'number') {
        const dropped = (action as number[]).flatMap((at) => kept[at]?.id ?? []);
        history.ask('drop', dropped);
        kept = kept.filter(({ id }) => !dropped.includes(id));
      } else {
        const snapshot = snapshotOf(made++, modelRows(action as Entry[]));
        history.add(snapshot, kept.at(-1));
        kept.push(snapshot);
      }
    }
    for (const word of ['alpha', 'two']) {
      const shown = find({ words: word }, 2).map(({ row: one, first, last }) => `${one.key} ${one.parent} ${one.content} ${first} ${last}`);
      expect(shown.toSorted()).toEqual(modelHits(kept, word));
      const inFolder = find({ words: word, folder: 'Folder 1' }).map(({ row: one, path }) => `${one.key} ${path.join('/')}`);
      expect(inFolder.toSorted()).toEqual(modelHits(kept, word).filter((hit) => hit.split(' ')[1] === 'f1').map((hit) => `${hit.split(' ')[0]} Folder 1`).toSorted());
    }
    for (const snapshot of kept) {
      for (const word of ['alpha', 'two']) {
        const shown = find({ words: word }, 2, snapshot.id).map(({ row: one, path }) => `${one.key} ${one.content} ${one.change} ${path.join('/')}`);
        expect(shown, `at ${snapshot.id}`).toEqual(modelAt(snapshot, word));
        // The range is that of all times, not of the one asked for.
        const ranges = find({ words: word }, 2, snapshot.id).map(({ row: one, first, last }) => `${one.key} ${one.parent} ${one.content} ${first} ${last}`);
        expect(modelHits(kept, word)).toEqual(expect.arrayContaining(ranges));
      }
    }
    expect(index()).toBe(0);
    // Nothing of what was dropped is left behind.
    const documents = new Set(kept.flatMap(({ state: rows }) => [...rows.values()].filter((one) => one.kind !== 'folder').map((one) => `${one.key} ${one.parent} ${one.content}`)));
    expect(history.ask('searchStatus')).toMatchObject({ pending: 0, failed: 0 });
    expect(find({}).length).toBe(documents.size);
    expect(() => find({}, 2, 'f'.repeat(32))).toThrow('does not hold');
  }), { numRuns: 60 });
});
