/** What holds on a file system and in memory holds on buckets of a real service: crashes, several at once, damage, broken connections. */
import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacheFolder } from './fixture.ts';
import { mailsThereAndBack } from '../roundTrip/mailRounds.ts';
import { ProofsOnS3 } from './onS3.ts';
import { testSeed } from './seeded.ts';

const KILLS = 4;
const seed = testSeed();
const caches = await cacheFolder();
let proofs: ProofsOnS3;
beforeAll(async () => {
  proofs = await ProofsOnS3.start(caches.path, seed);
}, 300_000);
afterAll(async () => {
  await proofs.stop();
  await caches.remove();
});

test(`after ${KILLS} kills nothing sealed is lost and reruns finish (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async () => {
  await mkdir(caches.path('crash'));
  const { kills } = await proofs.crashes(KILLS, caches.path('crash'));
  expect(Object.values(kills).reduce((sum, n) => sum + n, 0)).toBe(KILLS);
});

test('a writer and a pruner stopped in turn lose nothing', { timeout: 600_000 }, () => proofs.pairs(2));

test(`damaged objects are named, and no wrong byte is given back (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, () => proofs.damages(6));

test('a share of all requests refused, cut, slow, or done without a reply', { timeout: 600_000 }, async () => {
  const { struck } = await proofs.faults(0.15, 1);
  expect(struck).toBeGreaterThan(5);
});

test(`mails come back from a bucket as another client sees them (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async () => {
  expect(await mailsThereAndBack(await proofs.place.fresh(), { mails: 60, rounds: 0, seed })).toBeGreaterThan(50);
});
