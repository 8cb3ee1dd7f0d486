import { expect, test } from 'vitest';
import { systemClock, systemRandom } from '../runtime/index.ts';
import { checkConformance } from './conformance.ts';
import type { ConformanceResult } from './conformance.ts';
import { LockedMemoryStorage } from './lockedMemoryStorage.ts';
import { tryLocks } from './lockTrial.ts';
import { expectPages } from './testVersionPages.ts';

/** It stands for a service in tests of what relies on locks: what is asked of a real one (s3/s3Locks.test.ts) is asked of it too. */
const time = { now: 1_800_000_000_000 };
const clock = { now: () => time.now, monotonic: () => time.now };
const until = time.now + 86_400_000;

test('it keeps the contract of a storage', async () => {
  const storage = new LockedMemoryStorage(clock);
  for await (const { name, error } of checkConformance(storage, { clock: systemClock, random: systemRandom })) expect([name, error]).toEqual([name, undefined]);
  expect((await storage.list('')).objects).toEqual([]);
});

test('the trial of locks holds, and leaves nothing behind', async () => {
  const storage = new LockedMemoryStorage(clock);
  const results: ConformanceResult[] = [];
  for await (const result of tryLocks(storage, storage.locks, { clock, random: systemRandom, signal: new AbortController().signal })) {
    results.push(result);
    // Nobody waits for the lock to end.
    if (results.length === 5) time.now += 100_000;
  }
  expect(results.map(({ name, error }) => [name, error])).toEqual(results.map(({ name }) => [name, undefined]));
  expect((await storage.locks.versions('')).objects).toEqual([]);
});

test('a trial whose answers come after the end of its lock finds out nothing, and says so', async () => {
  const storage = new LockedMemoryStorage(clock);
  const results: ConformanceResult[] = [];
  for await (const result of tryLocks(storage, storage.locks, { clock, random: systemRandom, signal: new AbortController().signal, lockMs: 2000 })) {
    results.push(result);
    time.now += 1900;
  }
  const failed = results.filter(({ error }) => error !== undefined);
  expect(failed.length).toBeGreaterThan(0);
  for (const { error } of failed) expect(String(error)).toContain('the lock of 2 seconds had ended');
});

test('versions are listed by pages', async () => {
  const storage = new LockedMemoryStorage(clock);
  await expectPages(storage, storage.locks);
});

test('a lock of governance can become one of compliance, not the other way round; when it has ended all can be done', async () => {
  const storage = new LockedMemoryStorage(clock);
  await storage.put('one', [Buffer.from('content')], { lock: { mode: 'governance', until: until + 1 } });
  const version = (await storage.locks.versions('one')).objects[0]?.versions[0]?.id ?? '';
  expect(await storage.locks.lockOf('one', version)).toEqual({ mode: 'governance', until: until + 1000 });
  await storage.locks.lock('one', version, { mode: 'compliance', until: until + 1000 });
  await expect(storage.locks.lock('one', version, { mode: 'governance', until: until + 2000 })).rejects.toMatchObject({ code: 'storage/locked', data: { until: until + 1000 } });
  await expect(storage.locks.remove('one', version)).rejects.toMatchObject({ code: 'storage/locked' });
  time.now = until + 1000;
  await storage.locks.lock('one', version, { mode: 'governance', until: time.now - 1000 });
  await storage.locks.remove('one', version);
  await expect(storage.locks.lockOf('one', version)).rejects.toMatchObject({ code: 'storage/not-found' });
});
