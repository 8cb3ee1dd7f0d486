/**
 * A writer or a pruner is stopped before each of its storage operations while others run to their end, with no grace at
 * all; then it goes on. Whatever was sealed stays whole, and nobody fails for good.
 */
import { afterAll, expect, test } from 'vitest';
import { prune } from '../../src/repository/index.ts';
import { backupTree, cacheFolder, HOUR, IN_MEMORY, TestClock } from './fixture.ts';
import { testSeed } from './seeded.ts';
import { NEXT, StoppedRounds } from './stoppedRounds.ts';

/** A writer is stopped at every operation, a pruner at every how many-th, from a different first one each time. */
const PRUNER_STEP = Number(process.env['HOLDFAST_STOP_STEP'] ?? 4);
/** Pairs of operations at which a writer and a pruner are stopped in turn. */
const PAIRS = Number(process.env['HOLDFAST_STOP_PAIRS'] ?? 20);
const caches = await cacheFolder();
afterAll(() => caches.remove());
const rounds = new StoppedRounds({ place: IN_MEMORY, cache: caches.path, seed: testSeed() });

// I7, I12, I13 and I14 of docs/format/invariants.md.
test('a writer is stopped at every step while a prune runs to its end', { timeout: 600_000 }, async () => {
  const steps = await rounds.everywhere(1,
    (repository, clock) => backupTree(repository, 'e', NEXT, clock),
    async (storage, clock) => {
      await rounds.pruned(storage, clock);
      return [];
    });
  expect(steps).toBeGreaterThan(30);
});

test('a writer whose clock is a day behind is stopped at every step while a prune runs', { timeout: 600_000 }, async () => {
  const late = new TestClock();
  late.time -= 24 * HOUR;
  await rounds.everywhere(1,
    (repository) => backupTree(repository, 'late', NEXT, late),
    async (storage, clock) => {
      await prune(await rounds.open(storage, clock), { keepLast: 1 }, { graceMs: HOUR });
      await rounds.pruned(storage, clock);
      return [];
    });
});

test('a pruner is stopped at every step while a backup and another prune run to their end', { timeout: 600_000 }, async () => {
  const steps = await rounds.everywhere(PRUNER_STEP,
    async (repository) => {
      await prune(repository, { keepLast: 1 }, { graceMs: 0 });
      return undefined;
    },
    async (storage, clock) => {
      const made = await backupTree(await rounds.open(storage, clock), 'e', NEXT, clock);
      await rounds.pruned(storage, clock);
      return [made];
    });
  expect(steps).toBeGreaterThan(30);
});

test('a pruner is stopped at every step while another prune and then a backup run to their end', { timeout: 600_000 }, async () => {
  await rounds.everywhere(PRUNER_STEP,
    async (repository) => {
      await prune(repository, { keepLast: 1 }, { graceMs: 0 });
      return undefined;
    },
    async (storage, clock) => {
      await rounds.pruned(storage, clock);
      return [await backupTree(await rounds.open(storage, clock), 'e', NEXT, clock)];
    });
});

test(`a writer and a pruner are stopped in turn at ${PAIRS} pairs of steps`, { timeout: 3_600_000 }, () => rounds.pairs(PAIRS));
