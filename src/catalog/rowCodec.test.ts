import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ItemRow } from '../domain/index.ts';
import { binary, readRow, rowValues, sortKey } from './rowCodec.ts';
import { row } from './testing/model.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', '\0', 'a\0b', '\ud800', 'x\udc00y', '\ufeffmark', 'e\u0301'),
);
const anyBytes = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

const anyRow: fc.Arbitrary<ItemRow> = fc.record({
  key: anyBytes,
  parent: anyBytes,
  name: anyText,
  kind: anyText,
  size: fc.maxSafeNat(),
  modified: fc.option(fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }))),
  change: anyBytes,
  meta: anyText,
  outcome: anyText,
  content: anyBytes,
});

test('a row comes back from SQLite as it went in', () => {
  const db = new DatabaseSync(':memory:');
  db.exec(`create table t (key blob, parent blob, leaf integer, sort blob, name text, kind text, size integer,
    modified real, change blob, meta text, outcome text, content blob)`);
  const insert = db.prepare(`insert into t values (${Array.from({ length: 12 }, () => '?').join(', ')})`);
  const select = db.prepare('select key, parent, name, kind, size, modified, change, meta, outcome, content from t');
  select.setReturnArrays(true);
  fc.assert(
    fc.property(anyRow, (wanted) => {
      db.exec('delete from t');
      insert.run(binary(wanted.key), binary(wanted.parent), ...rowValues(wanted));
      expect(readRow(select.get() as unknown as unknown[])).toEqual(wanted);
    }),
    { seed: 7, numRuns: 500 },
  );
});

test('names sort as people expect: case and accents aside, and never by more than 255 bytes', () => {
  const names = ['b', 'Éclair', 'a', 'eclair 2', 'B2', 'Zebra', 'ÄPFEL', 'Ast'];
  const sorted = names.toSorted((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
  expect(sorted).toEqual(['a', 'ÄPFEL', 'Ast', 'b', 'B2', 'Éclair', 'eclair 2', 'Zebra']);
  expect(sortKey('x'.repeat(5000)).length).toBe(255);
});

test('values that the catalog could not give back are refused', () => {
  const numbers = [{ size: -1 }, { size: 0.5 }, { size: 2 ** 60 }, { modified: Number.NaN }];
  const refused = [...numbers, { content: '€' }, { change: '\u0100' }];
  for (const fields of refused) {
    expect(() => rowValues(row({ key: 'k', ...fields }))).toThrow(expect.objectContaining({ code: 'catalog/bad-row' }));
  }
  expect(() => binary('\u0100')).toThrow(expect.objectContaining({ code: 'catalog/bad-row' }));
});
