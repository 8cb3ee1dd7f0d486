import { expect, test } from 'vitest';
import type { Manifest } from './manifest.ts';
import { keptSnapshots, type PrunePolicy } from './prunePolicy.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-02-01T00:00:00Z');

/** One snapshot an hour up to now, oldest first; 'p' is a partial one. */
function hourly(states: string): Manifest[] {
  return [...states].map((state, i) => ({
    id: String(i).padStart(32, '0'), status: state === 'p' ? 'partial' : 'complete',
    finishedAt: new Date(NOW - (states.length - 1 - i) * HOUR).toISOString(),
  }) as Manifest);
}

function kept(states: string, policy: PrunePolicy): string {
  const manifests = hourly(states);
  const ids = keptSnapshots(manifests, policy, NOW);
  return manifests.map(({ id }) => (ids.has(id) ? 'x' : '.')).join('');
}

test('the newest so many, or those of the last so many hours, or either', () => {
  expect(kept('cccccc', { keepLast: 2 })).toBe('....xx');
  expect(kept('cccccc', { keepWithinMs: 3 * HOUR })).toBe('..xxxx');
  expect(kept('cccccc', { keepLast: 5, keepWithinMs: HOUR })).toBe('.xxxxx');
  expect(kept('cccccc', { keepLast: 100 })).toBe('xxxxxx');
});

test('without a rule everything stays', () => {
  expect(kept('ccpc', {})).toBe('xxxx');
});

test('the newest complete snapshot stays whatever the policy says', () => {
  expect(kept('ccc', { keepLast: 0 })).toBe('..x');
  expect(kept('ccc', { keepWithinMs: -1 })).toBe('..x');
  expect(kept('ccpp', { keepLast: 1 })).toBe('.x.x');
});

test('where none is complete the newest stays', () => {
  expect(kept('ppp', { keepLast: 0 })).toBe('..x');
  expect(kept('', { keepLast: 0 })).toBe('');
});
