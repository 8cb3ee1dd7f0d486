import { expect, test } from 'vitest';
import { hasRecord, jobsOf, withRecord } from './soak.ts';
import type { Soak, SoakRecord } from './soak.ts';

const RECORD: SoakRecord = { name: 'kills', seed: 7, commit: 'abc', date: '2026-11-23', machine: '2 × m', result: '400 kills | nothing\nlost' };
const ROW = '| 2026-11-23 | kills | 7 | abc | 2 × m | 400 kills \\| nothing lost |\n';

test('makes the table where there is none', () => {
  const text = withRecord('# Benchmarks\n\nText.\n', RECORD);
  expect(text).toMatch(/^# Benchmarks\n\nText\.\n\n## Soak runs\n\n\| date /);
  expect(text.endsWith(ROW)).toBe(true);
});

test('adds a row at the end of the table, also when something follows it', () => {
  const first = withRecord('# Benchmarks\n', RECORD);
  expect(withRecord(first, { ...RECORD, name: 'fuzz' }).split('\n').slice(-3)).toEqual([
    ROW.trimEnd(), ROW.trimEnd().replace('kills', 'fuzz'), '',
  ]);
  const followed = withRecord(`${first}\n## Speed\n\nmore\n`, { ...RECORD, name: 'fuzz' });
  expect(followed.endsWith(`${ROW}${ROW.replace('kills', 'fuzz')}\n## Speed\n\nmore\n`)).toBe(true);
});

test('knows what was recorded with a seed and did not fail', () => {
  let text = withRecord('# Benchmarks\n\n## Speed\n\n| 2026-11-23 | other | 7 | abc | 2 × m | x |\n', { ...RECORD, name: 'fuzz/pack' });
  text = withRecord(text, { ...RECORD, name: 'fuzz/rows', result: 'FAILED: it hangs' });
  expect(hasRecord(text, 'fuzz/pack', 7)).toBe(true);
  expect([hasRecord(text, 'fuzz/pack', 8), hasRecord(text, 'fuzz/rows', 7), hasRecord(text, 'fuzz', 7), hasRecord(text, 'other', 7), hasRecord('', 'other', 7)]).toEqual([false, false, false, false, false]);
  expect(hasRecord(withRecord(text, { ...RECORD, name: 'fuzz/rows' }), 'fuzz/rows', 7)).toBe(true);
});

test('a name means a program with all its parts, or one part', () => {
  const soaks: readonly Soak[] = [{ name: 'fuzz', parts: ['pack', 'rows'], run: async ({ part }) => part }, { name: 'kills', run: async () => '' }];
  const named = (...names: readonly string[]): string[] => jobsOf(soaks, names).map(({ name, part }) => `${name}:${part}`);
  expect(named()).toEqual(['fuzz/pack:pack', 'fuzz/rows:rows', 'kills:']);
  expect(named('fuzz')).toEqual(['fuzz/pack:pack', 'fuzz/rows:rows']);
  expect(named('kills', 'fuzz/rows')).toEqual(['fuzz/rows:rows', 'kills:']);
  expect(() => named('fuzz/none')).toThrow('no soak named fuzz/none; there are: fuzz, kills, fuzz/pack, fuzz/rows');
});
