import { expect, test } from 'vitest';
import { cleanLine, containing, fold } from './fold.ts';

test('case, accents and forms of the same letter make no difference', () => {
  for (const text of ['Zoë Müller', 'ZOE MULLER', 'Zoe\u0308 Mu\u0308ller', '\uff3a\uff4f\uff45 Muller']) expect(fold(text)).toBe('zoe muller');
});

test('whatever a provider calls somebody fits an index and the database', () => {
  // One character that is taken apart into eighteen.
  const long = '\ufdfa'.repeat(400);
  expect(Buffer.byteLength(fold(cleanLine(long)))).toBeLessThan(1_300);
  for (const odd of ['\ud800x', 'a\0b', 'two\nlines', `${'x'.repeat(319)}😀`, '']) {
    for (const text of [cleanLine(odd), fold(cleanLine(odd))]) expect([text.isWellFormed(), /[\0\n]/.test(text)]).toEqual([true, false]);
  }
});

test('what is searched for means itself', () => {
  expect(containing('50%_\\Ä')).toBe(String.raw`%50\%\_\\a%`);
});
