/** A copy follows the source's keys: epochs, slots, and what was erased. */
import assert from 'node:assert/strict';
import { afterAll, expect, test } from 'vitest';
import { addKey, check, erase, removeEntity, removeKey, Repository, rotateKeys } from '../../src/repository/index.ts';
import { InterceptedStorage, type Storage, type StorageCall } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { caches, NEXT, Pair } from './copyPair.ts';
import { keyObjects, searchEverything } from './erasedTraces.ts';
import { backupTree, copyStorage, namesIn, openRepository, RECOVERY_KEY } from './fixture.ts';
import { objectsOf } from '../format/compareSample.ts';

afterAll(() => caches.remove());

const epochIn = (bytes: Uint8Array): number => Buffer.from(bytes).readUInt16LE(6);
const ADDED = new Uint8Array(32).fill(11);

/** A copy's place: whatever is put there is of an epoch that stands there. */
class WatchedCopy extends InterceptedStorage {
  readonly epochs = new Set([0, 1]);

  protected override around<T>(_: StorageCall, run: () => Promise<T>): Promise<T> { return run(); }

  override async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    if (name !== 'config' && !name.startsWith('init/')) assert.ok(this.epochs.has(epochIn(parts[0] as Uint8Array)), name);
    await this.inner.put(name, parts);
    if (name.startsWith('epochs/')) this.epochs.add(Number(name.slice('epochs/'.length, 'epochs/'.length + 10)));
  }
}

/** Does something once, before the first read of such an object. */
class Before extends InterceptedStorage {
  #work: (() => Promise<void>) | undefined;
  readonly #prefix: string;

  constructor(inner: Storage, prefix: string, work: () => Promise<void>) {
    super(inner);
    this.#prefix = prefix;
    this.#work = work;
  }

