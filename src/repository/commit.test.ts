/** Each look of the commit, with a prune that did just what it looks for. */
import { afterAll, expect, test } from 'vitest';
import { runBackup } from '../backup/index.ts';
import { InterceptedStorage, type Storage, type StorageCall } from '../storage/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { cacheFolder, initRepository, namesIn, openRepository, SnapshotProof, TestClock } from '../../tests/repository/fixture.ts';
import { TreeSource, type Tree } from '../../tests/repository/tree.ts';
import { check } from './check.ts';
import { DoomedList, doomedBytes } from './doomed.ts';
import type { Manifest } from './manifest.ts';
import { names } from './names.ts';
import { writeRemoval } from './removals.ts';
import type { Repository } from './repository.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { tagAndId } from './roots.ts';
import { sealJson } from './sealedObject.ts';

const caches = await cacheFolder();
afterAll(() => caches.remove());
const clock = new TestClock();

/** Does something once, right before or after the first call that fits. */
class At extends InterceptedStorage {
  readonly #fits: (call: StorageCall) => boolean;
  readonly #when: 'before' | 'after';
  readonly #act: (call: StorageCall) => Promise<void>;
  done = 0;

  constructor(inner: Storage, when: 'before' | 'after', fits: (call: StorageCall) => boolean, act: (call: StorageCall) => Promise<void>) {
    super(inner);
    this.#when = when;
    this.#fits = fits;
    this.#act = act;
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    const mine = this.done === 0 && this.#fits(call);
    if (mine) this.done++;
    if (mine && this.#when === 'before') await this.#act(call);
    const result = await run();
    if (mine && this.#when === 'after') await this.#act(call);
    return result;
  }
}

const FIRST: Tree = new Map([['a', { content: 'r1', size: 90_000 }], ['b', { content: 't2', size: 900 }]]);
const SECOND: Tree = new Map([['a', { content: 'r1', size: 90_000 }], ['c', { content: 'r3', size: 50_000 }], ['x', { content: 't2', size: 900 }]]);

const putOf = (prefix: string) => (call: StorageCall): boolean => call.operation === 'put' && call.name.startsWith(prefix);
const back = (repository: Repository, tree: Tree): Promise<Manifest> =>
  runBackup(repository, new TreeSource('e', tree), { signal: new AbortController().signal, progress: () => {}, clock, workers: 1 });

let opened = 0;

async function started(): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  await back(await initRepository(storage, caches.path(`c${opened++}`), clock), FIRST);
  return storage;
}

async function proveSecond(storage: MemoryStorage, manifest: Manifest): Promise<void> {
  const repository = await openRepository(storage, caches.path(`c${opened++}`), clock);
  await new SnapshotProof(repository).holds(manifest, SECOND);
  expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
}

/** Runs the second backup with `act` at the moment; the run must have noticed and made a second manifest. */
async function noticed(
  when: 'before' | 'after', fits: (call: StorageCall) => boolean, act: (storage: MemoryStorage, call: StorageCall, context: RepositoryContext) => Promise<void>,
): Promise<void> {
  const storage = await started();
  const { context } = await openRepository(storage, caches.path(`c${opened++}`), clock);
  const at = new At(storage, when, fits, (call) => act(storage, call, context));
  let manifests = 0;
  const counted = new At(at, 'before', (call) => { manifests += putOf('snapshots/')(call) ? 1 : 0; return false; }, () => Promise.resolve());
  const manifest = await back(await openRepository(counted, caches.path(`c${opened++}`), clock), SECOND);
  expect(at.done).toBe(1);
  expect(manifests).toBe(2);
  await proveSecond(storage, manifest);
}

test('a void that was put before the seal', async () => {
  await noticed('before', putOf('seals/'), async (storage, call, { keyring, random }) => {
    const { tag, id } = tagAndId(call.name);
    const name = names.void(tag, id, 'some-pruner');
    await storage.put(name, sealJson(name, { pruner: 'some-pruner' }, keyring.meta, random));
  });
});

test('a manifest that was deleted before the seal, void and all', async () => {
  await noticed('before', putOf('seals/'), async (storage, call, context) => {
    const { tag, id } = tagAndId(call.name);
    await writeRemoval(context, [{ tag, id, sha256: '' }]);
    await storage.delete(names.snapshot(tag, id));
  });
});

test('a pin that was swept away', async () => {
  await noticed('before', putOf('snapshots/'), async (storage) => {
    for (const name of await namesIn(storage, 'pins/')) await storage.delete(name);
  });
});

test('a pack of this run that was deleted unseen', async () => {
  let packs: string[] = [];
  await noticed('after', putOf('snapshots/'), async (storage) => {
    packs = await namesIn(storage, 'packs/');
    await storage.delete(packs.sort((a, b) => a.slice(-32).localeCompare(b.slice(-32))).at(-1) ?? '');
  });
  expect(packs.length).toBeGreaterThan(2);
});

test('a catalog segment of this run that was deleted unseen', async () => {
  await noticed('after', putOf('snapshots/'), async (storage) => {
    const segments = await namesIn(storage, 'segments/');
    await storage.delete(segments.at(-1) ?? '');
  });
});

test('packs that are announced are stored again, and may then be deleted', async () => {
  const storage = await started();
  let doomed: string[] = [];
  const at = new At(storage, 'after', putOf('snapshots/'), async () => {
    const { keyring, random } = repository.context;
    doomed = await namesIn(storage, 'packs/');
    const name = names.doomed(1, 'pruner');
    // All packs, those that the predecessor needs too: its pin keeps these, so the run must not fail over them.
    await storage.put(name, doomedBytes(name, { n: 1, id: 'pruner', objects: doomed }, keyring, random));
  });
  const repository = await openRepository(at, caches.path(`c${opened++}`), clock);
  const manifest = await back(repository, SECOND);
  expect(at.done).toBe(1);
  const { keyring } = repository.context;
  expect((await DoomedList.load(storage, keyring)).packs.size).toBe(doomed.length);
  const fresh = (await namesIn(storage, 'packs/')).filter((name) => !doomed.includes(name));
  expect(fresh.length).toBeGreaterThan(0);
  // The second run of the test tree kept 'a' of its predecessor; all else stands in new packs.
  for (const name of await namesIn(storage, 'doomed/')) await storage.delete(name);
  await proveSecond(storage, manifest);
});
