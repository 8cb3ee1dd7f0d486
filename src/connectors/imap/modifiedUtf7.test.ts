import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeModifiedUtf7, encodeModifiedUtf7 } from './modifiedUtf7.ts';

test('writes names as RFC 3501 and servers do', () => {
  expect(encodeModifiedUtf7('~peter/mail/台北/日本語')).toBe('~peter/mail/&U,BTFw-/&ZeVnLIqe-');
  expect(encodeModifiedUtf7('Entwürfe & Co')).toBe('Entw&APw-rfe &- Co');
  expect(decodeModifiedUtf7('&2D3eAA-')).toBe('😀');
});

test('reads back every name', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => {
    expect(decodeModifiedUtf7(encodeModifiedUtf7(name))).toBe(name);
    expect(encodeModifiedUtf7(name)).toMatch(/^[\x20-\x7e]*$/);
  }));
});

test('leaves alone what is not valid', () => {
  for (const name of ['a&b', 'Entwürfe', '&A-', 'x&', '&AA-']) expect(decodeModifiedUtf7(name)).toBe(name);
});
