import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { backupTree, initRepository, namesIn, TestClock } from '../../tests/repository/fixture.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { check } from './check.ts';

const MIB = 1 << 20;

test('packs are proved on the calling thread as long as they are few, then by workers: damage is found by either', async () => {
  const cache = await mkdtemp(`${tmpdir()}/holdfast-check-`);
  try {
    const storage = new MemoryStorage();
    const clock = new TestClock();
    const repository = await initRepository(storage, cache, clock);
    for (const name of ['a', 'b', 'c']) await backupTree(repository, name, new Map([['random.bin', { content: `r${name}`, size: 3 * MIB }]]), clock);
    const packs = await namesIn(storage, 'packs/');
    expect((await check(repository, { readData: 100 })).errors).toEqual([]);
    for (const name of packs) {
      const good = await storage.get(name);
      const bad = Uint8Array.from(good);
      bad[bad.length >> 1] = (bad[bad.length >> 1] ?? 0) ^ 1;
      await storage.put(name, [bad]);
      expect((await check(repository, { readData: 100, workers: 1 })).errors.map(({ object }) => object)).toContain(name);
      await storage.put(name, [good]);
    }
    expect(packs.length).toBeGreaterThan(2);
  } finally {
    await rm(cache, { recursive: true });
  }
});
