/** A storage that fails: full, read-only, replies lost, reads cut. The error is clear, and nothing that was sealed is lost. */
import { afterAll, expect, test } from 'vitest';
import { HoldfastError, isHoldfastError, messageOf } from '../../src/domain/index.ts';
import { runBackup } from '../../src/backup/index.ts';
import { check, prune, stateRows, type Manifest, type Repository } from '../../src/repository/index.ts';
import { ReadOnlyStorage, RetryingStorage, type Storage } from '../../src/storage/index.ts';
import { FaultyStorage, type Fault } from '../../src/storage/trial/index.ts';
import { FaultRounds, type Work } from './faultRounds.ts';
import { cacheFolder, copyStorage, HOUR, namesIn, SnapshotProof } from './fixture.ts';
import { seededRandom, testSeed } from './seeded.ts';
import { bytesOf, TreeSource, type Tree } from './tree.ts';

const seed = testSeed();
const caches = await cacheFolder();
afterAll(() => caches.remove());

const rounds = await FaultRounds.make(caches.path, seed);
const { start, trees, made, clock, work: WORK, next: NEXT } = rounds;
const open = (storage: Storage): Promise<Repository> => rounds.open(storage);
const proveAndFinish = (storage: Storage, work: Work): Promise<void> => rounds.proveAndFinish(storage, work);

/**
 * Runs each kind of work with the fault at every call of its operation in turn, and counts those calls for each kind: how
 * many a prune has to rewrite or delete is the seed's, so only a backup's have a bound that holds for every seed.
 */
async function everywhere(on: Fault['on'], effect: Fault['effect'], code: string | undefined): Promise<Record<keyof typeof WORK, number>> {
  const struck = { backup: 0, prune: 0, rebuild: 0 };
  for (const [kind, work] of Object.entries(WORK) as [keyof typeof WORK, Work][]) {
    for (let call = 1; ; call++) {
      const storage = await copyStorage(start);
      const faulty = new FaultyStorage(storage, [{ on, call, effect }]);
      try {
        const error = await open(faulty).then(work).then(() => undefined, (caught: unknown) => caught);
        if (faulty.fired[0] === 0) break;
        struck[kind]++;
        if (error !== undefined) {
          expect(isHoldfastError(error), messageOf(error)).toBe(true);
          if (code !== undefined) expect((error as HoldfastError).code).toBe(code);
        }
        await proveAndFinish(storage, work);
      } catch (error) {
        throw new Error(`${kind}, ${on} ${call} (HOLDFAST_SEED=${seed})`, { cause: error });
      }
    }
  }
  return struck;
}

/** A backup puts a pack, its index, a segment, the snapshot and its seal; a prune its record and a rebuild an index. */
function expectPuts(struck: Readonly<Record<keyof typeof WORK, number>>): void {
  expect(struck.backup).toBeGreaterThanOrEqual(5);
  expect(struck.prune).toBeGreaterThan(0);
  expect(struck.rebuild).toBeGreaterThan(0);
}

test('a full disk at every put', { timeout: 300_000 }, async () => {
  const full = new HoldfastError('storage/full', 'input', 'The disk is full. Make room.');
  expectPuts(await everywhere('put', { kind: 'refused', error: full }, 'storage/full'));
});

test('the reply of every put lost, with and without a retry', { timeout: 300_000 }, async () => {
  expectPuts(await everywhere('put', { kind: 'lost-reply' }, 'storage/unavailable'));
  for (const work of Object.values(WORK)) {
    const storage = await copyStorage(start);
    const faulty = new FaultyStorage(storage, [{ on: 'put', call: 1, times: 1, effect: { kind: 'lost-reply' } }]);
    for (let call = 2; call < 40; call++) faulty.add({ on: 'put', call: 2 * call, effect: { kind: 'lost-reply' } });
    await work(await open(new RetryingStorage(faulty, { random: seededRandom(seed), sleep: () => Promise.resolve() })));
    expect(Math.max(...faulty.fired)).toBe(1);
    await proveAndFinish(storage, work);
  }
});

test('every deletion refused', { timeout: 300_000 }, async () => {
  expect((await everywhere('delete', { kind: 'refused' }, undefined)).prune).toBeGreaterThan(2);
});

