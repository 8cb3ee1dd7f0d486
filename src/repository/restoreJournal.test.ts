import { afterAll, expect, test } from 'vitest';
import type { Storage } from '../storage/index.ts';
import { FaultyStorage, MemoryStorage } from '../storage/trial/index.ts';
import { backupTree, cacheFolder, initRepository, namesIn, TestClock } from '../../tests/repository/fixture.ts';
import { beginRestoreJournal, beginUndo, check, erase, listRestores, prune, removeEntity, type KnownRestore, type Repository, type RestoreJournal, type StoredChange } from './index.ts';

const caches = await cacheFolder();
afterAll(() => caches.remove());
const clock = new TestClock();
const { signal } = new AbortController();
const BEGIN = { service: 'exchange', source: { id: 'exchange:1', name: 'Ann', tag: 'a'.repeat(32) }, snapshot: 'b'.repeat(32), target: { id: 'exchange:2', name: 'Bea' }, mode: 'replace' };

const begin = async (repository: Repository): Promise<RestoreJournal> => await beginRestoreJournal(repository, BEGIN, signal);

async function only(repository: Repository): Promise<KnownRestore> {
  const [restore, ...others] = await listRestores(repository);
  if (restore === undefined || others.length > 0) throw new Error('there is one restore');
  return restore;
}

async function left(repository: Repository, dryRun = true): Promise<StoredChange[]> {
  const run = await beginUndo(repository, await only(repository), { dryRun, signal });
  const found: StoredChange[] = [];
  for await (const changes of run.changes()) found.push(...changes);
  return found;
}

test('I29: a note is durable before its change, what came of it comes with what follows, and nothing of it is readable without a key', async () => {
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('order'), clock);
  const journal = await begin(repository);
  const [first, second] = await Promise.all([journal.intend([{ item: 'secret-a' }, { item: 'secret-b' }]), journal.intend([{ item: 'secret-c' }])]);
  expect([first, second]).toEqual([[0, 1], [2]]);
  expect((await left(repository)).map(({ number, note, outcome }) => [number, note.item, outcome])).toEqual([[2, 'secret-c', undefined], [1, 'secret-b', undefined], [0, 'secret-a', undefined]]);
  await journal.did(1, { id: 'secret-id' });
  expect((await left(repository)).every(({ outcome }) => outcome === undefined)).toBe(true);
  await journal.intend([{ item: 'secret-d' }]);
  expect((await left(repository)).map(({ number, outcome }) => [number, outcome])).toEqual([[3, undefined], [2, undefined], [1, { id: 'secret-id' }], [0, undefined]]);
  expect(await only(repository)).toMatchObject({ id: journal.id, begin: BEGIN, ended: false, undone: 'no' });
  await journal.did(3, {});
  await journal.end({ whole: true });
  expect(await only(repository)).toMatchObject({ ended: true });
  const names = await namesIn(storage, 'journals/');
  // The beginning, what was noted at the same time, what was noted later, the last outcome, the end.
  expect(names.length).toBe(5);
  for (const name of names) expect(Buffer.from(await storage.get(name)).toString('latin1')).not.toMatch(/secret|exchange|Bea/);
  expect((await check(repository)).errors).toEqual([]);
});

test('I29: an undo stops a restore that still runs, and is told of all that it had noted', async () => {
  const repository = await initRepository(new MemoryStorage(), caches.path('running'), clock);
  const journal = await begin(repository);
  await journal.intend([{ item: 'made' }]);
  const run = await beginUndo(repository, await only(repository), { dryRun: false, signal });
  await expect(journal.intend([{ item: 'never made' }])).rejects.toMatchObject({ code: 'restore/taken-back' });
  await expect(journal.intend([{ item: 'neither' }])).rejects.toMatchObject({ code: 'restore/taken-back' });
  const found: StoredChange[] = [];
  for await (const changes of run.changes()) found.push(...changes);
  expect(found.map(({ note }) => note.item)).toEqual(['never made', 'made']);
  await run.note([0]);
  expect(await only(repository)).toMatchObject({ undone: 'begun' });
  expect((await left(repository)).map(({ number }) => number)).toEqual([1]);
  await run.note([1]);
  await run.end();
  expect(await only(repository)).toMatchObject({ undone: 'yes' });
});

test('where a note cannot be written nothing further is noted, so nothing further is changed', async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const repository = await initRepository(storage, caches.path('fault'), clock);
  const journal = await begin(repository);
  storage.add({ on: 'put', prefix: 'journals/', effect: { kind: 'refused' } });
  await expect(journal.intend([{ item: 'a' }])).rejects.toMatchObject({ code: 'storage/unavailable' });
  await expect(journal.intend([{ item: 'b' }])).rejects.toMatchObject({ code: 'storage/unavailable' });
  expect(await left(repository)).toEqual([]);
});

/** A repository with one entity, and a journal of a restore of its first snapshot. */
async function journaled(name: string): Promise<{ storage: Storage; repository: Repository; tag: string; again: () => Promise<void> }> {
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path(name), clock);
  const tree = new Map([['a.txt', { content: 't1', size: 900 }], ['b.txt', { content: 't2', size: 900 }]]);
  const manifest = await backupTree(repository, name, tree, clock);
  const { tag, entity: { id, name: called } } = manifest;
  const journal = await beginRestoreJournal(repository, { ...BEGIN, source: { id, name: called, tag }, snapshot: manifest.id }, signal);
  await journal.intend([{ item: 'a' }]);
  await journal.end({ whole: true });
  return { storage, repository, tag, again: async () => void await backupTree(repository, name, tree, clock) };
}

test('a journal goes with the snapshot that was given back, with an erasure and with the entity', async () => {
  const pruned = await journaled('pruned');
  await pruned.again();
  await prune(pruned.repository, { keepLast: 2 });
  expect((await listRestores(pruned.repository)).length).toBe(1);
  await prune(pruned.repository, { keepLast: 1 }, { dryRun: true });
  expect((await listRestores(pruned.repository)).length).toBe(1);
  await prune(pruned.repository, { keepLast: 1 });
  expect(await namesIn(pruned.storage, 'journals/')).toEqual([]);
  const erased = await journaled('erased');
  await erase(erased.repository, erased.tag, { keys: new Set(['a.txt']), prefixes: [] });
  expect(await namesIn(erased.storage, 'journals/')).toEqual([]);
  const removed = await journaled('removed');
  await removeEntity(removed.repository, removed.tag);
  expect(await namesIn(removed.storage, 'journals/')).toEqual([]);
});
