/** Key epochs under kills, late puts, damage and races that no stop between two calls of one program shows. */
import { afterAll, expect, test } from 'vitest';
import { addKey, check, listKeys, prune, rebuild, removeKey, Repository, rotateKeys, type Manifest } from '../../src/repository/index.ts';
import { InterceptedStorage, type Storage, type StorageCall } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { backupTree, cacheFolder, copyStorage, initRepository, namesIn, OPERATOR_KEY, RECOVERY_KEY, SnapshotProof, TestClock } from './fixture.ts';
import { StoppedStorage } from './stoppedStorage.ts';
import { nextTree, type Tree } from './tree.ts';
import { testSeed } from './seeded.ts';

const seed = testSeed();
const caches = await cacheFolder();
afterAll(() => caches.remove());

let opened = 0;
const clock = new TestClock();
const open = (storage: Storage, key: Uint8Array = OPERATOR_KEY): Promise<Repository> =>
  Repository.open(storage, key, { cacheDirectory: caches.path(`cache-${opened++}`), clock });

const FIRST: Tree = new Map([
  ['d/shared.bin', { content: 'r1', size: 90_000 }], ['d/text.txt', { content: 't2', size: 30_000 }], ['m.eml', { content: 'm1', size: 90 }],
]);
const ADDED = new Uint8Array(32).fill(12);

async function made(): Promise<{ storage: Storage; manifest: Manifest }> {
  const storage = new MemoryStorage();
  return { storage, manifest: await backupTree(await initRepository(storage, caches.path(`made-${opened++}`), clock), 'e', FIRST, clock) };
}

async function proveEach(storage: Storage, trees: ReadonlyMap<string, Tree>, key?: Uint8Array): Promise<void> {
  const repository = await open(storage, key);
  const proof = new SnapshotProof(repository);
  for (const { manifest } of await repository.snapshots()) await proof.holds(manifest, trees.get(manifest.id) as Tree);
  expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
}

const epochOf = async (storage: Storage, name: string): Promise<number> => Buffer.from(await storage.get(name)).readUInt16LE(6);
const IN_USE = /^epochs\/[^.]*$/;

/** Calls `act` before each call on the storage. */
class Watched extends InterceptedStorage {
  readonly #act: (call: StorageCall) => Promise<void>;

  constructor(inner: Storage, act: (call: StorageCall) => Promise<void>) {
    super(inner);
    this.#act = act;
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    await this.#act(call);
    return run();
  }
}

test('a prepared epoch whose put the storage does once more, late, takes no rotation back', async () => {
  const { storage, manifest } = await made();
  const prepared = new Map<string, Uint8Array>();
  await rotateKeys(await open(new Watched(storage, async ({ operation, name }) => {
    if (operation === 'delete' && name.startsWith('epochs/')) prepared.set(name, await storage.get(name));
  })));
  expect(prepared.size).toBe(1);
  for (const [name, bytes] of prepared) await storage.put(name, [bytes]);
  const repository = await open(storage, RECOVERY_KEY);
  expect(repository.context.keyring.meta.epoch).toBe(2);
  const next = await backupTree(repository, 'e', nextTree(FIRST, seed), clock);
  expect(await epochOf(storage, `snapshots/${next.tag}/${next.id}`)).toBe(2);
  await addKey(await open(storage), 'operator', ADDED);
  await proveEach(storage, new Map([[manifest.id, FIRST], [next.id, nextTree(FIRST, seed)]]), ADDED);
  expect(await rotateKeys(await open(storage))).toBe(3);
});

test('a key that is added while a prepared epoch comes into use between its listing and its reading opens all', async () => {
  const { storage } = await made();
  const rotator = { listed: Promise.withResolvers<void>(), goOn: Promise.withResolvers<void>() };
  const rotating = await open(new Watched(storage, async ({ operation, name }) => {
    if (operation !== 'put' || !IN_USE.test(name)) return;
    // It has listed the slots for the second time, without the new one.
    rotator.listed.resolve();
    await rotator.goOn.promise;
  }));
  let rotation: Promise<number> | undefined;
  let met = 0;
  const adding = await open(new Watched(storage, async ({ operation, name }) => {
    if (operation === 'put' && name.startsWith('keys/') && !rotation) {
      rotation = rotateKeys(rotating);
      await rotator.listed.promise;
    } else if (operation === 'get' && name.endsWith('.prepared')) {
      met++;
      rotator.goOn.resolve();
      await rotation;
    }
  }));
  await addKey(adding, 'operator', ADDED);
  expect(met).toBe(1);
  const added = await open(storage, ADDED);
  expect(added.context.keyring.meta.epoch).toBe(2);
  const second = await backupTree(added, 'e', FIRST, clock);
  expect(await epochOf(storage, `snapshots/${second.tag}/${second.id}`)).toBe(2);
  await proveEach(storage, new Map((await added.snapshots()).map(({ manifest }) => [manifest.id, FIRST])), ADDED);
});

