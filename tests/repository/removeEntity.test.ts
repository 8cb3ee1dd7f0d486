/** An entity that was removed leaves nothing behind, its keys first of all; killed at any step, a second removal finishes. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { check, prune, removeEntity, type Manifest, type Repository } from '../../src/repository/index.ts';
import { type Storage } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { keyObjects, searchEverything, tracesOf } from './erasedTraces.ts';
import { backupTree, cacheFolder, copyStorage, initRepository, namesIn, openRepository, SnapshotProof, TestClock } from './fixture.ts';
import { testSeed } from './seeded.ts';
import { putOf, StoppedStorage } from './stoppedStorage.ts';
import type { Tree, TreeFile } from './tree.ts';

const seed = testSeed();
const STEP = Number(process.env['HOLDFAST_STOP_STEP'] ?? 31);
const caches = await cacheFolder();
afterAll(() => caches.remove());

const OWN: Readonly<Record<string, TreeFile>> = { 'd/only-here.txt': { content: 't3', size: 3_000 }, 'd/only-here.bin': { content: 'r4', size: 90_000 } };
const GONE: Tree = new Map([...Object.entries(OWN), ['both.bin', { content: 'r2', size: 60_000 }]]);
const STAYS: Tree = new Map([['n.bin', { content: 'r2', size: 60_000 }], ['n.txt', { content: 't9', size: 2_000 }]]);
const TRACES = Object.entries(OWN).flatMap(([key, file]) => tracesOf(key.slice(2), file));

interface Made {
  readonly storage: Storage;
  readonly gone: Manifest;
  readonly stays: Manifest;
}

async function made(clock: TestClock): Promise<Made> {
  const storage: Storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('made'), clock);
  await backupTree(repository, 'gone', GONE, clock);
  const stays = await backupTree(repository, 'stays', STAYS, clock);
  return { storage, stays, gone: await backupTree(repository, 'gone', new Map([...GONE, ['x', { content: 't1', size: 40 }]]), clock) };
}

async function proveGone(storage: Storage, clock: TestClock, { gone, stays }: Made, keys: ReadonlyMap<string, Buffer>): Promise<void> {
  expect((await namesIn(storage)).filter((name) => name.includes(gone.tag))).toEqual([]);
  expect((await searchEverything(storage, TRACES, keys)).found).toEqual([]);
  const repository = await openRepository(storage, caches.path('proof'), clock);
  expect((await repository.snapshots()).map(({ manifest }) => manifest.id)).toEqual([stays.id]);
  await new SnapshotProof(repository).holds(stays, STAYS);
  expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
}

// I25 of docs/format/invariants.md.
test('I25: an entity that is removed is gone with its keys, killed at any step or not', { timeout: 600_000 }, async () => {
  const clock = new TestClock();
  const start = await made(clock);
  const keys = await keyObjects(start.storage);
  for (let k = 1 + (seed % STEP); ; k += STEP) {
    const storage = await copyStorage(start.storage);
    const killed = new StoppedStorage(storage, k);
    const removing = openRepository(killed, caches.path('killed'), clock).then((repository) => removeEntity(repository, start.gone.tag));
    const reached = await Promise.race([killed.stopped.then(() => true), removing.then(() => false)]);
    if (reached) await removeEntity(await openRepository(storage, caches.path('second'), clock), start.gone.tag);
    else expect(await removing).toMatchObject({ snapshotsRemoved: 2, packsRewritten: 1 });
    await proveGone(storage, clock, start, keys).catch((error: unknown) => {
      throw new Error(`killed at ${killed.stoppedAt} (HOLDFAST_SEED=${seed})`, { cause: error });
    });
    if (!reached) break;
  }
});

test('I25: a backup that is stopped at any step while its entity is removed reports no snapshot that cannot be read', { timeout: 600_000 }, async () => {
  const clock = new TestClock();
  const start = await made(clock);
  for (let k = 1 + (seed % STEP); ; k += STEP) {
    const storage = await copyStorage(start.storage);
    const stopped = new StoppedStorage(storage, k);
    const running = openRepository(stopped, caches.path('run'), clock).then((repository) => backupTree(repository, 'gone', GONE, clock));
    const reached = await Promise.race([stopped.stopped.then(() => true), running.then(() => false)]);
    // Sealed before the removal it went with it.
    const sealed = (await namesIn(storage, `seals/${start.gone.tag}/`)).length > 2;
    if (reached) await removeEntity(await openRepository(storage, caches.path('remover'), clock), start.gone.tag);
    stopped.go();
    const manifest = await running;
    const repository = await openRepository(storage, caches.path('after'), clock);
    const standing = (await repository.snapshots(manifest.tag)).map((one) => one.manifest.id);
    if (!reached || !sealed) expect(standing, stopped.stoppedAt).toContain(manifest.id);
    if (standing.includes(manifest.id)) await new SnapshotProof(repository).holds(manifest, GONE);
    expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
    if (!reached) break;
  }
});

test('I25: what only a killed backup had stored goes too, out of packs that others need; this machine keeps no index of it', async () => {
  const clock = new TestClock();
  const { storage, gone } = await made(clock);
  const keys = await keyObjects(storage);
  const secret: TreeFile = { content: 'r77', size: 90_000 };
  const common: TreeFile = { content: 'r78', size: 60_000 };
  const killed = new StoppedStorage(storage, putOf('snapshots/'));
  const dying = backupTree(await openRepository(killed, caches.path('dying'), clock), 'gone', new Map([...GONE, ['new.bin', secret], ['common.bin', common]]), clock);
  await Promise.race([killed.stopped, dying]);
  const needs: Tree = new Map([...STAYS, ['common.bin', common]]);
  const stays = await backupTree(await openRepository(storage, caches.path('beside'), clock), 'stays', needs, clock);
  const traces = tracesOf('new.bin', secret);
  const { found } = await searchEverything(storage, traces.slice(1), keys);
  expect(new Set(found.map((one) => one.split('/').slice(0, 2).join('/')))).toEqual(new Set(['packs/shared']));
  const remover = await openRepository(storage, caches.path('dying'), clock);
  await removeEntity(remover, gone.tag);
  expect((await searchEverything(storage, [...TRACES, ...traces], keys)).found).toEqual([]);
  await new SnapshotProof(await openRepository(storage, caches.path('after-dying'), clock)).holds(stays, needs);
  const standing = new Set((await namesIn(storage, 'index/')).map((name) => `${name.split('/')[2]}.idx`));
  expect(readdirSync(join(remover.context.cacheDirectory, 'index')).filter((file) => !standing.has(file))).toEqual([]);
});

test('I25: what a run of a removed entity put too late, before it was killed, is relied on by no later run, and goes with the next prune', { timeout: 120_000 }, async () => {
  const clock = new TestClock();
  const { storage, gone, stays } = await made(clock);
  const late = new Map<string, Uint8Array>();
  for (const prefix of ['packs', 'index']) for (const name of await namesIn(storage, `${prefix}/${gone.tag}/`)) late.set(name, await storage.get(name));
  expect(late.size).toBeGreaterThan(1);
  const reopen = (): Promise<Repository> => openRepository(storage, caches.path('late'), clock);
  await removeEntity(await reopen(), gone.tag);
  for (const [name, bytes] of late) await storage.put(name, [bytes]);
  const packs = [...late.keys()].filter((name) => name.startsWith('packs/'));
  // Named by check: while there is no such entity, and when it has another key.
  const lateNamed = async (): Promise<void> => {
    const { errors, notices } = await check(await reopen(), { readData: 100, workers: 1 });
    expect(errors).toEqual([]);
    expect(notices.filter(({ code }) => code === 'no-key').map(({ object }) => object)).toEqual(packs);
  };
  await lateNamed();
  const again = await backupTree(await reopen(), 'gone', GONE, clock);
  await new SnapshotProof(await reopen()).holds(again, GONE);
  await lateNamed();
  await prune(await reopen(), {}, { graceMs: 0 });
  expect((await namesIn(storage)).filter((name) => late.has(name))).toEqual([]);
  await new SnapshotProof(await reopen()).holds(again, GONE);
  await new SnapshotProof(await reopen()).holds(stays, STAYS);
  expect((await check(await reopen(), { readData: 100, workers: 1 })).errors).toEqual([]);
});