  protected override async around<T>({ operation, name }: StorageCall, run: () => Promise<T>): Promise<T> {
    const work = this.#work;
    if (work && operation === 'get' && name.startsWith(this.#prefix)) {
      this.#work = undefined;
      await work();
    }
    return run();
  }
}

test('a copy has every active epoch before anything that is sealed with it, and opens with every key', async () => {
  const target = new WatchedCopy(new MemoryStorage());
  const pair = await Pair.start(new MemoryStorage(), target);
  await rotateKeys(await pair.open());
  await pair.backup('e', NEXT);
  expect(await pair.copy()).toMatchObject({ findings: [] });
  expect(await namesIn(target, 'epochs/')).toEqual(await namesIn(pair.source, 'epochs/'));
  await rotateKeys(await pair.open());
  // Nothing else is new: the epoch goes along all the same.
  expect(await pair.copy()).toMatchObject({ findings: [], snapshotsCopied: 0 });
  expect(target.epochs).toEqual(new Set([0, 1, 2, 3]));
  await pair.proveCopy();
  const recovered = await Repository.open(target, RECOVERY_KEY, { cacheDirectory: caches.path('recovered'), clock: pair.clock });
  expect((await check(recovered, { readData: 100, workers: 1 })).errors).toEqual([]);
});

test.each(['packs/', 'snapshots/', 'keys/', 'entities/'])('the source is rotated while it is copied, before the first of %s', async (prefix) => {
  const target = new WatchedCopy(new MemoryStorage());
  const pair = await Pair.start(new MemoryStorage(), target);
  const source = new Before(pair.source, prefix, async () => {
    await rotateKeys(await openRepository(pair.source, caches.path('rotator'), pair.clock));
    await pair.backup('e', NEXT);
  });
  const repository = await pair.open();
  expect(repository.context.keyring.meta.epoch).toBe(1);
  expect(await pair.copy({}, source)).toMatchObject({ findings: [] });
  expect(await pair.copy()).toMatchObject({ findings: [], snapshots: 4 });
  expect(target.epochs).toContain(2);
  await pair.proveCopy();
});

test('a slot that was added opens the copy; one that was removed opens nothing newer there, and goes with --prune', async () => {
  const pair = await Pair.start();
  const slot = await addKey(await pair.open(), 'operator', ADDED);
  await pair.copy();
  const open = (): Promise<Repository> => Repository.open(pair.target, ADDED, { cacheDirectory: caches.path('added'), clock: pair.clock });
  expect(await (await open()).snapshots()).toHaveLength(3);
  await removeKey(await pair.open(), slot);
  await pair.backup('e', NEXT);
  const result = await pair.copy();
  expect(result.findings.map(({ object, code }) => `${object} ${code}`)).toEqual([`keys/${slot} key-slot`]);
  const newest = (await objectsOf(pair.target)).get(`snapshots/${pair.made.at(-1)?.manifest.tag}/${pair.made.at(-1)?.manifest.id}`);
  expect(epochIn(newest as Buffer)).toBe(2);
  expect((await open()).context.keyring.hasEpoch(2)).toBe(false);
  expect(await pair.copy({ prune: true })).toMatchObject({ findings: [] });
  await expect(open()).rejects.toMatchObject({ code: 'repository/wrong-key' });
  await pair.proveCopy();
});

test('an epoch that the source has lost is not taken from the copy; keys and erasures have no place in a copy', async () => {
  const pair = await Pair.start();
  const earlier = await copyStorage(pair.source);
  await rotateKeys(await pair.open());
  await pair.copy();
  const before = await namesIn(pair.target);
  await expect(pair.copy({}, earlier)).rejects.toMatchObject({ code: 'copy/target-ahead' });
  expect(await namesIn(pair.target)).toEqual(before);
  const copy = await pair.open(pair.target);
  const tag = pair.made[0]?.manifest.tag ?? '';
  for (const work of [
    () => rotateKeys(copy), () => addKey(copy, 'operator', ADDED), () => removeKey(copy, 'operator'),
    () => erase(copy, tag, { keys: new Set(['d/back.bin']), prefixes: [] }), () => removeEntity(copy, tag),
  ]) await expect(work()).rejects.toMatchObject({ code: 'repository/is-copy' });
  expect(await namesIn(pair.target)).toEqual(before);
});

test('what was erased from the source stays in the copy, until --prune', async () => {
  const pair = await Pair.start();
  await pair.copy();
  const { tag } = pair.made[0]?.manifest ?? { tag: '' };
  const names = [Buffer.from('back.txt'), Buffer.from('d/back.bin')];
  await erase(await pair.open(), tag, { keys: new Set(['back.txt', 'd/back.bin']), prefixes: [] });
  const keys = await keyObjects(pair.source);
  expect(await pair.copy()).toMatchObject({ findings: [] });
  expect((await searchEverything(pair.target, names, keys)).found).not.toEqual([]);
  expect(await pair.copy({ prune: true })).toMatchObject({ findings: [] });
  expect((await searchEverything(pair.target, names, keys)).found).toEqual([]);
  expect(await namesIn(pair.target, 'snapshots/')).toEqual(await namesIn(pair.source, 'snapshots/'));
  expect(await namesIn(pair.target, 'packs/')).toEqual(await namesIn(pair.source, 'packs/'));
  await backupTree(await pair.open(), 'e', NEXT, pair.clock);
  expect(await pair.copy({ prune: true })).toMatchObject({ findings: [], snapshotsCopied: 1 });
  expect((await check(await pair.open(pair.target), { readData: 100, workers: 1 })).errors).toEqual([]);
});

test('an entity that was removed and backed up anew is whole in the copy, before --prune and after it', async () => {
  const pair = await Pair.start();
  await pair.copy();
  await removeEntity(await pair.open(), pair.made[0]?.manifest.tag ?? '');
  const manifest = await pair.backup('e', NEXT);
  for (const prune of [false, true]) {
    expect(await pair.copy({ prune })).toMatchObject({ findings: [] });
    await pair.proveCopy(pair.made.filter((one) => one.manifest === manifest || one.manifest.tag !== manifest.tag));
  }
});
