import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatInternalDate, parseInternalDate } from './internalDate.ts';

test('reads dates with their zone', () => {
  expect(parseInternalDate('17-Jul-1996 02:44:25 -0700')).toBe(Date.parse('1996-07-17T02:44:25-07:00'));
  expect(parseInternalDate(' 1-FEB-2020 23:59:59 +0530')).toBe(Date.parse('2020-02-01T23:59:59+05:30'));
  for (const wrong of ['', '17-Jux-1996 02:44:25 -0700', '1996-07-17']) expect(parseInternalDate(wrong)).toBeNull();
});

test('reads what it writes', () => {
  fc.assert(fc.property(fc.integer({ min: -62_000_000_000, max: 250_000_000_000 }), (seconds) => {
    expect(parseInternalDate(formatInternalDate(seconds * 1000))).toBe(seconds * 1000);
  }));
});
