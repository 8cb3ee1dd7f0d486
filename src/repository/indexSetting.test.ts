import { afterAll, expect, test } from 'vitest';
import { check } from './index.ts';
import { readIndexSetting, writeIndexSetting } from './indexSetting.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { cacheFolder, initRepository, namesIn, TestClock } from '../../tests/repository/fixture.ts';

const caches = await cacheFolder();
afterAll(() => caches.remove());
const clock = new TestClock();

test('the last decision counts, of an entity before that of the repository', async () => {
  const { context } = await initRepository(new MemoryStorage(), caches.path('order'), clock);
  const states = async (): Promise<boolean[]> => {
    const setting = await readIndexSetting(context);
    return [setting.ofAll, setting.of('a'), setting.of('b')];
  };
  expect(await states()).toEqual([true, true, true]);
  const steps = [
    [{ tag: 'a', index: false }, [true, false, true]], [{ tag: null, index: false }, [false, false, false]], [{ tag: 'a', index: true }, [false, true, false]],
    [{ tag: null, index: null }, [true, true, true]], [{ tag: 'a', index: null }, [true, true, true]], [{ tag: null, index: false }, [false, false, false]],
  ] as const;
  for (const [decision, expected] of steps) {
    await writeIndexSetting(context, decision);
    expect(await states(), JSON.stringify(decision)).toEqual(expected);
  }
  expect((await readIndexSetting(context)).own.size).toBe(0);
});

test('a damaged decision is damage, not permission', async () => {
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('damaged'), clock);
  await writeIndexSetting(repository.context, { tag: null, index: false });
  const [name = ''] = await namesIn(storage, 'settings/');
  const bytes = Uint8Array.from(await storage.get(name));
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  await storage.put(name, [bytes]);
  await expect(readIndexSetting(repository.context)).rejects.toMatchObject({ code: 'repository/damaged' });
  expect((await check(repository)).errors).toMatchObject([{ object: name, code: 'damaged' }]);
});
