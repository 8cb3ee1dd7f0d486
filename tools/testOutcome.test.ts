import { expect, test } from 'vitest';
import { closingLines, succeeded, withRunner } from './testOutcome.ts';
import type { Outcome } from './testOutcome.ts';

const passed: Outcome = { name: 'a', state: 'passed', reason: '' };
const failed: Outcome = { name: 'b', state: 'failed', reason: 'expected 1' };
const skipped: Outcome = { name: 'c', state: 'skipped', reason: 'no IPv6 here' };

test('the last line sums up, and the lines before it name what failed or was skipped', () => {
  expect(closingLines([passed, failed, passed, skipped])).toEqual([
    'failed: b: expected 1',
    'skipped: c: no IPv6 here',
    '2 passed, 1 failed, 1 skipped',
  ]);
  expect(closingLines([{ ...skipped, reason: '' }])).toEqual(['skipped: c: no reason given', '0 passed, 0 failed, 1 skipped']);
});

test('a run succeeds only when something passed and nothing failed', () => {
  expect(succeeded([passed, skipped])).toBe(true);
  expect(succeeded([passed, failed])).toBe(false);
  expect(succeeded([skipped])).toBe(false);
  expect(succeeded([])).toBe(false);
});

test('a runner that ended badly with only passed tests is a failure of its own', () => {
  expect(withRunner([passed], { code: 0, timedOut: false })).toEqual([passed]);
  expect(withRunner([passed, failed], { code: 1, timedOut: false })).toEqual([passed, failed]);
  expect(closingLines(withRunner([passed], { code: 1, timedOut: false })))
    .toEqual(['failed: test runner: ended with exit code 1', '1 passed, 1 failed, 0 skipped']);
  expect(closingLines(withRunner([], { code: undefined, timedOut: true })).at(-1)).toBe('0 passed, 1 failed, 0 skipped');
  expect(succeeded(withRunner([passed, failed], { code: undefined, timedOut: true }))).toBe(false);
});
