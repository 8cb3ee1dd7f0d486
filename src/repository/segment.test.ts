import { expect, test } from 'vitest';
import type { ItemRow } from '../domain/index.ts';
import { systemClock, systemRandom } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { FaultyStorage, MemoryStorage } from '../storage/trial/index.ts';
import { compactLayers } from './compactLayers.ts';
import { Keyring } from './keyring.ts';
import { LayerWriter, SegmentReader, type Layer, type SegmentRef } from './segment.ts';

const TAG = 'a'.repeat(32);
const ROW: ItemRow = {
  key: '', parent: '', name: '', kind: 'mail', size: 0, modified: null, change: '', meta: '', outcome: '', content: '',
};
const keyring = Keyring.create('0'.repeat(32), systemRandom);

function writerOn(storage: MemoryStorage): LayerWriter {
  return new LayerWriter(storage, keyring, TAG, systemClock, systemRandom);
}

const keyOf = (i: number): string => `k${String(i).padStart(6, '0')}`;

test.each(['name', 'meta', 'outcome', 'parent', 'change', 'content', 'key'] as const)(
  'long values of %s end a block long before it is too large to be read', async (column) => {
    const storage = new MemoryStorage();
    const writer = writerOn(storage);
    const long = 'x'.repeat(100_000);
    for (let i = 0; i < 200; i++) {
      const row = { ...ROW, key: keyOf(i) };
      await writer.add({ row: { ...row, [column]: column === 'key' ? row.key + long : long } });
    }
    await writer.flush();
    let rows = 0;
    for (const ref of writer.refs) {
      const segment = await SegmentReader.open(storage, keyring, TAG, ref);
      expect(segment.blockCount).toBeGreaterThan(0);
      for (let i = 0; i < segment.blockCount; i++) {
        const block = await segment.block(i);
        expect(block.count).toBeLessThanOrEqual(41);
        rows += block.count;
      }
    }
    expect(rows).toBe(200);
  });

test('a row that no block can hold is refused before it is taken', async () => {
  const storage = new MemoryStorage();
  const writer = writerOn(storage);
  expect(() => writer.push({ row: { ...ROW, key: 'a', name: 'x'.repeat(30_000_000) } }))
    .toThrow(expect.objectContaining({ code: 'repository/row-too-large' }));
  writer.push({ row: { ...ROW, key: 'b' } });
  await writer.flush();
  expect(writer.refs).toMatchObject([{ rows: 1, first: 'b' }]);
});

test('a merge of layers that fails tells which segments it has put', async () => {
  const storage = new MemoryStorage();
  const layer = async (rows: number): Promise<Layer> => {
    const writer = writerOn(storage);
    for (let i = 0; i < rows; i++) await writer.add({ row: { ...ROW, key: keyOf(i), content: systemRandom(100_000).toString('latin1') } });
    await writer.flush();
    return writer.refs;
  };
  const layers = [await layer(400), await layer(110)];
  const before = await namesOf(storage);
  const faulty = new FaultyStorage(storage, [{ on: 'put', call: 2, effect: { kind: 'refused' } }]);
  const made: SegmentRef[] = [];
  const context = { storage: faulty, keyring, clock: systemClock, random: systemRandom, cacheDirectory: '' };
  await expect(compactLayers(context, { storage: faulty, keyring, tag: TAG }, layers, made)).rejects.toMatchObject({ retryClass: 'retry' });
  const put = (await namesOf(storage)).filter((name) => !before.includes(name));
  expect(put).toHaveLength(1);
  expect(made.map(({ id }) => `segments/${TAG}/${id}`)).toEqual(put);
});

async function namesOf(storage: MemoryStorage): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of listAll(storage, '')) names.push(name);
  return names;
}
