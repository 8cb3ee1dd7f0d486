import { expect, test } from 'vitest';
import { withRecord } from './soak.ts';
import type { SoakRecord } from './soak.ts';

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
