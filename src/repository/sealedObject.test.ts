import { expect, test } from 'vitest';
import { systemRandom } from '../runtime/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { DoomedList, doomedBytes, doomedRecords } from './doomed.ts';
import { Keyring } from './keyring.ts';
import { openJson, sealJson } from './sealedObject.ts';

const keyring = Keyring.create('0'.repeat(32), systemRandom);
const PRUNER = 'f'.repeat(32);
const pack = (i: number): string => `packs/${'a'.repeat(32)}/00/${i.toString(16).padStart(32, '0')}`;

test('a record is refused when it is written, not when it is read back', () => {
  const most = 'x'.repeat(64 * 1024 * 1024 - 2);
  const sealed = Buffer.concat(sealJson('name', most, keyring.meta, systemRandom));
  expect(openJson('name', sealed, keyring.metaOf)).toBe(most);
  expect(() => sealJson('name', `${most}y`, keyring.meta, systemRandom))
    .toThrow(expect.objectContaining({ code: 'repository/record-too-large' }));
});

test('an announcement of very many objects is several records, which together say all', async () => {
  const objects = Array.from({ length: 210_000 }, (_, i) => pack(i));
  const records = doomedRecords(7, PRUNER, objects);
  expect([...records.keys()]).toEqual([7, 8].map((n) => `doomed/000000000${n}-${PRUNER}`));
  const storage = new MemoryStorage();
  for (const [name, record] of records) await storage.put(name, doomedBytes(name, record, keyring, systemRandom));
  const list = await DoomedList.load(storage, keyring);
  expect(objects.filter((name) => !list.has(name))).toEqual([]);
  expect(list.packs.size).toBe(objects.length);
  expect((await DoomedList.load(storage, keyring, undefined, [...records.keys()])).records.size).toBe(0);
});
