/**
 * A writer or a pruner is stopped before its storage operations while others run to their end, with no grace at all; then
 * it goes on. Whatever was sealed stays whole, and nobody fails for good. Every how many-th operation: the soak takes all.
 */
import { afterAll, expect, test } from 'vitest';
import { cacheFolder, IN_MEMORY } from './fixture.ts';
import { testSeed } from './seeded.ts';
import { STOPPED_CASES } from './stoppedCases.ts';
import { StoppedRounds } from './stoppedRounds.ts';

/** The first operation is the seed's, so that runs take others in turn. */
const STEP = { writer: 8, pruner: 16 };
/** Pairs of operations at which a writer and a pruner are stopped in turn. */
const PAIRS = 6;
const seed = testSeed();
const caches = await cacheFolder();
afterAll(() => caches.remove());
const rounds = new StoppedRounds({ place: IN_MEMORY, cache: caches.path, seed });

// I7, I12, I13 and I14 of docs/format/invariants.md.
test.each(STOPPED_CASES)(`$name (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async ({ stopped, run }) => {
  expect(await run(rounds, STEP[stopped])).toBeGreaterThan(30);
});

test(`a writer and a pruner are stopped in turn at ${PAIRS} pairs of steps (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, () => rounds.pairs(PAIRS));
