import { expect, test } from 'vitest';
import { ResultQueue } from './resultQueue.ts';

test('hands out everything in order and holds producers back', async () => {
  const queue = new ResultQueue<number>(10);
  let pushed = 0;
  const producer = (async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      await queue.push(i, 4);
      pushed++;
    }
    queue.end();
  })();
  await Promise.resolve();
  const taken: number[] = [];
  for await (const value of queue) {
    expect(pushed - taken.length).toBeLessThanOrEqual(3);
    taken.push(value);
  }
  await producer;
  expect(taken).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test('lets pass what is heavier than all it may hold', async () => {
  const queue = new ResultQueue<string>(1);
  const done = queue.push('heavy', 100).then(() => queue.end());
  for await (const value of queue) expect(value).toBe('heavy');
  await done;
});

test('gives the failure after what came before it', async () => {
  const queue = new ResultQueue<number>(10);
  await queue.push(1, 1);
  queue.end(new Error('broken'));
  const taken: number[] = [];
  await expect((async () => {
    for await (const value of queue) taken.push(value);
  })()).rejects.toThrow('broken');
  expect(taken).toEqual([1]);
});

test('frees waiting producers when the consumer leaves', async () => {
  const queue = new ResultQueue<number>(1);
  await queue.push(1, 1);
  const waiting = queue.push(2, 1);
  for await (const _value of queue) break;
  expect(await queue.push(3, 1)).toBe(false);
  await waiting;
});