test(`every read cut short: an error, never wrong bytes, never a wrong deletion (HOLDFAST_SEED=${seed})`, { timeout: 300_000 }, async () => {
  expect(Math.min(...Object.values(await everywhere('get', { kind: 'cut', keep: 9 }, undefined)))).toBeGreaterThan(2);
  const faulty = new FaultyStorage(start, [{ on: 'get', prefix: 'packs/', times: Infinity, effect: { kind: 'cut', keep: 100 } }]);
  const repository = await open(faulty);
  const { storage, keyring } = repository.context;
  const [record] = await repository.entities();
  const reader = repository.reader(record as Exclude<typeof record, undefined>);
  let failed = 0;
  for await (const rows of stateRows({ storage, keyring, tag: (made[0] as Manifest).tag }, (made[0] as Manifest).layers)) {
    for (const row of rows.filter((one) => one.kind !== 'folder')) {
      const bytes = await reader.bytes(row, 1e9).catch((error: unknown) => { failed += isHoldfastError(error) ? 1 : Number.NaN; });
      if (bytes) expect(bytes.equals(bytesOf(trees[0]?.get(row.key) ?? { content: 't', size: 0 }))).toBe(true);
    }
  }
  await reader.close();
  expect(failed).toBeGreaterThan(0);
});

test('a read-only storage is told, and can still be read, checked and restored', async () => {
  const repository = await open(new ReadOnlyStorage(await copyStorage(start)));
  for (const [kind, work] of Object.entries(WORK)) {
    await expect(work(repository), kind).rejects.toMatchObject({ code: 'storage/read-only' });
  }
  expect((await check(repository, { readData: 100 })).errors).toEqual([]);
  const proof = new SnapshotProof(repository);
  for (const [i, manifest] of made.entries()) await proof.holds(manifest, trees[i] as Tree);
  await prune(repository, { keepLast: 1 }, { graceMs: 0, dryRun: true });
});

/** More than one pack holds, so that there is something to resume. */
function manyFiles(): Tree {
  return new Map(Array.from({ length: 20 }, (_, i) => [`zz-${String(i).padStart(2, '0')}`, { content: `r${i}`, size: 1_000_000 }] as const));
}

test('a run is resumed after a prune, whether it took the checkpoint or kept it', { timeout: 300_000 }, async () => {
  const big: Tree = new Map([...NEXT, ...manyFiles()]);
  const run = (repository: Repository): Promise<Manifest> => runBackup(repository, new TreeSource('e', big), {
    signal: new AbortController().signal, progress: () => {}, clock, workers: 1, checkpointBytes: 1,
  });
  for (const graceMs of [0, 24 * HOUR]) {
    const storage = await copyStorage(start);
    const stops = new FaultyStorage(storage, [{ on: 'put', prefix: 'snapshots/', effect: { kind: 'refused' } }]);
    await expect(run(await open(stops))).rejects.toMatchObject({ code: 'storage/unavailable' });
    expect((await namesIn(storage, 'checkpoints/')).length).toBe(1);
    const before = (await namesIn(storage, 'packs/')).length;
    await prune(await open(storage), { keepLast: 1 }, { graceMs });
    expect((await namesIn(storage, 'checkpoints/')).length).toBe(graceMs === 0 ? 0 : 1);
    const manifest = await run(await open(storage));
    // What the checkpoint held is not stored again where it was kept.
    if (graceMs > 0) expect((await namesIn(storage, 'packs/')).length).toBeLessThanOrEqual(before + 4);
    const repository = await open(storage);
    await new SnapshotProof(repository).holds(manifest, big);
    expect((await check(repository, { readData: 100 })).errors).toEqual([]);
    expect(await namesIn(storage, 'checkpoints/')).toEqual([]);
  }
});

test('a checkpoint whose data a prune took is not built upon', { timeout: 300_000 }, async () => {
  const storage = await copyStorage(start);
  const tree = manyFiles();
  const run = (repository: Repository): Promise<Manifest> => runBackup(repository, new TreeSource('lost', tree), {
    signal: new AbortController().signal, progress: () => {}, clock, workers: 1, checkpointBytes: 1,
  });
  const stops = new FaultyStorage(storage, [{ on: 'put', prefix: 'snapshots/', effect: { kind: 'refused' } }]);
  await expect(run(await open(stops))).rejects.toThrow(/./);
  const [checkpoint] = await namesIn(storage, 'checkpoints/');
  const bytes = await storage.get(checkpoint as string);
  // As when the prune had listed the roots before the checkpoint was written.
  await storage.delete(checkpoint as string);
  await prune(await open(storage), { keepLast: 1 }, { graceMs: 0 });
  await storage.put(checkpoint as string, [bytes]);
  const manifest = await run(await open(storage));
  const repository = await open(storage);
  await new SnapshotProof(repository).holds(manifest, tree);
  expect((await check(repository, { readData: 100 })).errors).toEqual([]);
});
