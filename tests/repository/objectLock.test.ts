/** A repository in a bucket with object lock of a real service, with the keys that the product has (invariants I27, I28). */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { check, lockedUntil, lockRepository, prune, rebuild, Repository, unhide, type LockSetting, type Manifest } from '../../src/repository/index.ts';
import { CountingStorage, FaultyStorage, openStorage, RetryingStorage, type Storage } from '../../src/storage/index.ts';
import { readSettings, systemRandom } from '../../src/runtime/index.ts';
import { startCeph } from '../servers/ceph.ts';
import type { S3TestServer } from '../servers/s3TestServer.ts';
import { backupTree, cacheFolder, openRepository, OPERATOR_KEY, RECOVERY_KEY, SnapshotProof, TestClock } from './fixture.ts';
import { LockedPlace } from './lockedPlace.ts';
import type { Tree, TreeFile } from './tree.ts';

// Many requests to a service that shares the machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const DAY = 86_400_000;
const LOCK: LockSetting = { mode: 'compliance', days: 20 };
/** What is removable: the notes of running programs. */
const NOTES = /^(pins|checkpoints|doomed|void|claims|init|copies)\//;

let server: S3TestServer;
const caches = await cacheFolder();
beforeAll(async () => {
  server = await startCeph();
}, 300_000);
afterAll(async () => {
  await server?.stop();
  await caches.remove();
});

const file = (content: string, size: number): TreeFile => ({ content, size });
const FIRST: Tree = new Map([['a/one', file('r1', 300_000)], ['a/two', file('t2', 90_000)], ['mail', file('m3', 400)]]);
const SECOND: Tree = new Map([...FIRST, ['a/three', file('r4', 120_000)]]);

let caseNumber = 0;
interface World {
  readonly place: LockedPlace;
  readonly storage: Storage;
  readonly clock: TestClock;
  readonly cache: string;
  readonly repository: Repository;
  open(cache?: string, through?: Storage): Promise<Repository>;
}

/** The service has a clock of its own: ours starts at its time, and is moved ahead. */
async function world(lock: LockSetting | null = LOCK): Promise<World> {
  const place = await LockedPlace.make(server);
  const clock = new TestClock();
  clock.time = Date.now();
  const cache = caches.path(`case-${++caseNumber}`);
  const storage = await place.open();
  const repository = await Repository.init(storage, OPERATOR_KEY, RECOVERY_KEY, { cacheDirectory: cache, clock, lock: lock ?? undefined });
  return { place, storage, clock, cache, repository, open: (other = cache, through = storage) => openRepository(through, other, clock) };
}

async function restores(repository: Repository, manifest: Manifest, tree: Tree): Promise<void> {
  await new SnapshotProof(repository).holds(manifest, tree);
}

const lockedFor = (manifest: Manifest): number => Date.parse(manifest.lock?.until ?? '');

test('all that a restore needs is locked from its put on, for as long as the snapshot and longer; notes of programs are not', async () => {
  const { place, clock, repository } = await world();
  const manifest = await backupTree(repository, 'e', FIRST, clock);
  expect(manifest.lock?.mode).toBe('compliance');
  expect(lockedFor(manifest)).toBeGreaterThanOrEqual(Date.parse(manifest.startedAt) + 20 * DAY);
  const ends = await place.lockEnds();
  const kinds = new Set([...ends.keys()].map((name) => name.split('/')[0]));
  expect(kinds).toEqual(new Set(['config', 'entities', 'index', 'keys', 'locks', 'packs', 'seals', 'segments', 'snapshots']));
  for (const [name, end] of ends) expect([name, end >= lockedFor(manifest)]).toEqual([name, !NOTES.test(name)]);
  const { errors, lock } = await check(repository);
  expect(errors).toEqual([]);
  expect(lock).toMatchObject({ ...LOCK, covered: { [manifest.entity.id]: manifest.lock?.until } });
});

