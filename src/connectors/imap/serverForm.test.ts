import { expect, test } from 'vitest';
import { serverForm } from './serverForm.ts';

// What Dovecot 2.3 gives back of a mail that was appended so.
test.each([
  ['a\r\n\r\nb\r\n', undefined], ['', undefined], ['\r\n', undefined], ['a\rb\r\rc\r\n', undefined],
  ['a\nb\n', 'a\r\nb\r\n'], ['\n', '\r\n'], ['a\r\n\nb', 'a\r\n\r\nb'],
  ['a\r', 'a'], ['a\r\r', 'a\r'], ['a\r\r\nb', 'a\r\nb'], ['\r', ''],
])('%j', (bytes, kept) => {
  expect(serverForm(Buffer.from(bytes))?.toString()).toBe(kept);
});
