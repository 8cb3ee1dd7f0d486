import { expect, test } from 'vitest';
import { HoldfastError } from '../domain/index.ts';
import { systemRandom } from '../runtime/index.ts';
import { CountingStorage } from './countingStorage.ts';
import { DelayedStorage } from './delayedStorage.ts';
import { FaultyStorage } from './faultyStorage.ts';
import { MemoryStorage } from './memoryStorage.ts';
import { ReadOnlyStorage } from './readOnlyStorage.ts';
import { RetryingStorage } from './retryingStorage.ts';

const parts = [Buffer.from('hello '), Buffer.from('world')];
const unavailable = { code: 'storage/unavailable', retryClass: 'retry' };

async function filled(...names: string[]): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  for (const name of names) await storage.put(name, parts);
  return storage;
}

test('counting: requests, failures and bytes of each kind, until reset', async () => {
  const storage = new CountingStorage(new MemoryStorage());
  await storage.put('a', parts);
  await storage.get('a');
  await storage.get('a', { range: { offset: -5, length: 5 } });
  await storage.get('none').catch(() => undefined);
  await storage.stat('a');
  await storage.list('');
  await storage.delete('a');
  const counts = storage.counts;
  expect(counts).toEqual({
    get: { requests: 3, failed: 1, bytes: 16 },
    put: { requests: 1, failed: 0, bytes: 11 },
    list: { requests: 1, failed: 0, bytes: 0 },
    delete: { requests: 1, failed: 0, bytes: 0 },
    stat: { requests: 1, failed: 0, bytes: 0 },
    lock: { requests: 0, failed: 0, bytes: 0 },
    inspect: { requests: 0, failed: 0, bytes: 0 },
  });
  expect(storage.requests).toBe(7);
  storage.reset();
  expect(storage.requests).toBe(0);
  expect(counts.get.requests).toBe(3);
});

test('faulty: a refused call has no effect, a lost reply has', async () => {
  const inner = new MemoryStorage();
  const storage = new FaultyStorage(inner, [
    { on: 'put', call: 1, effect: { kind: 'refused' } },
    { on: 'put', call: 2, effect: { kind: 'lost-reply' } },
  ]);
  await expect(storage.put('a', parts)).rejects.toMatchObject(unavailable);
  expect(await inner.stat('a')).toBeUndefined();
  await expect(storage.put('a', parts)).rejects.toMatchObject(unavailable);
  expect(await inner.stat('a')).toEqual({ name: 'a', size: 11 });
  await storage.put('b', parts);
  expect(storage.fired).toEqual([1, 1]);
});

test('faulty: counts only calls of its kind under its prefix, and strikes as often as it is told', async () => {
  const storage = new FaultyStorage(await filled('packs/1', 'index/1'), [
    { on: 'get', prefix: 'packs/', call: 2, times: 2, effect: { kind: 'refused' } },
  ]);
  const failed: boolean[] = [];
  for (let i = 0; i < 5; i++) {
    await storage.get('index/1');
    await storage.stat('packs/1');
    failed.push(await storage.get('packs/1').then(() => false, () => true));
  }
  expect(failed).toEqual([false, true, true, false, false]);
});

test('faulty: a lasting fault with its own error, until healed', async () => {
  const full = new HoldfastError('storage/full', 'input', 'Full.');
  const storage = new FaultyStorage(await filled('a'));
  storage.add({ on: 'delete', times: Infinity, effect: { kind: 'refused', error: full } });
  for (let i = 0; i < 5; i++) await expect(storage.delete('a')).rejects.toBe(full);
  storage.heal();
  await storage.delete('a');
  expect(await storage.stat('a')).toBeUndefined();
});

test('faulty: a cut get gives the beginning of what was asked for', async () => {
  const storage = new FaultyStorage(await filled('a'), [
    { on: 'get', times: 2, effect: { kind: 'cut', keep: 3 } },
  ]);
  expect(Buffer.from(await storage.get('a')).toString()).toBe('hel');
  expect(Buffer.from(await storage.get('a', { range: { offset: 6, length: 5 } })).toString()).toBe('wor');
  expect(Buffer.from(await storage.get('a')).toString()).toBe('hello world');
});

