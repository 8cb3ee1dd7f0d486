/** kill -9 at random moments of copies. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CopyRounds } from './copyRounds.ts';
import { testSeed } from './seeded.ts';

const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 6);
const seed = testSeed();
const folder = await mkdtemp(join(tmpdir(), 'holdfast-copy-crash-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

test(`after ${KILLS} kills a copy is sound, and the next run brings all (HOLDFAST_SEED=${seed})`, { timeout: 3_600_000 }, async () => {
  expect((await new CopyRounds(folder, seed).run(KILLS)).kills).toBe(KILLS);
});
