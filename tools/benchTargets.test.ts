import { expect, test } from 'vitest';
import { compareWithTargets, median, medians, type StepResult } from './benchTargets.ts';

const step = (tool: string, set: string, name: string, cpu: number, repo: number, rc = 0): StepResult =>
  ({ tool, set, step: name, wall: cpu, cpu, rss_mb: 100, rc, repo_mb: repo });

test('a median is the middle, or the mean of the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test('ratios are of medians over the rounds, and a figure that is missed says by how much', () => {
  const rounds = [10, 20, 30].flatMap((cpu) => [step('restic', 'A', 'backup', cpu, 100), step('holdfast', 'A', 'backup', cpu * 0.6, 60)]);
  const text = compareWithTargets(medians(rounds));
  expect(text).toContain('| initial mail backup, CPU | holdfast 12.00 | restic 20.00 | 0.600 | 0.5 | 0.3 | missed by 20 % |');
  expect(text).toContain('| repository size | holdfast 60.00 | restic 100.00 | 0.600 | 0.65 | 0.55 | firm met |');
});

test('growth is what a generation after the first adds', () => {
  const rows = ['restic', 'holdfast'].flatMap((tool) => [
    step(tool, 'C', 'backup0', 1, 100),
    ...[1, 2, 3].map((g) => step(tool, 'C', 'backup', 1, 100 + g * (tool === 'restic' ? 40 : 2))),
  ]);
  expect(compareWithTargets(medians(rows))).toContain('| growth per version of a big file | holdfast 2.00 | restic 40.00 | 0.050 | 0.08 | 0.05 | hoped met |');
});

test('a failed step never counts as met', () => {
  const rows = [step('restic', 'A', 'verify', 10, 1), step('holdfast', 'A', 'verify', 1, 1, 1)];
  expect(compareWithTargets(medians(rows))).toContain('step failed');
});
