import { expect, test } from 'vitest';
import { HoldfastError } from '../domain/index.ts';
import { retry } from './retry.ts';
import type { RandomBytes } from './random.ts';

const half: RandomBytes = (length) => Buffer.alloc(length, 0x80);
const passing = new HoldfastError('test/busy', 'retry', 'Busy.');

function failing(times: number, error: unknown = passing): { work: () => Promise<string>; calls: () => number } {
  let calls = 0;
  return {
    calls: () => calls,
    work: async () => {
      calls++;
      if (calls <= times) throw error;
      return 'done';
    },
  };
}

function notedSleep(): { sleep: (ms: number) => Promise<void>; waits: number[] } {
  const waits: number[] = [];
  return { waits, sleep: async (ms) => void waits.push(ms) };
}

test('repeats what may pass, with growing jittered waits up to the ceiling', async () => {
  const { work, calls } = failing(4);
  const { sleep, waits } = notedSleep();
  const options = { random: half, sleep, attempts: 5, firstDelayMs: 100, maxDelayMs: 300 };
  await expect(retry(work, options)).resolves.toBe('done');
  expect(calls()).toBe(5);
  // 0x80808080 / 2^32 = 0.50196: half of the ceiling plus about a quarter of it
  expect(waits).toEqual([75, 150, 225, 225]);
});

test('gives the last error when the attempts are used up', async () => {
  const { work, calls } = failing(99);
  const { sleep, waits } = notedSleep();
  await expect(retry(work, { random: half, sleep, attempts: 3 })).rejects.toBe(passing);
  expect(calls()).toBe(3);
  expect(waits).toHaveLength(2);
});

test.each([
  new HoldfastError('test/gone', 'never', 'Gone.'),
  new HoldfastError('test/wrong', 'input', 'Wrong.'),
  new TypeError('a bug'),
])('does not repeat %s', async (error) => {
  const { work, calls } = failing(1, error);
  await expect(retry(work, { random: half, sleep: notedSleep().sleep })).rejects.toBe(error);
  expect(calls()).toBe(1);
});

test('waits as long as the other side asks', async () => {
  const asked = new HoldfastError('test/busy', 'retry', 'Busy.', { data: { retryAfterMs: 30_000 } });
  const { sleep, waits } = notedSleep();
  const noticed: number[] = [];
  await retry(failing(1, asked).work, { random: half, sleep, onRetry: (notice) => noticed.push(notice.attempt) });
  expect(waits).toEqual([30_000]);
  expect(noticed).toEqual([1]);
});

test('stops with the reason when aborted, while waiting or while working', async () => {
  const reason = new Error('enough');
  const waiting = new AbortController();
  const during = retry(failing(9).work, {
    random: half, firstDelayMs: 60_000, maxDelayMs: 60_000, signal: waiting.signal,
    onRetry: () => queueMicrotask(() => waiting.abort(reason)),
  });
  await expect(during).rejects.toBe(reason);

  const working = new AbortController();
  let calls = 0;
  const work = async (): Promise<never> => {
    calls++;
    working.abort(reason);
    throw passing;
  };
  await expect(retry(work, { random: half, signal: working.signal })).rejects.toBe(reason);
  expect(calls).toBe(1);
});
