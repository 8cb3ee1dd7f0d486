import { expect, test } from 'vitest';
import { OpenedFrames } from './openedFrames.ts';

/** Larger than what Node shares among buffers. */
const SIZE = 128 * 1024;
const frame = (): Buffer => Buffer.alloc(SIZE, 'x');

test('the least lately used frame is given up, and freed by the sweep only', () => {
  const opened = new OpenedFrames({ own: 2, shared: 1 });
  const [a, b, c] = [frame(), frame(), frame()];
  opened.keep('own', 'a', a);
  opened.keep('own', 'b', b);
  opened.keep('own', 'a', a);
  opened.keep('own', 'c', c);
  expect(opened.get('own', 'b')).toBeUndefined();
  expect(b.length).toBe(SIZE);
  opened.sweep();
  expect([a.length, b.length, c.length]).toEqual([SIZE, 0, SIZE]);
  expect(opened.get('own', 'a')).toBe(a);
});

test('a pinned frame outlives the sweeps until each pin is taken back', () => {
  const opened = new OpenedFrames({ own: 1, shared: 1 });
  const [a, b] = [frame(), frame()];
  opened.keep('shared', 'a', a);
  opened.pin(a);
  opened.pin(a);
  opened.keep('shared', 'b', b);
  opened.sweep();
  opened.unpin(a);
  opened.sweep();
  expect(a.length).toBe(SIZE);
  opened.unpin(a);
  opened.sweep();
  expect(a.length).toBe(0);
});

test('a frame that comes back before the sweep stays', () => {
  const opened = new OpenedFrames({ own: 1, shared: 1 });
  const [a, b] = [frame(), frame()];
  opened.keep('own', 'a', a);
  opened.keep('own', 'b', b);
  opened.keep('own', 'a', a);
  opened.sweep();
  expect([a.length, b.length]).toEqual([SIZE, 0]);
});