test('delayed: waits as long as the function says, before the call', async () => {
  const inner = new CountingStorage(await filled('a'));
  const waits: unknown[] = [];
  const storage = new DelayedStorage(
    inner,
    ({ operation, name, bytes }) => (operation === 'stat' ? 0 : bytes + name.length),
    async (ms) => void waits.push([ms, inner.requests]),
  );
  await storage.put('ab', parts);
  await storage.get('a', { range: { offset: 0, length: 4 } });
  await storage.stat('a');
  expect(waits).toEqual([[13, 0], [5, 1]]);
});

test('delayed: an abort ends the wait, and the call is not made', async () => {
  const inner = new CountingStorage(await filled('a'));
  const storage = new DelayedStorage(inner, () => 3_600_000);
  const controller = new AbortController();
  const reason = new Error('stop');
  const call = storage.delete('a', { signal: controller.signal });
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
  expect(inner.requests).toBe(0);
});

function retrying(faulty: FaultyStorage): { storage: RetryingStorage; below: CountingStorage; waits: number[] } {
  const waits: number[] = [];
  const below = new CountingStorage(faulty);
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  return { below, waits, storage: new RetryingStorage(below, { random: systemRandom, sleep, attempts: 4 }) };
}

test('retrying: a put whose reply is lost is put again, and is there', async () => {
  const inner = new MemoryStorage();
  const { storage, below, waits } = retrying(new FaultyStorage(inner, [{ on: 'put', effect: { kind: 'lost-reply' } }]));
  await storage.put('a', parts);
  expect(below.counts.put).toEqual({ requests: 2, failed: 1, bytes: 11 });
  expect(Buffer.from(await inner.get('a')).toString()).toBe('hello world');
  expect(waits).toHaveLength(1);
});

test('retrying: gives up after its attempts, with growing waits', async () => {
  const fault = { on: 'get', times: Infinity, effect: { kind: 'refused' } } as const;
  const { storage, below, waits } = retrying(new FaultyStorage(await filled('a'), [fault]));
  await expect(storage.get('a')).rejects.toMatchObject(unavailable);
  expect(below.counts.get.requests).toBe(4);
  for (const [i, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(100 * 2 ** i);
    expect(wait).toBeLessThanOrEqual(200 * 2 ** i);
  }
});

test('retrying: what is not there, full or denied is told at once', async () => {
  const full = new HoldfastError('storage/full', 'input', 'Full.');
  const fault = { on: 'put', times: Infinity, effect: { kind: 'refused', error: full } } as const;
  const { storage, below } = retrying(new FaultyStorage(new MemoryStorage(), [fault]));
  await expect(storage.get('a')).rejects.toMatchObject({ code: 'storage/not-found' });
  await expect(storage.put('a', parts)).rejects.toBe(full);
  expect(below.requests).toBe(2);
});

test('retrying: says what it waits for, and stops waiting when aborted', async () => {
  const faulty = new FaultyStorage(await filled('a'), [{ on: 'get', times: Infinity, effect: { kind: 'refused' } }]);
  const controller = new AbortController();
  const reason = new Error('stop');
  const told: unknown[] = [];
  const storage = new RetryingStorage(faulty, {
    random: systemRandom,
    firstDelayMs: 3_600_000,
    maxDelayMs: 3_600_000,
    onRetry: ({ operation, name }, { attempt }) => {
      told.push([operation, name, attempt]);
      queueMicrotask(() => controller.abort(reason));
    },
  });
  await expect(storage.get('a', { signal: controller.signal })).rejects.toBe(reason);
  expect(told).toEqual([['get', 'a', 1]]);
});

test('read-only: refuses what changes something, lets through what does not', async () => {
  const inner = new CountingStorage(await filled('a'));
  const storage = new ReadOnlyStorage(inner);
  const refused = { code: 'storage/read-only', retryClass: 'input' };
  await expect(storage.put('b', parts)).rejects.toMatchObject(refused);
  await expect(storage.delete('a')).rejects.toMatchObject(refused);
  expect(inner.requests).toBe(0);
  expect(Buffer.from(await storage.get('a')).toString()).toBe('hello world');
  expect(await storage.stat('a')).toEqual({ name: 'a', size: 11 });
  expect((await storage.list('')).objects).toHaveLength(1);
});
