import fc from 'fast-check';
import { expect, test } from 'vitest';
import { markedFileName, safeFileName, sameFileName } from './safeFileName.ts';

test.each([
  ['report.txt', 'report.txt'], ['Grüße', 'Grüße'], ['Gru\u0308ße', 'Grüße'], ['a/b\\c:d', 'a_b_c_d'], ['..', '__'], ['.', '_'], ['', '_'], ['   ', '_'],
  ['../../etc/passwd', '.._.._etc_passwd'], ['CON', '_CON'], ['con.txt', '_con.txt'], ['Com1.eml', '_Com1.eml'], ['LPT²', '_LPT²'], ['console', 'console'],
  ['nul .x', '_nul .x'], ['a. .', 'a___'], ['.hidden', '.hidden'], ['a\u202egnp.exe', 'a_gnp.exe'], ['x\ud800', 'x\ufffd'], ['a\nb\0c', 'a_b_c'], ['"<>|?*', '_'],
])('%j becomes %j', (name, safe) => {
  expect(safeFileName(name)).toBe(safe);
});

test('what is too long is cut between characters, before the extension', () => {
  const name = safeFileName(`${'😀'.repeat(100)}.eml`);
  expect(name).toBe(`${'😀'.repeat(36)}.eml`);
  expect(markedFileName(name, ' ~12345678')).toBe(`${'😀'.repeat(34)} ~12345678.eml`);
  expect(markedFileName('a.b', ' 2')).toBe('a 2.b');
});

test('always a name that every system takes, and always the same one', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
    const safe = safeFileName(name);
    expect(safe).not.toMatch(/^\.{0,2}$|[/\\:*?"<>|]|[. ]$|^ /);
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(safe).not.toMatch(/[\x00-\x1f\x7f]/);
    expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(152);
    expect(safe.isWellFormed()).toBe(true);
    expect(safeFileName(safe)).toBe(safe);
  }), { numRuns: 500 });
});

test('names that macOS or Windows take for one are the same', () => {
  expect(sameFileName('Straße')).toBe(sameFileName('STRASSE'));
  expect(sameFileName('a\u0308')).toBe(sameFileName('Ä'));
  expect(sameFileName('a')).not.toBe(sameFileName('b'));
});