test('with our own keys no version of it can be deleted, and no lock be made shorter', async () => {
  const { place, storage, clock, repository } = await world();
  await backupTree(repository, 'e', FIRST, clock);
  for (const [name, end] of await place.lockEnds()) {
    const [version = ''] = await place.versionsOf(name);
    await expect(storage.locks?.remove(name, version), name).rejects.toMatchObject({ code: 'storage/locked' });
    await expect(storage.locks?.lock(name, version, { mode: 'compliance', until: end - DAY }), name).rejects.toMatchObject({ code: 'storage/locked' });
    await expect(repository.context.storage.delete(name), name).rejects.toMatchObject({ code: 'storage/locked' });
    expect(await lockedUntil(repository.context, name)).toBe(end);
  }
});

test('each run locks what its snapshot needs of earlier runs, and asks only when it must', async () => {
  const { storage, place, clock, cache, open } = await world();
  const counting = new CountingStorage(storage);
  const repository = await open(cache, counting);
  await backupTree(repository, 'e', FIRST, clock);
  const packs = await place.lockEnds('packs/');
  for (const day of [1, 2]) {
    clock.time += DAY;
    counting.reset();
    const unchanged = await backupTree(repository, 'e', FIRST, clock);
    expect([day, counting.counts.lock.requests]).toEqual([day, 0]);
    expect(await place.lockEnds('packs/')).toEqual(packs);
    for (const end of packs.values()) expect(end).toBeGreaterThanOrEqual(lockedFor(unchanged));
  }
  // A quarter of the time is over: now they would end before the snapshot's own lock.
  clock.time += 4 * DAY;
  const later = await backupTree(repository, 'e', SECOND, clock);
  for (const [name, end] of await place.lockEnds()) if (!NOTES.test(name) && !/^(snapshots|seals)/.test(name)) expect([name, end >= lockedFor(later)]).toEqual([name, true]);
  counting.reset();
  clock.time += DAY;
  await backupTree(repository, 'e', SECOND, clock);
  expect(counting.counts.lock.requests).toBe(0);
  expect((await check(repository)).errors).toEqual([]);
});

test('a pack that nothing needs any more is not locked again; a machine without a cache knows it too', async () => {
  const { place, clock, repository, open } = await world();
  await backupTree(repository, 'e', new Map([['gone', file('r1', 200_000)]]), clock);
  const old = await place.names('packs/');
  clock.time += DAY;
  await backupTree(repository, 'e', new Map([['kept', file('r2', 200_000)]]), clock);
  const before = await place.lockEnds('packs/');
  clock.time += 8 * DAY;
  const other = await open(caches.path(`other-${caseNumber}`));
  const manifest = await backupTree(other, 'e', new Map([['kept', file('r2', 200_000)], ['new', file('r3', 1000)]]), clock);
  for (const [name, end] of await place.lockEnds('packs/')) {
    if (old.includes(name)) expect(end).toBe(before.get(name));
    else expect(end).toBeGreaterThanOrEqual(lockedFor(manifest));
  }
  expect((await check(other)).errors).toEqual([]);
});

test('packs that another entity stored are locked by who refers to them', async () => {
  const { place, clock, repository } = await world();
  const shared: Tree = new Map([['big', file('r1', 700_000)]]);
  await backupTree(repository, 'one', shared, clock);
  clock.time += 10 * DAY;
  const second = await backupTree(repository, 'two', shared, clock);
  for (const [name, end] of await place.lockEnds('packs/shared/')) expect([name, end >= lockedFor(second)]).toEqual([name, true]);
  expect((await check(repository)).errors).toEqual([]);
});

