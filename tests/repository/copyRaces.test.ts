/** Copies stopped at their operations while backups, prunes and other copies run; and any sequence of them. */
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { prune } from '../../src/repository/index.ts';
import { caches, NEXT, Pair } from './copyPair.ts';
import { copyStorage, initRepository, namesIn } from './fixture.ts';
import { testSeed } from './seeded.ts';
import { StoppedStorage } from './stoppedStorage.ts';
import { nextTree, type Tree } from './tree.ts';

/** A copy is stopped before every how many-th call, from a different first one each time. */
const STEP = Number(process.env['HOLDFAST_STOP_STEP'] ?? 17);
const HISTORIES = Number(process.env['HOLDFAST_HISTORIES'] ?? 4);
const seed = testSeed();
afterAll(() => caches.remove());

test(`stopped at calls on the source while a backup and a prune without grace run (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async () => {
  const start = await Pair.start();
  let k = 1 + (seed % STEP);
  for (; ; k += STEP) {
    const pair = new Pair(await copyStorage(start.source));
    pair.made.push(...start.made);
    const stopped = new StoppedStorage(pair.source, k);
    const copying = pair.copy({}, stopped);
    const reached = await Promise.race([stopped.stopped.then(() => true), copying.then(() => false)]);
    let kept: Set<string> | undefined;
    if (reached) {
      await pair.backup('e', NEXT);
      await prune(await pair.open(), { keepLast: 1 }, { graceMs: 0 });
      kept = new Set((await (await pair.open()).snapshots()).map(({ manifest }) => manifest.id));
    }
    stopped.go();
    try {
      expect((await copying).findings).toEqual([]);
      // What stood through it all is there; what was pruned is whole or not there.
      const sealed = new Set((await namesIn(pair.target, 'seals/')).map((name) => name.split('/')[2]));
      const must = start.made.filter(({ manifest }) => !kept || kept.has(manifest.id) || sealed.has(manifest.id));
      await pair.proveCopy(must);
      if (kept) {
        expect((await pair.copy({ prune: true })).findings).toEqual([]);
        await pair.proveCopy(pair.made.filter(({ manifest }) => kept.has(manifest.id)));
      }
    } catch (error) {
      throw new Error(`stopped at ${stopped.stoppedAt} (HOLDFAST_SEED=${seed})`, { cause: error });
    }
    if (!reached) break;
  }
  expect(k).toBeGreaterThan(STEP);
});

test('two copies at once into one place', async () => {
  const pair = await Pair.start();
  const results = await Promise.all([pair.copy(), pair.copy()]);
  expect(results.flatMap(({ findings }) => findings)).toEqual([]);
  await pair.proveCopy();
  await pair.copy();
  expect(await namesIn(pair.target, 'copies/')).toHaveLength(1);
});

test(`stopped at calls on the target while another copy with --prune runs to its end (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async () => {
  const start = await Pair.start();
  await start.copy();
  await start.backup('e', NEXT);
  await prune(await start.open(), { keepLast: 1 }, { graceMs: 0 });
  const kept = new Set((await (await start.open()).snapshots()).map(({ manifest }) => manifest.id));
  const must = start.made.filter(({ manifest }) => kept.has(manifest.id));
  for (let k = 1 + (seed % STEP); ; k += STEP) {
    const pair = new Pair(start.source, await copyStorage(start.target));
    const stopped = new StoppedStorage(pair.target, k);
    const copying = pair.copy({ prune: Math.floor(k / STEP) % 2 === 0 }, pair.source, stopped).then(() => true, (error: unknown) => error);
    const reached = await Promise.race([stopped.stopped.then(() => true), copying.then(() => false)]);
    if (reached) await pair.copy({ prune: true });
    stopped.go();
    const ended = await copying;
    try {
      if (ended !== true) expect(ended).toMatchObject({ code: 'repository/pruned-under-run' });
      await pair.proveCopy(must);
      expect((await pair.copy({ prune: true })).findings).toEqual([]);
      await pair.proveCopy(must);
    } catch (error) {
      throw new Error(`stopped at ${stopped.stoppedAt} (HOLDFAST_SEED=${seed})`, { cause: error });
    }
    if (!reached) break;
  }
});

test(`after any sequence of backups, prunes and copies the copy has what the source had (HOLDFAST_SEED=${seed})`, { timeout: 600_000 }, async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('backup' as const), entity: fc.constantFrom('e', 'n'), seed: fc.nat(1000) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('prune' as const), keepLast: fc.integer({ min: 1, max: 2 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('copy' as const), prune: fc.boolean() }) },
  );
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
    const pair = new Pair();
    await initRepository(pair.source, caches.path('source'), pair.clock);
    const trees = new Map<string, Tree>();
    for (const one of [...steps, { do: 'copy' as const, prune: true }]) {
      if (one.do === 'backup') {
        const tree = nextTree(trees.get(one.entity) ?? new Map(), one.seed, { changes: 6, largest: 40_000 });
        trees.set(one.entity, tree);
        await pair.backup(one.entity, tree);
      } else if (one.do === 'prune') await prune(await pair.open(), { keepLast: one.keepLast }, { graceMs: 0 });
      else {
        const standing = new Set((await (await pair.open()).snapshots()).map(({ manifest }) => manifest.id));
        expect((await pair.copy({ prune: one.prune })).findings).toEqual([]);
        await pair.proveCopy(pair.made.filter(({ manifest }) => standing.has(manifest.id)));
        if (one.prune) expect(await namesIn(pair.target, 'seals/')).toEqual(await namesIn(pair.source, 'seals/'));
      }
    }
  }), { seed, numRuns: HISTORIES });
});
