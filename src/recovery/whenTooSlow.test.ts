import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { whenTooSlow, type Computing } from './whenTooSlow.ts';

type Heard = { readonly slow: string } | { readonly failed: unknown };

/** What is heard first, and how often something was measured until then. */
async function firstHeard(computing: Computing, limitMs = 20): Promise<{ heard: Heard; looks: number }> {
  let looks = 0;
  const counted: Computing = {
    cpuUsage: (before) => {
      looks++;
      return computing.cpuUsage(before);
    },
  };
  const { promise, resolve } = Promise.withResolvers<Heard>();
  const stop = whenTooSlow(counted, limitMs, { slow: (took) => resolve({ slow: took }), failed: (error) => resolve({ failed: error }) });
  try {
    return { heard: await promise, looks };
  } finally {
    stop();
  }
}

test('a thread that has ended is no failure: nothing is told of it', async () => {
  const worker = new Worker('', { eval: true });
  await once(worker, 'exit');
  await expect(worker.cpuUsage()).rejects.toMatchObject({ code: 'ERR_WORKER_NOT_RUNNING' });
  const busy = { user: 0, system: 0 };
  // The ended thread is asked five times; then another one stands in that has computed for long.
  let asked = 0;
  const { heard } = await firstHeard({ cpuUsage: (before) => (asked++ < 5 ? worker.cpuUsage(before) : Promise.resolve(before ? { user: 1e9, system: 0 } : busy)) });
  expect(asked).toBeGreaterThan(5);
  expect(heard).toEqual({ slow: '1 s' });
});

test('any other failure is told, not passed over', async () => {
  const failure = Object.assign(new Error('no such counter'), { code: 'ERR_OPERATION_FAILED' });
  expect(await firstHeard({ cpuUsage: () => Promise.reject(failure) })).toEqual({ heard: { failed: failure }, looks: 1 });
});

test('a thread that computes is told after its time', async () => {
  const worker = new Worker('for (;;);', { eval: true });
  try {
    expect((await firstHeard(worker, 200)).heard).toEqual({ slow: '1 s' });
  } finally {
    await worker.terminate();
  }
});