test('a lock that cannot be set, or read back, fails the run before anything is sealed', async () => {
  for (const on of ['lock', 'inspect'] as const) {
    const { storage, place, clock, cache, repository, open } = await world();
    await backupTree(repository, 'e', FIRST, clock);
    clock.time += 10 * DAY;
    const faulty = new FaultyStorage(storage);
    const broken = await open(cache, faulty);
    faulty.add({ on, prefix: 'packs/', times: Infinity, effect: { kind: 'refused' } });
    await expect(backupTree(broken, 'e', SECOND, clock)).rejects.toMatchObject({ code: 'storage/unavailable' });
    expect(faulty.fired[0]).toBeGreaterThan(0);
    expect(await place.names('seals/')).toHaveLength(1);
    faulty.heal();
    await restores(broken, await backupTree(broken, 'e', SECOND, clock), SECOND);
  }
});

test('locks and requests for them outlast short failures as everything else does', async () => {
  const { storage, clock, cache, open } = await world();
  const faulty = new FaultyStorage(storage);
  const repository = await open(cache, new RetryingStorage(faulty, { random: systemRandom, sleep: async () => undefined }));
  await backupTree(repository, 'e', FIRST, clock);
  clock.time += 10 * DAY;
  for (const on of ['lock', 'inspect', 'put'] as const) {
    faulty.add({ on, call: 1, effect: { kind: 'refused' } });
    faulty.add({ on, call: 3, effect: { kind: 'lost-reply' } });
  }
  await restores(repository, await backupTree(repository, 'e', SECOND, clock), SECOND);
  expect(faulty.fired.every((count) => count === 1)).toBe(true);
  expect((await check(repository)).errors).toEqual([]);
});

test('prune leaves what is locked, says until when, and takes it when its time has come', async () => {
  const { place, clock, repository } = await world();
  const first = await backupTree(repository, 'e', new Map([['gone', file('r9', 400_000)]]), clock);
  clock.time += 2 * DAY;
  const second = await backupTree(repository, 'e', FIRST, clock);
  const names = await place.names();
  for (const dryRun of [true, false]) {
    const { snapshotsRemoved, packsDeleted, locked } = await prune(repository, { keepLast: 1 }, { graceMs: 0, dryRun });
    expect({ snapshotsRemoved, packsDeleted }).toEqual({ snapshotsRemoved: 0, packsDeleted: 0 });
    expect(locked).toMatchObject({ snapshots: 1, packs: 0 });
    expect(Date.parse(locked.until ?? '')).toBeGreaterThanOrEqual(lockedFor(first));
    expect((await place.names()).filter((name) => !NOTES.test(name))).toEqual(names);
  }
  await restores(repository, first, new Map([['gone', file('r9', 400_000)]]));
  // The snapshot's lock has ended, that of its packs goes on for a while.
  clock.time = lockedFor(first) + 2000;
  const half = await prune(repository, { keepLast: 1 }, { graceMs: 0 });
  expect(half).toMatchObject({ snapshotsRemoved: 1, packsDeleted: 0, locked: { snapshots: 0, packs: 1 } });
  expect((await check(repository)).errors).toEqual([]);
  clock.time += 30 * DAY;
  const done = await prune(repository, { keepLast: 1 }, { graceMs: 0 });
  expect(done).toMatchObject({ packsDeleted: 1, locked: { snapshots: 0, packs: 0, until: null } });
  expect((await check(repository)).errors).toEqual([]);
  await restores(repository, second, FIRST);
});

test('rebuild makes the index anew and leaves old segments that are locked', async () => {
  const { place, clock, repository } = await world();
  const manifest = await backupTree(repository, 'e', FIRST, clock);
  const before = await place.names('index/');
  await rebuild(repository);
  const after = await place.names('index/');
  for (const name of before) expect(after).toContain(name);
  expect(after.length).toBeGreaterThan(before.length);
  await restores(repository, manifest, FIRST);
});

