/** Every snapshot lists and restores exactly what was there then, whatever was done to the repository since. */
import { afterAll, test } from 'vitest';
import { cacheFolder } from './fixture.ts';
import { proveGenerations, provePolicies } from './pointInTimeRounds.ts';
import { testSeed } from './seeded.ts';

/** `npm run soak -- pointInTime` tries more of both. */
const SIZES = { generations: 20, policies: 16 };
const seed = testSeed();
const caches = await cacheFolder();
afterAll(() => caches.remove());

// I11 (rebuild) and I17 (the newest stays) of docs/format/invariants.md.
test(`every point in time holds, without the cache and after a rebuild too (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, () =>
  proveGenerations({ seed, ...SIZES, cache: caches.path }));

test(`every point in time that a policy keeps holds (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async () => {
  await provePolicies({ seed, ...SIZES, cache: caches.path });
});
