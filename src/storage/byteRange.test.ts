import { expect, test } from 'vitest';
import { FileStorage } from './fileStorage.ts';
import { MemoryStorage } from './memoryStorage.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

test.each([
  { offset: 0.5, length: 1 }, { offset: 0, length: -1 }, { offset: Number.NaN, length: 1 },
  { offset: 0, length: Infinity },
])('the range %j is refused', async (range) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-range-'));
  for (const storage of [new MemoryStorage(), await FileStorage.open(folder)]) {
    await storage.put('a', [Buffer.from('x')]);
    const refused = { code: 'storage/bad-range', retryClass: 'never' };
    await expect(storage.get('a', { range })).rejects.toMatchObject(refused);
  }
  await rm(folder, { recursive: true });
});
