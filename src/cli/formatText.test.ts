import { expect, test } from 'vitest';
import { bytesText, countText, durationText, plural, printable, timeText } from './formatText.ts';

test.each([[0, '0'], [999, '999'], [1000, '1,000'], [1234567, '1,234,567']])('count %d', (count, text) => {
  expect(countText(count)).toBe(text);
});

test.each([
  [0, '0 B'], [999, '999 B'], [1000, '1.0 KiB'], [1536, '1.5 KiB'], [102_300, '99.9 KiB'], [102_400, '100 KiB'], [1023 * 1024, '1.0 MiB'],
  [5 * 1024 ** 3, '5.0 GiB'], [2 ** 60, '1024 PiB'],
])('%d bytes', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test.each([
  [-5, '0 s'], [59_499, '59 s'], [60_000, '1 min'], [61_000, '1 min 1 s'], [3_600_000, '1 h'], [3_725_000, '1 h 2 min'],
  [47 * 3_600_000, '47 h'], [50 * 3_600_000, '2 d 2 h'],
])('%d milliseconds', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('one and many', () => {
  expect([0, 1, 2, 1500].map((count) => plural(count, 'item'))).toEqual(['0 items', '1 item', '2 items', '1,500 items']);
});

test('times are UTC to the second; none and impossible ones are a dash', () => {
  expect(timeText(Date.UTC(2026, 10, 23, 10, 0, 5, 999))).toBe('2026-11-23T10:00:05Z');
  expect([timeText(null), timeText(Number.NaN), timeText(9e15)]).toEqual(['-', '-', '-']);
});

test('text of others cannot steer a terminal, break a line or turn the writing', () => {
  expect(printable('a\x1b[2Jb\r\nc\u009bd\u202etxt.exe\u2028e\x7f')).toBe('a\\x1b[2Jb\\x0d\\x0ac\\x9bd\\u202etxt.exe\\u2028e\\x7f');
  expect(printable('Grüße, 你好 👋 café')).toBe('Grüße, 你好 👋 café');
});
