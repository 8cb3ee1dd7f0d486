import { expect, test } from 'vitest';
import { freeBuffer } from './freeBuffer.ts';

test('a large buffer is gone at once, for every view of it', () => {
  const whole = Buffer.allocUnsafeSlow(1024 * 1024);
  const view = whole.subarray(100, 200);
  freeBuffer(view);
  expect(whole.length).toBe(0);
  expect(view.buffer.byteLength).toBe(0);
});

test('a small buffer, which may share its memory with others, is left alone', () => {
  const first = Buffer.from('first');
  const second = Buffer.from('second');
  freeBuffer(first);
  expect(first.toString()).toBe('first');
  expect(second.toString()).toBe('second');
  freeBuffer(Buffer.alloc(0));
});
