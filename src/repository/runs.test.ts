/** Runs under bad clocks, bad objects and bad storage: none of these may cost a snapshot, or more than its own run. */
import { afterAll, expect, test } from 'vitest';
import { HoldfastError } from '../domain/index.ts';
import { prune, type Manifest } from './index.ts';
import { names } from './names.ts';
import { InterceptedStorage, type StorageCall } from '../storage/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { backupTree, cacheFolder, HOUR, initRepository, namesIn, openRepository, SnapshotProof, TestClock } from '../../tests/repository/fixture.ts';
import type { Tree } from '../../tests/repository/tree.ts';

const caches = await cacheFolder();
afterAll(() => caches.remove());
const NO_GRACE = { graceMs: 0 };
const tree = (...contents: string[]): Tree => new Map(contents.map((content, i) => [`f${i}`, { content, size: 9_000 }]));

/** Fails what `fails` says. */
class Failing extends InterceptedStorage {
  fails: (call: StorageCall) => boolean = () => false;

  protected override around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    if (this.fails(call)) return Promise.reject(new HoldfastError('storage/unavailable', 'retry', 'The line was cut.'));
    return run();
  }
}

test('a run on a clock that is a day behind its predecessor makes the newest snapshot', async () => {
  const storage = new MemoryStorage();
  const ahead = new TestClock();
  ahead.time += 24 * HOUR;
  const first = await backupTree(await initRepository(storage, caches.path('ahead'), ahead), 'e', tree('t1'), ahead);
  const clock = new TestClock();
  const repository = await openRepository(storage, caches.path('right'), clock);
  const second = await backupTree(repository, 'e', tree('t2'), clock);
  const third = await backupTree(repository, 'e', tree('t2', 't3'), clock);
  expect([second, third].map(({ predecessor }) => predecessor?.id)).toEqual([first.id, second.id]);
  const ids = async (): Promise<string[]> => (await repository.snapshots()).map(({ manifest }) => manifest.id);
  expect(await ids()).toEqual([first.id, second.id, third.id]);
  await prune(repository, { keepLast: 1 }, NO_GRACE);
  expect(await ids()).toEqual([third.id]);
  await new SnapshotProof(repository).holds(third, tree('t2', 't3'));
});

test('a damaged checkpoint stops neither backup nor prune, and the prune takes it away', async () => {
  const storage = new MemoryStorage();
  const clock = new TestClock();
  const repository = await initRepository(storage, caches.path('damaged'), clock);
  const { tag } = await backupTree(repository, 'e', tree('t1'), clock);
  await storage.put(names.checkpoint(tag, '0'.repeat(32)), [Buffer.from('HFOB\x01\0\x01\0 no checkpoint, but long enough to look like one', 'latin1')]);
  const made = await backupTree(repository, 'e', tree('t1', 't2'), clock);
  await prune(repository, {}, NO_GRACE);
  expect(await namesIn(storage, 'checkpoints/')).toEqual([]);
  await new SnapshotProof(repository).holds(made, tree('t1', 't2'));
});

test('a run that cannot load the index fails with that, and lets go of its predecessor', async () => {
  const storage = new Failing(new MemoryStorage());
  const clock = new TestClock();
  await backupTree(await initRepository(storage, caches.path('pin'), clock), 'e', tree('t1'), clock);
  storage.fails = ({ operation, name }) => operation === 'list' && name.startsWith('index/');
  const fresh = await openRepository(storage, caches.path('pin fresh'), clock);
  await expect(backupTree(fresh, 'e', tree('t1', 't2'), clock)).rejects.toThrow(/./);
  expect(await namesIn(storage, 'pins/')).toEqual([]);
});

test('a run whose snapshot is sealed reports success, whatever becomes of tidying up', async () => {
  const storage = new Failing(new MemoryStorage());
  const clock = new TestClock();
  const repository = await initRepository(storage, caches.path('tidy'), clock);
  let refused = 0;
  storage.fails = ({ operation, name }) => operation === 'delete' && name.startsWith('checkpoints/') && ++refused > 0;
  const made: Manifest = await backupTree(repository, 'e', tree('t1'), clock);
  expect(refused).toBe(1);
  expect((await repository.snapshots()).map(({ manifest }) => manifest.id)).toEqual([made.id]);
});
