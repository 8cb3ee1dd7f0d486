import { expect, test } from 'vitest';
import { TimeLeft } from './timeLeft.ts';

/** An hour of something that tells each second how far it is, by its speed in each second. */
function estimates(speedAt: (second: number) => number, total: number): (number | undefined)[] {
  let now = 0;
  const left = new TimeLeft({ now: () => now, monotonic: () => now });
  const said: (number | undefined)[] = [];
  let done = 0;
  for (let second = 0; second < 3600; second++) {
    left.note(done);
    said.push(left.of(total));
    done += speedAt(second);
    now += 1000;
  }
  return said;
}

test('what goes on at one speed is told to the second from its second step on; before, and at the end, nothing', () => {
  const said = estimates(() => 10, 36_000);
  expect(said[0]).toBeUndefined();
  for (const [second, left] of said.entries()) if (second > 0) expect(left).toBeCloseTo((3600 - second) * 1000, -1);
  expect(estimates(() => 10, 100).at(-1)).toBeUndefined();
});

test('a slow start is forgotten, and a standstill is seen', () => {
  const [early, late] = [500, 2000].map((second) => estimates((at) => (at < 300 ? 1 : 10), 33_300)[second] ?? 0);
  expect(early).toBeGreaterThan(3_100_000);
  expect(late).toBeCloseTo(1_600_000, -1);
  let now = 0;
  const left = new TimeLeft({ now: () => now, monotonic: () => now });
  for (; now <= 100_000; now += 1000) left.note(now / 100);
  const moving = left.of(2000) ?? 0;
  now += 1_000_000;
  expect(left.of(2000)).toBeGreaterThan(moving * 5);
});
