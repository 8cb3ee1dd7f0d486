import { expect, test } from 'vitest';
import { RequestBudget, type BudgetLimits } from './requestBudget.ts';
import { settle, TestClock } from './testClock.ts';

const LIMITS: BudgetLimits = { requests: 100, requestWindowMs: 600_000, concurrent: 4, uploadBytes: 1000, uploadWindowMs: 300_000 };
const { signal } = new AbortController();

test('a burst up to the limit goes at once, the rest when the window has passed', async () => {
  const clock = new TestClock();
  const waits: number[] = [];
  const budget = new RequestBudget(LIMITS, { clock, sleep: clock.sleep, onWait: (until) => waits.push(until - clock.now()) });
  let done = 0;
  const all = Array.from({ length: 250 }, async () => {
    const leave = await budget.enter({}, signal);
    done++;
    leave();
  });
  await settle();
  expect(done).toBe(100);
  expect(waits[0]).toBeGreaterThanOrEqual(600_000);
  await clock.advance(599_000);
  expect(done).toBe(100);
  await clock.advance(2_000);
  expect(done).toBe(200);
  await clock.advance(601_000);
  expect(done).toBe(250);
  await Promise.all(all);
});

test('in every window no more than the limit is let go, and nearly all of it, however the requests are spread', async () => {
  const clock = new TestClock();
  const budget = new RequestBudget(LIMITS, { clock, sleep: clock.sleep });
  const times: number[] = [];
  let stop = false;
  const worker = async (): Promise<void> => {
    while (!stop) {
      const leave = await budget.enter({}, signal);
      times.push(clock.now());
      await clock.sleep(1 + (times.length % 7) * 900);
      leave();
    }
  };
  const workers = Array.from({ length: 6 }, worker);
  await settle();
  const end = clock.now() + 6_000_000;
  while (clock.now() < end) await clock.advance(Math.max(1, (clock.next ?? end) - clock.now()));
  stop = true;
  for (const time of times) expect(times.filter((other) => other > time - 600_000 && other <= time).length).toBeLessThanOrEqual(100);
  expect(times.length).toBeGreaterThanOrEqual(0.95 * 1000);
  while (clock.next !== undefined) await clock.advance(Math.max(1, clock.next - clock.now()));
  await Promise.all(workers);
});

test('so many run at once, and a batch takes all places that its parts need, in its turn', async () => {
  const clock = new TestClock();
  const budget = new RequestBudget(LIMITS, { clock, sleep: clock.sleep });
  const order: string[] = [];
  const leaves = await Promise.all([1, 2, 3].map(async () => await budget.enter({}, signal)));
  const batch = budget.enter({ requests: 20, slots: 4 }, signal).then((leave) => {
    order.push('batch');
    return leave;
  });
  const single = budget.enter({}, signal).then((leave) => {
    order.push('single');
    return leave;
  });
  await settle();
  expect(order).toEqual([]);
  for (const leave of leaves) leave();
  await settle();
  expect(order).toEqual(['batch']);
  (await batch)();
  await settle();
  expect(order).toEqual(['batch', 'single']);
  (await single)();
});

test('bytes that are sent have a window of their own', async () => {
  const clock = new TestClock();
  const budget = new RequestBudget(LIMITS, { clock, sleep: clock.sleep });
  (await budget.enter({ uploadBytes: 900 }, signal))();
  let went = false;
  const second = budget.enter({ uploadBytes: 200 }, signal).then((leave) => {
    went = true;
    leave();
  });
  await clock.advance(299_000);
  expect(went).toBe(false);
  await clock.advance(3_000);
  expect(went).toBe(true);
  await second;
});

test('after a refusal nothing goes until the time that the service named', async () => {
  const clock = new TestClock();
  const budget = new RequestBudget(LIMITS, { clock, sleep: clock.sleep });
  budget.closeFor(2128);
  let went = 0;
  const all = [1, 2].map(async () => {
    const leave = await budget.enter({}, signal);
    went++;
    leave();
  });
  await clock.advance(2127);
  expect(went).toBe(0);
  await clock.advance(1);
  expect(went).toBe(2);
  await Promise.all(all);
});

test('who is stopped leaves the line, and the others go on', async () => {
  const clock = new TestClock();
  const budget = new RequestBudget({ ...LIMITS, concurrent: 1 }, { clock, sleep: clock.sleep });
  const leave = await budget.enter({}, signal);
  const stop = new AbortController();
  const stopped = budget.enter({}, stop.signal);
  const next = budget.enter({}, signal);
  stop.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
  leave();
  (await next)();
  // Nothing is left that would keep a process alive.
  expect(clock.next).toBeUndefined();
});