test('a removal that is killed at any step is finished by a second one; the slot opens nothing then', { timeout: 300_000 }, async () => {
  const { storage: start } = await made();
  const slot = await addKey(await open(start), 'operator', ADDED);
  let steps = 0;
  for (let k = 1; ; k++, steps++) {
    const storage = await copyStorage(start);
    const stopped = new StoppedStorage(storage, k);
    const working = open(stopped).then((repository) => removeKey(repository, slot));
    working.catch(() => {});
    const killed = await Promise.race([stopped.stopped.then(() => true), working.then(() => false)]);
    if (killed) await removeKey(await open(storage), slot);
    await expect(open(storage, ADDED), `killed at ${stopped.stoppedAt}`).rejects.toMatchObject({ code: 'repository/wrong-key' });
    const repository = await open(storage);
    expect(repository.context.keyring.meta.epoch).toBeGreaterThan(1);
    expect((await listKeys(repository)).slots.map((one) => one.slot)).toEqual(['operator', 'recovery']);
    expect((await check(repository, {})).errors).toEqual([]);
    if (!killed) break;
  }
  expect(steps).toBeGreaterThan(15);
});

async function damage(storage: Storage, name: string): Promise<Buffer> {
  const bytes = Buffer.from(await storage.get(name));
  const broken = Buffer.from(bytes);
  broken.writeUInt8(broken.readUInt8(40) ^ 1, 40);
  await storage.put(name, [broken]);
  return bytes;
}

test('a newest epoch that is damaged stops backups and new keys, and is named by check; unused yet, another rotation goes on', async () => {
  const { storage, manifest } = await made();
  await rotateKeys(await open(storage));
  const [name = ''] = await namesIn(storage, 'epochs/');
  const bytes = await damage(storage, name);
  const repository = await open(storage);
  await expect(backupTree(repository, 'e', FIRST, clock)).rejects.toMatchObject({ code: 'key/epoch-unknown' });
  await expect(addKey(repository, 'operator', ADDED)).rejects.toMatchObject({ code: 'key/epoch-unknown' });
  expect((await check(repository, {})).errors.map(({ object }) => object)).toEqual([name]);
  const epochs = async (): Promise<unknown> => (await listKeys(await open(storage))).epochs.map(({ epoch, readable, current }) => ({ epoch, readable, current }));
  expect(await epochs()).toEqual([{ epoch: 1, readable: true, current: false }, { epoch: 2, readable: false, current: false }]);
  expect(await rotateKeys(await open(storage))).toBe(3);
  expect(await epochs()).toMatchObject([{ epoch: 1 }, { epoch: 2, readable: false }, { epoch: 3, readable: true, current: true }]);
  const second = await backupTree(await open(storage), 'e', FIRST, clock);
  expect(await epochOf(storage, `snapshots/${second.tag}/${second.id}`)).toBe(3);
  await storage.put(name, [bytes]);
  await proveEach(storage, new Map([manifest, second].map(({ id }) => [id, FIRST])));
});

test('an epoch in use that is damaged stops backups and prunes until it is put back; nothing is lost', async () => {
  const { storage, manifest } = await made();
  await rotateKeys(await open(storage));
  const second = await backupTree(await open(storage), 'e', FIRST, clock);
  const [name = ''] = await namesIn(storage, 'epochs/');
  const bytes = await damage(storage, name);
  const repository = await open(storage);
  await expect(prune(repository, { keepLast: 1 }, { graceMs: 0 })).rejects.toMatchObject({ code: 'repository/prune-refused' });
  await rotateKeys(repository);
  await expect(backupTree(await open(storage), 'e', FIRST, clock)).rejects.toMatchObject({ code: 'repository/unknown-epoch' });
  await storage.put(name, [bytes]);
  const third = await backupTree(await open(storage), 'e', FIRST, clock);
  expect(third.predecessor?.id).toBe(second.id);
  await proveEach(storage, new Map([manifest, second, third].map(({ id }) => [id, FIRST])));
});

test('check misses an epoch whose object is gone', async () => {
  const { storage } = await made();
  await rotateKeys(await open(storage));
  const [name = ''] = await namesIn(storage, 'epochs/');
  await addKey(await open(storage), 'operator', ADDED);
  await storage.delete(name);
  expect((await check(await open(storage, ADDED), {})).errors.map(({ object, code }) => `${code} ${object}`)).toContain(`missing ${name}`);
});

test('the index is made again from packs of several epochs; a run and a prune go on with it', async () => {
  const { storage, manifest } = await made();
  const trees = new Map([[manifest.id, FIRST]]);
  let tree = FIRST;
  for (let round = 0; round < 3; round++) {
    await rotateKeys(await open(storage));
    tree = nextTree(tree, seed + round, { changes: 6, largest: 200_000 });
    trees.set((await backupTree(await open(storage), 'e', tree, clock)).id, tree);
  }
  for (const name of await namesIn(storage, 'index/')) await storage.delete(name);
  const repository = await open(storage);
  expect((await rebuild(repository)).unreadable).toEqual([]);
  for (const name of await namesIn(storage, 'index/')) expect(await epochOf(storage, name)).toBe(4);
  await proveEach(storage, trees);
  const before = await namesIn(storage, 'packs/');
  const again = await backupTree(await open(storage), 'e', tree, clock);
  expect(await namesIn(storage, 'packs/')).toEqual(before);
  trees.set(again.id, tree);
  await prune(await open(storage), { keepLast: 2 }, { graceMs: 0 });
  await proveEach(storage, trees);
});
