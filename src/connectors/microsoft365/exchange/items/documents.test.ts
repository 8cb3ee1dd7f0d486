import { expect, test } from 'vitest';
import { canonicalJson, changeOf, listOf, timeOf } from './documents.ts';

test('equal documents are equal bytes, whatever the order of their names and whoever asked for them', () => {
  const [one, other] = [{ b: [{ d: 1, c: null }], a: 'x', '@odata.context': 'https://a' }, { '@odata.context': 'https://b', 'b@odata.context': 'https://b/b', a: 'x', b: [{ c: null, d: 1 }] }];
  expect(canonicalJson(one)).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  expect(canonicalJson(other)).toBe(canonicalJson(one));
  expect(changeOf(one)).toBe(changeOf(other));
  expect(changeOf(one)).not.toBe(changeOf({ ...one, a: 'y' }));
  expect(canonicalJson({ '@odata.etag': 'W/"1"', '@odata.type': '#t' })).toBe('{"@odata.etag":"W/\\"1\\"","@odata.type":"#t"}');
});

test('times without a zone are UTC; what is none, and lists that are none, read as nothing', () => {
  expect([timeOf('2026-03-02T09:00:00.0000000'), timeOf('2026-03-02T09:00:00Z'), timeOf('2026-03-02T10:00:00+01:00')]).toEqual([1_772_442_000_000, 1_772_442_000_000, 1_772_442_000_000]);
  expect([timeOf(''), timeOf('soon')]).toEqual([null, null]);
  expect([listOf({ a: [{ b: 1 }, null, 2] }, 'a'), listOf({}, 'a'), listOf({ a: 'x' }, 'a')]).toEqual([[{ b: 1 }], [], []]);
});
