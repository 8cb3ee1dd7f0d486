import { expect, test } from 'vitest';
import { systemClock } from '../runtime/index.ts';
import { RateLimit } from './rateLimit.ts';

const MOST_CALLERS = 50_000;

/** Time that stands still until it is moved. */
function moved() {
  const clock = { ms: 1_000, now: () => clock.ms, monotonic: () => clock.ms };
  return { ...systemClock, ...clock, pass: (ms: number) => { clock.ms += ms; } };
}

const tried = (limit: RateLimit, caller: string, times: number): number => {
  let passed = 0;
  for (let i = 0; i < times; i++) {
    try {
      limit.count(caller);
      passed++;
    } catch (error) {
      expect(error).toMatchObject({ code: 'api/too-many' });
    }
  }
  return passed;
};

test('so many calls and no more until the window is over, each caller by itself', () => {
  const clock = moved();
  const limit = new RateLimit(clock, 3, 60_000);
  expect([tried(limit, 'a', 10), tried(limit, 'b', 2)]).toEqual([3, 2]);
  clock.pass(59_999);
  expect([tried(limit, 'a', 1), tried(limit, 'b', 2)]).toEqual([0, 1]);
  try {
    limit.count('a');
  } catch (error) {
    expect(error).toMatchObject({ data: { retryAfterMs: 1 } });
  }
  clock.pass(1);
  expect(tried(limit, 'a', 10)).toBe(3);
});

test('any number of callers takes bounded memory, and those who are counted stay so', () => {
  const limit = new RateLimit(moved(), 2, 60_000);
  limit.count('first');
  for (let i = 0; i < 2 * MOST_CALLERS; i++) limit.count(`caller ${i}`);
  expect(tried(limit, 'first', 5)).toBe(1);
});
