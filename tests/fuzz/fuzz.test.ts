/** Parsers survive whatever is fed to them: what was found once, and twenty seconds of new inputs. `npm run soak -- fuzz` takes hours. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testSeed } from '../repository/seeded.ts';
import { fuzz } from './fuzz.ts';
import { findWith } from './fuzzCase.ts';
import { fuzzTargets } from './fuzzTargets.ts';
import { inputOf } from './mutate.ts';

const IN_ALL_MS = 20_000;
const CASES = join(import.meta.dirname, 'cases');
const seed = testSeed();

test.each(fuzzTargets)('$name: samples are read, and what was found once stays mended', async (target) => {
  for (const [i, sample] of target.samples.entries()) expect(await findWith(target, Buffer.from(sample), true), `sample ${i}`).toBeUndefined();
  const folder = join(CASES, target.name);
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    expect(await findWith(target, readFileSync(join(folder, file))), file).toBeUndefined();
  }
});

test('cases belong to targets, and inputs follow from seed and number', () => {
  const names = fuzzTargets.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const folder of existsSync(CASES) ? readdirSync(CASES) : []) expect(names).toContain(folder);
  for (const target of fuzzTargets) expect(inputOf(target, 5, 77)).toEqual(inputOf(target, 5, 77));
});

test('a crash, a hang and growth are found, and what crashes is made small', { timeout: 300_000 }, async () => {
  const { cases, finds } = await fuzz(['planted-crash', 'planted-hang', 'planted-growth', 'seal'], 7, 5000, 4000);
  expect(finds).toHaveLength(3);
  expect(finds[0]).toMatch(/^planted-crash, seed 7, case \d+: (Type|Syntax)Error/);
  expect(Number(/smallest input \((\d+) bytes/.exec(finds[0] ?? '')?.[1])).toBeLessThan(25);
  expect(finds[1]).toMatch(/^planted-hang, .*it hangs/);
  expect(finds[2]).toMatch(/^planted-growth, .*MiB/);
  expect([...cases.keys()]).toEqual(['seal']);
});

test(`nothing is found in ${IN_ALL_MS / 1000} seconds (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async () => {
  const { cases, finds } = await fuzz(fuzzTargets.map(({ name }) => name), seed, IN_ALL_MS / fuzzTargets.length);
  expect(finds.join('\n')).toBe('');
  expect(cases.size).toBe(fuzzTargets.length);
  for (const [name, count] of cases) expect(count, name).toBeGreaterThan(1);
});
