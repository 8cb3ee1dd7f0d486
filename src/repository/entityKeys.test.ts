import { expect, test } from 'vitest';
import { systemRandom } from '../runtime/index.ts';
import { InterceptedStorage, type Storage, type StorageCall } from '../storage/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { ensureEntity, readEntities, readEntity } from './entityKeys.ts';
import { Keyring } from './keyring.ts';
import { SealingKey } from './xaes.ts';

const ENTITY = { id: 'folder:/a', service: 'folder', name: '/a' };

/** Holds its first put back until `go`. */
class HeldPut extends InterceptedStorage {
  readonly reached: Promise<void>;
  go: () => void = () => {};
  #reach: () => void = () => {};
  readonly #gate: Promise<void>;

  constructor(inner: Storage) {
    super(inner);
    this.reached = new Promise((resolve) => { this.#reach = resolve; });
    this.#gate = new Promise((resolve) => { this.go = resolve; });
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    if (call.operation === 'put') {
      this.#reach();
      await this.#gate;
    }
    return run();
  }
}

test('two first runs of one entity at once: whatever either seals is opened ever after', async () => {
  const storage = new MemoryStorage();
  const keyring = Keyring.create('0'.repeat(32), systemRandom);
  const held = new HeldPut(storage);
  const slow = ensureEntity(held, keyring, ENTITY, systemRandom);
  await held.reached;
  const quick = await ensureEntity(storage, keyring, ENTITY, systemRandom);
  const sealed = [quick.packs.key.seal(systemRandom(24), Buffer.from('of the quick one'))];
  held.go();
  sealed.push((await slow).packs.key.seal(systemRandom(24), Buffer.from('of the slow one')));
  const later = await ensureEntity(storage, keyring, ENTITY, systemRandom);
  sealed.push(later.packs.key.seal(systemRandom(24), Buffer.from('of a later one')));
  for (const record of [await slow, await readEntity(storage, keyring, quick.tag), ...(await readEntities(storage, keyring))]) {
    const inWorker = new SealingKey(record.packKey);
    for (const [i, text] of ['of the quick one', 'of the slow one', 'of a later one'].entries()) {
      expect(record.packs.key.open(sealed[i] as Buffer).toString()).toBe(text);
      expect(inWorker.open(sealed[i] as Buffer).toString()).toBe(text);
    }
  }
  expect((await readEntities(storage, keyring)).map(({ entity }) => entity)).toEqual([ENTITY]);
  expect((await storage.list('entities/')).objects).toHaveLength(2);
});

test('an entity that is known gets no second record; one that is not is not found', async () => {
  const storage = new MemoryStorage();
  const keyring = Keyring.create('0'.repeat(32), systemRandom);
  const first = await ensureEntity(storage, keyring, ENTITY, systemRandom);
  const again = await ensureEntity(storage, keyring, ENTITY, systemRandom);
  expect(Buffer.from(again.packKey)).toEqual(Buffer.from(first.packKey));
  expect((await storage.list('entities/')).objects).toHaveLength(1);
  await expect(readEntity(storage, keyring, 'f'.repeat(32))).rejects.toMatchObject({ code: 'storage/not-found' });
});