test('somebody with our keys deletes everything: everything is still read, check names it, and unhide brings it back', async () => {
  const { place, storage, clock, cache, repository, open } = await world();
  const manifest = await backupTree(repository, 'e', FIRST, clock);
  const names = (await place.names()).filter((name) => !NOTES.test(name));
  for (const name of names) await place.delete(name);
  expect(await place.names()).toEqual([]);
  await rm(cache, { recursive: true });
  const again = await open();
  expect((await again.snapshots()).map(({ manifest: { id } }) => id)).toEqual([manifest.id]);
  await restores(again, manifest, FIRST);
  // A backup goes on from there: nothing that is locked looks as if it were not there, the setting included.
  clock.time += DAY;
  await expect(backupTree(again, 'e', FIRST, clock)).rejects.toMatchObject({ code: 'repository/hidden' });
  const { errors } = await check(again);
  expect(errors.filter(({ code }) => code === 'hidden').map(({ object }) => object)).toEqual(names);
  expect(errors.filter(({ code }) => code !== 'hidden')).toEqual([]);
  expect(await unhide(storage, { clock, dryRun: true })).toEqual(names);
  expect(await place.names()).not.toContain('config');
  expect(await unhide(storage, { clock })).toEqual(names);
  expect(await place.names()).toEqual(expect.arrayContaining(names));
  expect((await check(again)).errors).toEqual([]);
  await restores(again, await backupTree(again, 'e', SECOND, clock), SECOND);
});

test('somebody with our keys puts other bytes over everything, locked or not: check names it, and unhide brings it back', async () => {
  const { place, storage, clock, repository } = await world();
  const manifest = await backupTree(repository, 'e', FIRST, clock);
  const names = (await place.names()).filter((name) => /^(packs|snapshots|segments|index)\//.test(name));
  for (const [i, name] of names.entries()) await place.overwrite(name, i % 2 === 0 ? undefined : clock.time + 60 * DAY);
  const { errors } = await check(repository);
  expect(errors.filter(({ code }) => code === 'overwritten').map(({ object }) => object)).toEqual(names);
  expect(await unhide(storage, { clock })).toEqual(names);
  const { errors: left } = await check(repository, { readData: 100 });
  expect(left).toEqual([]);
  await restores(repository, manifest, FIRST);
  expect(await unhide(storage, { clock })).toEqual([]);
});

test('a repository that was not locked is locked from the next run on, with what it has', async () => {
  const { place, clock, repository, open } = await world(null);
  await backupTree(repository, 'e', FIRST, clock);
  expect([...(await place.lockEnds()).values()].every((end) => end === 0)).toBe(true);
  await lockRepository(repository.context, { mode: 'governance', days: 3 });
  const locked = await open();
  const manifest = await backupTree(locked, 'e', SECOND, clock);
  expect(manifest.lock?.mode).toBe('governance');
  for (const kind of ['config', 'keys/', 'entities/', 'packs/', 'index/', 'segments/']) {
    for (const [name, end] of await place.lockEnds(kind)) expect([name, end >= lockedFor(manifest)]).toEqual([name, true]);
  }
  expect((await check(locked)).errors).toEqual([]);
});

test('a run does not go on without a lock because the setting is gone', async () => {
  const { place, clock, repository, open } = await world({ mode: 'compliance', days: 1 });
  await backupTree(repository, 'e', FIRST, clock);
  // Its own lock has ended by our clock; then a deletion is one.
  clock.time += 3 * DAY;
  for (const name of await place.names('locks/')) await place.delete(name);
  const unlocked = await open();
  await expect(backupTree(unlocked, 'e', SECOND, clock)).rejects.toMatchObject({ code: 'repository/lock-lost' });
  await lockRepository(unlocked.context, LOCK);
  expect((await backupTree(await open(), 'e', SECOND, clock)).lock?.mode).toBe('compliance');
});

test('a place without object lock takes no repository with a lock', async () => {
  const storage = await openStorage(server.address(await server.makeBucket()), { settings: readSettings(server.environment) });
  await expect(Repository.init(storage, OPERATOR_KEY, RECOVERY_KEY, { cacheDirectory: caches.path('none'), lock: LOCK })).rejects.toMatchObject({ code: 'storage/no-lock' });
  expect((await storage.list('')).objects).toEqual([]);
});
