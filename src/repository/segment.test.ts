import { expect, test } from 'vitest';
import type { ItemRow } from '../domain/index.ts';
import { systemClock, systemRandom } from '../runtime/index.ts';
import { MemoryStorage } from '../storage/index.ts';
import { Keyring } from './keyring.ts';
import { LayerWriter, SegmentReader } from './segment.ts';

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
