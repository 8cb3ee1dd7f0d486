import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ProgressEvent } from '../domain/index.ts';
import { ProgressDisplay } from './progressDisplay.ts';
import { ProgressSum } from './progressSum.ts';

type Counted = Extract<ProgressEvent, { type: 'progress' }>;

class Terminal extends Writable {
  readonly isTTY: boolean;
  readonly columns = 100;
  text = '';

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  /** What stands in the last line. */
  get line(): string { return this.text.split('\r\x1b[2K').at(-1) ?? ''; }
}

beforeEach(() => { vi.useFakeTimers({ now: 1_000_000, toFake: ['setInterval', 'clearInterval', 'Date'] }); });
afterEach(() => { vi.useRealTimers(); });

const clock = { now: () => Date.now(), monotonic: () => Date.now() };
const MB = 1024 * 1024;

test('on a terminal one line shows items, bytes, rate, share and what is left', () => {
  const stream = new Terminal(true);
  const display = new ProgressDisplay({ stream, clock, quiet: false });
  for (let second = 1; second <= 4; second++) {
    display.listener({ type: 'progress', stage: 'store', items: second * 1000, bytes: second * 2 * MB, totalItems: 10_000, totalBytes: 20 * MB });
    vi.advanceTimersByTime(1000);
  }
  expect(stream.line).toBe('storing  [========            ] 40 %  4,000 of 10,000 items  8.0 MiB  1.6 MiB/s  about 5 s left');
  expect(stream.text).not.toContain('\n');
  display.stop();
  expect(stream.line).toBe('');
});

test('where a run tells what it costs, the time left goes by that and not by items', () => {
  const stream = new Terminal(true);
  const display = new ProgressDisplay({ stream, clock, quiet: false });
  for (let second = 1; second <= 4; second++) {
    display.listener({ type: 'progress', stage: 'store', items: second, bytes: 0, totalItems: 1000, effort: { done: second * 10, total: 100 } });
    vi.advanceTimersByTime(1000);
  }
  expect(stream.line).toBe('storing  [                    ] 0 %  4 of 1,000 items  1 items/s  about 5 s left');
  display.stop();
});

test('a total of which more may come is no share, and gives a time at least', () => {
  const stream = new Terminal(true);
  const display = new ProgressDisplay({ stream, clock, quiet: false });
  const sum = new ProgressSum(display.listener, 3);
  const tell = (name: string, event: Omit<Counted, 'type'>): void => sum.of(name)({ type: 'progress', ...event });
  tell('a', { stage: 'scan', items: 250, bytes: 0, totalItems: 400 });
  vi.advanceTimersByTime(150);
  expect(stream.line).toBe('listing  250 items');
  tell('a', { stage: 'store', items: 0, bytes: 0, totalItems: 400 });
  for (let second = 1; second <= 10; second++) {
    vi.advanceTimersByTime(1000);
    tell('b', { stage: 'scan', items: second * 10, bytes: 0, totalItems: 100 });
    tell('a', { stage: 'store', items: second * 10, bytes: second, totalItems: 400 });
  }
  vi.advanceTimersByTime(150);
  expect(stream.line).toMatch(/^storing {2}100 of at least 500 items {2}10 B {2}1 B\/s {2}at least 40 s left$/);
  tell('b', { stage: 'seal', items: 100, bytes: 0, totalItems: 100 });
  tell('c', { stage: 'store', items: 0, bytes: 0, totalItems: 20 });
  vi.advanceTimersByTime(150);
  expect(stream.line).toMatch(/^storing {2}\[=+ *\] 38 % {2}200 of 520 items .* about \d+ s left$/);
  display.stop();
});

test('elsewhere a line every few seconds, and none of a short run', () => {
  const stream = new Terminal(false);
  const display = new ProgressDisplay({ stream, clock, quiet: false });
  display.listener({ type: 'progress', stage: 'restore', items: 1, bytes: 0 });
  vi.advanceTimersByTime(4999);
  expect(stream.text).toBe('');
  vi.advanceTimersByTime(10_001);
  display.stop();
  expect(stream.text).toBe('restoring  1 item\n'.repeat(3));
});

test('what is waited for is said until something moves again', () => {
  const stream = new Terminal(true);
  const display = new ProgressDisplay({ stream, clock, quiet: false });
  display.listener({ type: 'waiting', for: 'the mail\x1bserver', untilMs: Date.now() + 30_000 });
  vi.advanceTimersByTime(10_050);
  expect(stream.line).toBe('waiting for the mail\\x1bserver, 20 s more');
  display.listener({ type: 'progress', stage: 'store', items: 1, bytes: 5 });
  vi.advanceTimersByTime(150);
  expect(stream.line).toBe('storing  1 item  5 B');
  display.stop();
});

test('a count from the last run stands in for a total, until it is passed', async () => {
  const stream = new Terminal(true);
  let asked = 0;
  const expected = async (): Promise<number> => { asked++; return 200; };
  const display = new ProgressDisplay({ stream, clock, quiet: false, expected });
  display.listener({ type: 'progress', stage: 'store', items: 50, bytes: 0 });
  vi.advanceTimersByTime(150);
  await Promise.resolve();
  await Promise.resolve();
  vi.advanceTimersByTime(150);
  expect(stream.line).toContain('25 %');
  display.listener({ type: 'progress', stage: 'store', items: 201, bytes: 0 });
  vi.advanceTimersByTime(150);
  expect(stream.line).toBe('storing  201 items');
  expect(asked).toBe(1);
  display.stop();
});

test('an estimate that cannot be had is no failure', async () => {
  const stream = new Terminal(true);
  const display = new ProgressDisplay({ stream, clock, quiet: false, expected: async () => { throw new Error('none'); } });
  display.listener({ type: 'progress', stage: 'store', items: 1, bytes: 0 });
  vi.advanceTimersByTime(150);
  await Promise.resolve();
  vi.advanceTimersByTime(150);
  expect(stream.line).toBe('storing  1 item');
  display.stop();
});

test('warnings are lines of their own, bounded, also when quiet', () => {
  const stream = new Terminal(false);
  const display = new ProgressDisplay({ stream, clock, quiet: true });
  for (let i = 0; i < 25; i++) display.listener({ type: 'warning', item: `a\n${i}`, code: 'unreadable', message: 'No.' });
  display.listener({ type: 'progress', stage: 'store', items: 1, bytes: 0 });
  vi.advanceTimersByTime(60_000);
  display.stop();
  const lines = stream.text.trimEnd().split('\n');
  expect(lines).toHaveLength(21);
  expect(lines[0]).toBe('warning: a\\x0a0: No. [unreadable]');
  expect(lines[20]).toBe('warning: 5 more warnings of this kind not shown');
});

test('a line is never longer than the terminal is wide', () => {
  const stream = new Terminal(true);
  const display = new ProgressDisplay({ stream, clock, quiet: false });
  display.listener({ type: 'waiting', for: 'x'.repeat(300) });
  vi.advanceTimersByTime(150);
  expect(stream.line).toHaveLength(99);
  display.stop();
});
