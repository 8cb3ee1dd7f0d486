import { expect, test } from 'vitest';
import { CURRENT_FORK, STILL_THERE, forkOf, forksCovering } from './timeTree.ts';

const NEWEST = 70;

test('a question about a moment visits the fork of every version that covers it', () => {
  const moments = Array.from({ length: NEWEST + 1 }, (_, moment) => forksCovering(moment, NEWEST));
  for (let first = 1; first <= NEWEST; first++) {
    for (let last = first; last < NEWEST; last++) {
      const fork = forkOf(first, last);
      expect(fork).toBeGreaterThanOrEqual(first);
      expect(fork).toBeLessThanOrEqual(last);
      const missed = moments.slice(first, last + 1).filter((forks) => !forks.includes(fork));
      expect(missed).toEqual([]);
    }
  }
});

test('versions that still stand are found at every moment, and alone at the newest', () => {
  expect(forkOf(5, STILL_THERE)).toBe(CURRENT_FORK);
  for (let moment = 1; moment < NEWEST; moment++) expect(forksCovering(moment, NEWEST)).toContain(CURRENT_FORK);
  expect(forksCovering(NEWEST, NEWEST)).toEqual([CURRENT_FORK]);
});

test('a moment has few forks, each once, also at the highest ordinals', () => {
  for (const newest of [1, 2, 1000, 4096, 2 ** 31 - 2]) {
    for (const moment of [1, 2, 3, Math.ceil(newest / 2), newest - 1]) {
      if (moment < 1 || moment >= newest) continue;
      const forks = forksCovering(moment, newest);
      expect(new Set(forks).size).toBe(forks.length);
      expect(forks.length).toBeLessThanOrEqual(Math.floor(Math.log2(newest)) + 2);
    }
  }
});

test('a folder emptied between every two snapshots does not make its old pages slower', () => {
  const snapshots = 4096;
  const filed = new Map<number, number>();
  for (let first = 1; first < snapshots; first++) filed.set(forkOf(first, first), 1);
  for (const moment of [1, 777, 2048, snapshots - 1]) {
    const met = forksCovering(moment, snapshots).reduce((sum, fork) => sum + (filed.get(fork) ?? 0), 0);
    expect(met).toBeLessThanOrEqual(13);
  }
});
