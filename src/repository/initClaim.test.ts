import { expect, test } from 'vitest';
import { systemRandom, timeOrderedId, type Clock } from '../runtime/index.ts';
import { InterceptedStorage, type Storage, type StorageCall } from '../storage/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { Repository } from './repository.ts';

const KEY = new Uint8Array(32).fill(1);
const OTHER = new Uint8Array(32).fill(2);
const NOW = Date.parse('2026-01-01T00:00:00Z');
const still: Clock = { now: () => NOW, monotonic: () => 0 };

const init = (storage: Storage, key = KEY, clock = still): Promise<Repository> =>
  Repository.init(storage, key, OTHER, { cacheDirectory: '/nowhere', clock });
const EXISTS = { code: 'repository/exists' };

/** Stopped before its n-th call until `go`. */
class Stopped extends InterceptedStorage {
  readonly reached: Promise<void>;
  calls = 0;
  go: () => void = () => {};
  #reach: () => void = () => {};
  readonly #gate: Promise<void>;
  readonly #at: number;

  constructor(inner: Storage, at: number) {
    super(inner);
    this.#at = at;
    this.reached = new Promise((resolve) => { this.#reach = resolve; });
    this.#gate = new Promise((resolve) => { this.go = resolve; });
  }

  protected override async around<T>(_: StorageCall, run: () => Promise<T>): Promise<T> {
    if (++this.calls === this.#at) {
      this.#reach();
      await this.#gate;
    }
    return run();
  }
}

test('of two that make a repository at once, stopped at whatever step, one at most does, and its keys open it', async () => {
  let made = 0;
  for (let at = 1; ; at++) {
    const storage = new MemoryStorage();
    const stopped = new Stopped(storage, at);
    const slow = init(stopped, OTHER).catch((error: unknown) => error);
    const reached = await Promise.race([stopped.reached.then(() => true), slow.then(() => false)]);
    if (!reached) break;
    const quick = await init(storage).catch((error: unknown) => error);
    stopped.go();
    const results = [quick, await slow];
    const winners = results.filter((one) => one instanceof Repository);
    expect(winners.length, `stopped at ${at}`).toBeLessThanOrEqual(1);
    for (const loser of results.filter((one) => !(one instanceof Repository))) expect(loser).toMatchObject(EXISTS);
    expect((await storage.list('init/')).objects).toEqual([]);
    for (const winner of winners) {
      made++;
      const again = await Repository.open(storage, winner === quick ? KEY : OTHER, { cacheDirectory: '/nowhere' });
      expect(again.id).toBe((winner as Repository).id);
    }
    if (winners.length === 0) await init(storage);
  }
  expect(made).toBeGreaterThan(5);
});

test('a claim that was left behind keeps others out for two minutes and no longer', async () => {
  const storage = new MemoryStorage();
  await storage.put(`init/${timeOrderedId(NOW - 60_000, systemRandom)}`, []);
  await expect(init(storage)).rejects.toMatchObject(EXISTS);
  const later: Clock = { now: () => NOW + 60_000, monotonic: () => 0 };
  await init(storage, KEY, later);
  expect((await storage.list('init/')).objects).toEqual([]);
});

test('one that took too long stops before its next put', async () => {
  const storage = new MemoryStorage();
  let time = 0;
  const slow: Clock = { now: () => NOW, monotonic: () => (time += 70_000) };
  await expect(init(storage, KEY, slow)).rejects.toMatchObject({ code: 'repository/init-too-slow' });
  expect((await storage.list('')).objects).toEqual([]);
});
