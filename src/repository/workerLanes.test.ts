import { afterEach, expect, test } from 'vitest';
import { WorkerLanes } from './workerLanes.ts';

/** Answers numbers with themselves; 'die' ends the thread, 'throw' breaks it, 'hold' is never answered. */
const ECHO = new URL(`data:text/javascript,${encodeURIComponent(`
  import { parentPort } from 'node:worker_threads';
  parentPort.on('message', (message) => {
    if (message === 'die') process.exit(3);
    if (message === 'throw') throw new Error('broken');
    if (message !== 'hold') parentPort.postMessage(message);
  });`)}`);

let lanes: WorkerLanes<number, number>;
afterEach(() => lanes.close());

function lanesOf(count: number, alone = 0): WorkerLanes<number, number> {
  lanes = new WorkerLanes({
    entry: ECHO, workerData: undefined, count, alone, limits: {}, lost: { retryClass: 'resume', message: 'A worker was lost.' },
    receive: (lane, reply) => lanes.settle(lane, reply, { result: reply }),
  });
  return lanes;
}

test('work is spread over as many workers as are allowed, and no more', async () => {
  const { all } = lanesOf(2);
  expect(all).toHaveLength(0);
  expect(await Promise.all([1, 2, 3, 4].map((number) => lanes.give(number, number)))).toEqual([1, 2, 3, 4]);
  expect(lanes.all).toHaveLength(2);
});

test('the first pieces have one worker alone, which takes no more of them at a time than any other', async () => {
  lanesOf(2, 5);
  const held = [lanes.give(1, 'hold'), lanes.give(2, 'hold')];
  let room = false;
  const waiting = lanes.ready().then(() => { room = true; });
  await new Promise((resolve) => { setImmediate(resolve); });
  expect(room).toBe(false);
  const [lane] = lanes.all;
  for (const number of [1, 2]) if (lane) lanes.settle(lane, number, { result: number });
  await Promise.all([...held, waiting]);
  expect(await Promise.all([3, 4, 5].map((number) => lanes.give(number, number)))).toEqual([3, 4, 5]);
  expect(lanes.all).toHaveLength(1);
  expect(await Promise.all([6, 7].map((number) => lanes.give(number, number)))).toEqual([6, 7]);
  expect(lanes.all).toHaveLength(2);
});

test('a caller waits for room while every worker holds two pieces, and goes on when one is done', async () => {
  lanesOf(1);
  const held = lanes.give(1, 'hold');
  held.catch(() => {});
  await lanes.ready();
  const second = lanes.give(2, 'hold');
  second.catch(() => {});
  let room = false;
  const waiting = lanes.ready().then(() => { room = true; });
  await new Promise((resolve) => { setImmediate(resolve); });
  expect(room).toBe(false);
  const [lane] = lanes.all;
  if (lane) lanes.settle(lane, 1, { result: 1 });
  await waiting;
  expect(await held).toBe(1);
});

test.each(['die', 'throw'])('a worker that is lost (%s) fails all that waits, in every lane, and all that comes later', async (end) => {
  lanesOf(2);
  const results = Promise.allSettled([lanes.give(1, 'hold'), lanes.give(2, 'hold'), lanes.give(3, end)]);
  const lost = { code: 'repository/worker-failed', retryClass: 'resume', message: 'A worker was lost.' };
  for (const result of await results) expect(result).toMatchObject({ status: 'rejected', reason: lost });
  await expect(lanes.ready()).rejects.toMatchObject(lost);
  await expect(lanes.give(4, 4)).rejects.toMatchObject(lost);
});

test('once closed, nothing is taken and no worker is started', async () => {
  lanesOf(2);
  await lanes.give(1, 1);
  await lanes.close();
  await expect(lanes.give(2, 2)).rejects.toMatchObject({ code: 'repository/closed' });
  expect(lanes.all).toHaveLength(1);
});
