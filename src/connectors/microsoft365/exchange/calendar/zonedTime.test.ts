import { expect, test } from 'vitest';
import { momentOf, zonedTime } from './zonedTime.ts';

const at = (text: string): number => Date.parse(text);

test('a moment is told by the clocks of a zone, whatever its name, on both sides of their change', () => {
  for (const zone of ['W. Europe Standard Time', 'Europe/Berlin']) {
    expect(zonedTime(at('2027-03-22T09:00:00Z'), zone)).toEqual({ dateTime: '2027-03-22T10:00:00', timeZone: zone });
    expect(zonedTime(at('2027-03-29T08:00:00Z'), zone)).toEqual({ dateTime: '2027-03-29T10:00:00', timeZone: zone });
  }
  expect(zonedTime(at('2027-01-01T07:30:00Z'), 'Pacific Standard Time')?.dateTime).toBe('2026-12-31T23:30:00');
  expect(zonedTime(at('2027-01-01T00:00:00Z'), 'UTC')).toEqual({ dateTime: '2027-01-01T00:00:00', timeZone: 'UTC' });
  expect(zonedTime(at('2027-01-01T23:00:00Z'), 'W. Europe Standard Time')?.dateTime).toBe('2027-01-02T00:00:00');
  expect(zonedTime(0, 'tzone://Microsoft/Custom')).toBe(undefined);
});

test('times of a backup are UTC', () => {
  expect(momentOf({ dateTime: '2027-03-01T09:00:00.0000000', timeZone: 'UTC' })).toBe(at('2027-03-01T09:00:00Z'));
  for (const odd of [undefined, {}, { dateTime: 'soon' }, 'x']) expect(momentOf(odd)).toBe(null);
});
