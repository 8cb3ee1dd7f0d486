/** kill -9 at random moments of backup, prune and rebuild. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CrashRounds } from './crashRounds.ts';
import { testSeed } from './seeded.ts';

const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 20);
const seed = testSeed();
const folder = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

test(`after ${KILLS} kills nothing sealed is lost and reruns finish (HOLDFAST_SEED=${seed})`, { timeout: 3_600_000 }, async () => {
  const tally = await new CrashRounds(folder, seed).run(KILLS);
  expect(Object.values(tally.kills).reduce((sum, n) => sum + n, 0)).toBe(KILLS);
  expect(tally.kills.backup).toBeGreaterThan(0);
});
