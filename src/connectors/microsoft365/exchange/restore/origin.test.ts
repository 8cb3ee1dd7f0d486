import { expect, test } from 'vitest';
import { formatOrigin, ORIGIN_ID, parseOrigin, takeOrigin } from './origin.ts';

const ORIGIN = { source: 'AAMkAid=', content: 'mark-of_content', beside: false, whole: true };

test('an origin comes back, and nothing else passes for one', () => {
  for (const origin of [ORIGIN, { ...ORIGIN, beside: true }, { ...ORIGIN, whole: false }]) expect(parseOrigin(formatOrigin(origin))).toEqual(origin);
  for (const text of ['', '1 a b place', '2 a b place whole', '1  b place whole', '1 a b here whole', '1 a b place maybe', '1 a b place whole more']) expect(parseOrigin(text), text).toBe(undefined);
});

test('a listed message is told without its origin, however the service spells the id', () => {
  const size = { id: 'Integer 0xe08', value: '4' };
  for (const id of [ORIGIN_ID, ORIGIN_ID.replaceAll(/[{}]/g, ''), ORIGIN_ID.replace(/\{.*\}/, (guid) => guid.toUpperCase())]) {
    const { entry, origin } = takeOrigin({ id: 'A', singleValueExtendedProperties: [{ id, value: formatOrigin(ORIGIN) }, size] });
    expect([origin, entry]).toEqual([ORIGIN, { id: 'A', singleValueExtendedProperties: [size] }]);
  }
  expect(takeOrigin({ id: 'A' })).toEqual({ entry: { id: 'A' }, origin: undefined });
});
