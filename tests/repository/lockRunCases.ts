import { expect } from 'vitest';
import {
  addKey, check, copyRepository, erase, lockedUntil, lockHere, lockRepository, prune, rebuild, removeKey, Repository, rotateKeys, unhide, type Manifest,
} from '../../src/repository/index.ts';
import { InterceptedStorage, RetryingStorage, type Storage, type StorageCall } from '../../src/storage/index.ts';
import { FaultyStorage } from '../../src/storage/trial/index.ts';
import { systemRandom } from '../../src/runtime/index.ts';
import { backupTree, openRepository } from './fixture.ts';
import { DAY, file, FIRST, LOCK, lockedFor, NOTES, restores, SECOND, type LockCase } from './lockWorlds.ts';
import type { Tree } from './tree.ts';

/** Does something once, right after the record of a removal was put. */
class AfterRemoval extends InterceptedStorage {
  #work: (() => Promise<void>) | undefined;

  constructor(inner: Storage, work: () => Promise<void>) {
    super(inner);
    this.#work = work;
  }

  protected override async around<T>({ operation, name }: StorageCall, run: () => Promise<T>): Promise<T> {
    const result = await run();
    if (operation !== 'put' || !name.startsWith('removals/')) return result;
    const work = this.#work;
    this.#work = undefined;
    await work?.();
    return result;
  }
}

/** What runs, prunes and changes of keys do in a repository that is locked. */
export const lockRunCases: readonly LockCase[] = [
  {
    name: 'somebody with our keys deletes everything: everything is still read, check names it, and unhide brings it back',
    async run(worlds) {
      const { place, storage, clock, open, manifest } = await worlds.sound();
      const names = (await place.names()).filter((name) => !NOTES.test(name));
      await place.delete(names);
      expect(await place.names()).toEqual([]);
      // A machine that has never seen it.
      const again = await open(worlds.cache('after-deletion'));
      expect((await again.snapshots()).map(({ manifest: { id } }) => id)).toEqual([manifest.id]);
      await restores(again, manifest, FIRST);
      // A backup goes on from there: nothing that is locked looks as if it were not there, the setting included.
      clock.time += DAY;
      await expect(backupTree(again, 'e', FIRST, clock)).rejects.toMatchObject({ code: 'repository/hidden' });
      const { errors } = await check(again);
      expect(errors.filter(({ code }) => code === 'hidden').map(({ object }) => object)).toEqual(names);
      expect(errors.filter(({ code }) => code !== 'hidden')).toEqual([]);
      expect(await unhide(storage, { clock, dryRun: true })).toEqual(names);
      expect(await place.names()).not.toContain('config');
      expect(await unhide(storage, { clock })).toEqual(names);
      expect(await place.names()).toEqual(expect.arrayContaining(names));
      expect((await check(again)).errors).toEqual([]);
      await restores(again, await backupTree(again, 'e', SECOND, clock), SECOND);
    },
  },
  {
    name: 'rebuild makes the index anew and leaves old segments that are locked',
    async run(worlds) {
      const { place, repository, manifest } = await worlds.sound();
      const before = await place.names('index/');
      await rebuild(repository);
      const after = await place.names('index/');
      for (const name of before) expect(after).toContain(name);
      expect(after.length).toBeGreaterThan(before.length);
      await restores(repository, manifest, FIRST);
    },
  },
  {
    name: 'a key is removed at once, its locked slot when its time has come; what may have to be taken back is not locked before',
    async run(worlds) {
      const { storage, place, clock, repository, open } = await worlds.make();
      const key = new Uint8Array(32).fill(9);
      const slot = await addKey(repository, 'recovery', key);
      expect(await lockedUntil(repository.context, `keys/${slot}`)).toBeGreaterThan(clock.time);
      await backupTree(repository, 'e', FIRST, clock);
      // Somebody removes the other one at the same moment: theirs goes too far, and is taken back whole.
      const meanwhile = new AfterRemoval(storage, () => expect(removeKey(repository, 'recovery')).rejects.toMatchObject({ code: 'key/last-slot' }));
      const told = await removeKey(await open(worlds.cache('remover'), meanwhile), slot).catch((error: unknown) => error);
      expect(await place.names('removals/')).toHaveLength(1);
      expect(told).toMatchObject({ code: 'storage/locked', retryClass: 'input', message: expect.stringMatching(/opens nothing that is stored from now on.* locked until 20\S+Z/) });
      for (const [name, end] of await place.lockEnds('removals/')) expect([name, end > clock.time]).toEqual([name, true]);
      const end = await place.lockEnd(`keys/${slot}`);
      clock.time += 6 * DAY;
      const later = await backupTree(repository, 'e', SECOND, clock);
      // Nobody makes the lock of a removed slot longer, or it could never go.
      expect(await place.lockEnd(`keys/${slot}`)).toBe(end);
      expect(await place.lockEnd('keys/operator')).toBeGreaterThanOrEqual(lockedFor(later));
      expect((await check(repository)).errors).toEqual([]);
      const removed = await Repository.open(storage, key, { cacheDirectory: worlds.cache('removed'), clock });
      await expect(restores(removed, later, SECOND)).rejects.toMatchObject({ code: 'repository/unknown-epoch' });
      clock.time = end + 2000;
      await removeKey(await open(), slot);
      expect(await place.names('keys/')).toEqual(['keys/operator', 'keys/recovery']);
      await expect(Repository.open(storage, key, { cacheDirectory: worlds.cache('removed'), clock })).rejects.toMatchObject({ code: 'repository/wrong-key' });
    },
  },
  {
    name: 'a pack that nothing needs any more is not locked again; a machine without a cache knows it too',
    async run(worlds) {
      const { place, clock, repository, open } = await worlds.make();
      await backupTree(repository, 'e', new Map([['gone', file('r1', 200_000)]]), clock);
      const old = await place.names('packs/');
      clock.time += DAY;
      await backupTree(repository, 'e', new Map([['kept', file('r2', 200_000)]]), clock);
      const before = await place.lockEnds('packs/');
      clock.time += 8 * DAY;
      const other = await open(worlds.cache('other'));
      const manifest = await backupTree(other, 'e', new Map([['kept', file('r2', 200_000)], ['new', file('r3', 1000)]]), clock);
      for (const [name, end] of await place.lockEnds('packs/')) {
        if (old.includes(name)) expect(end).toBe(before.get(name));
        else expect(end).toBeGreaterThanOrEqual(lockedFor(manifest));
      }
      expect((await check(other)).errors).toEqual([]);
    },
  },
  {
    name: 'packs that another entity stored are locked by who refers to them',
    async run(worlds) {
      const { place, clock, repository } = await worlds.make();
      const shared: Tree = new Map([['big', file('r1', 700_000)]]);
      await backupTree(repository, 'one', shared, clock);
      clock.time += 10 * DAY;
      const second = await backupTree(repository, 'two', shared, clock);
      for (const [name, end] of await place.lockEnds('packs/shared/')) expect([name, end >= lockedFor(second)]).toEqual([name, true]);
      expect((await check(repository)).errors).toEqual([]);
    },
  },
  {
    name: 'a lock that cannot be set, or read back, fails the run before anything is sealed',
    async run(worlds) {
      const { storage, place, clock, cache, repository, open } = await worlds.make();
      await backupTree(repository, 'e', FIRST, clock);
      clock.time += 10 * DAY;
      const faulty = new FaultyStorage(storage);
      const broken = await open(cache, faulty);
      for (const on of ['lock', 'inspect'] as const) {
        faulty.heal();
        faulty.add({ on, prefix: 'packs/', times: Infinity, effect: { kind: 'refused' } });
        await expect(backupTree(broken, 'e', SECOND, clock)).rejects.toMatchObject({ code: 'storage/unavailable' });
        expect(faulty.fired[0]).toBeGreaterThan(0);
        expect(await place.names('seals/')).toHaveLength(1);
      }
      faulty.heal();
      await restores(broken, await backupTree(broken, 'e', SECOND, clock), SECOND);
    },
  },
  {
    name: 'locks and requests for them outlast short failures as everything else does',
    async run(worlds) {
      const { storage, clock, cache, open } = await worlds.make();
      const faulty = new FaultyStorage(storage);
      const repository = await open(cache, new RetryingStorage(faulty, { random: systemRandom, sleep: async () => undefined }));
      await backupTree(repository, 'e', FIRST, clock);
      clock.time += 10 * DAY;
      for (const on of ['lock', 'inspect', 'put'] as const) {
        faulty.add({ on, call: 1, effect: { kind: 'refused' } });
        faulty.add({ on, call: 3, effect: { kind: 'lost-reply' } });
      }
      await restores(repository, await backupTree(repository, 'e', SECOND, clock), SECOND);
      expect(faulty.fired.every((count) => count === 1)).toBe(true);
      expect((await check(repository)).errors).toEqual([]);
    },
  },
  {
    name: 'prune leaves what is locked, says until when, and takes it when its time has come',
    async run(worlds) {
      const { place, clock, repository } = await worlds.make();
      const first = await backupTree(repository, 'e', new Map([['gone', file('r9', 400_000)]]), clock);
      clock.time += 2 * DAY;
      const second = await backupTree(repository, 'e', FIRST, clock);
      const names = await place.names();
      for (const dryRun of [true, false]) {
        const { snapshotsRemoved, packsDeleted, locked } = await prune(repository, { keepLast: 1 }, { graceMs: 0, dryRun });
        expect({ snapshotsRemoved, packsDeleted }).toEqual({ snapshotsRemoved: 0, packsDeleted: 0 });
        expect(locked).toMatchObject({ snapshots: 1, packs: 0 });
        expect(Date.parse(locked.until ?? '')).toBeGreaterThanOrEqual(lockedFor(first));
        expect((await place.names()).filter((name) => !NOTES.test(name))).toEqual(names);
      }
      await restores(repository, first, new Map([['gone', file('r9', 400_000)]]));
      // The snapshot's lock has ended, that of its packs goes on for a while.
      clock.time = lockedFor(first) + 2000;
      const half = await prune(repository, { keepLast: 1 }, { graceMs: 0 });
      expect(half).toMatchObject({ snapshotsRemoved: 1, packsDeleted: 0, locked: { snapshots: 0, packs: 1 } });
      expect((await check(repository)).errors).toEqual([]);
      clock.time += 30 * DAY;
      const done = await prune(repository, { keepLast: 1 }, { graceMs: 0 });
      expect(done).toMatchObject({ packsDeleted: 1, locked: { snapshots: 0, packs: 0, until: null } });
      expect((await check(repository)).errors).toEqual([]);
      await restores(repository, second, FIRST);
    },
  },
  {
    name: 'a repository that was not locked is locked from the next run on, with what it has',
    async run(worlds) {
      const { place, clock, repository, open } = await worlds.make(null);
      await backupTree(repository, 'e', FIRST, clock);
      expect([...(await place.lockEnds()).values()].every((end) => end === 0)).toBe(true);
      await lockRepository(repository.context, { mode: 'governance', days: 3 });
      const locked = await open();
      const manifest = await backupTree(locked, 'e', SECOND, clock);
      expect(manifest.lock?.mode).toBe('governance');
      for (const kind of ['config', 'keys/', 'entities/', 'packs/', 'index/', 'segments/']) {
        for (const [name, end] of await place.lockEnds(kind)) expect([name, end >= lockedFor(manifest)]).toEqual([name, true]);
      }
      expect((await check(locked)).errors).toEqual([]);
    },
  },
  {
    name: 'a run does not go on without a lock because the setting is gone',
    async run(worlds) {
      const { place, clock, repository, open } = await worlds.make({ mode: 'compliance', days: 1 });
      await backupTree(repository, 'e', FIRST, clock);
      // Its own lock has ended by our clock; then a deletion is one.
      clock.time += 3 * DAY;
      await place.delete(await place.names('locks/'));
      const unlocked = await open();
      await expect(backupTree(unlocked, 'e', SECOND, clock)).rejects.toMatchObject({ code: 'repository/lock-lost' });
      await lockRepository(unlocked.context, LOCK);
      expect((await backupTree(await open(), 'e', SECOND, clock)).lock?.mode).toBe('compliance');
    },
  },
  {
    name: 'fewer days or another mode count for what is made from then on: what older snapshots need stays locked, and nothing of theirs is missed',
    async run(worlds) {
      const { place, clock, repository, open } = await worlds.make();
      const first = await backupTree(repository, 'e', FIRST, clock);
      await lockRepository(repository.context, { mode: 'compliance', days: 1 });
      clock.time += DAY;
      const shorter = await open();
      await addKey(shorter, 'operator', new Uint8Array(32).fill(9));
      await rotateKeys(shorter);
      expect((await check(shorter)).errors).toEqual([]);
      const second = await backupTree(shorter, 'e', SECOND, clock);
      expect(lockedFor(second)).toBeLessThan(lockedFor(first));
      expect((await check(shorter)).errors).toEqual([]);
      // The same with the other mode, which what is locked already cannot take on.
      await lockRepository(shorter.context, { mode: 'governance', days: 20 });
      const more: Tree = new Map([...SECOND, ['more', file('r7', 50_000)]]);
      expect((await backupTree(await open(), 'e', more, clock)).lock?.mode).toBe('governance');
      expect((await check(await open())).errors).toEqual([]);
      // And back: what was put in between is locked anew, though its weaker lock ends later.
      await lockRepository(shorter.context, { mode: 'compliance', days: 3 });
      const strict = await open();
      expect((await backupTree(strict, 'e', more, clock)).lock?.mode).toBe('compliance');
      expect((await check(strict)).errors).toEqual([]);
      for (const prefix of ['keys/', 'epochs/', 'entities/']) {
        for (const [name, end] of await place.lockEnds(prefix)) expect([name, end >= lockedFor(second)]).toEqual([name, true]);
      }
    },
  },
  {
    name: 'an erasure hides at once, with a snapshot that is locked as the older one was, and deletes when the locks have ended',
    async run(worlds) {
      const { clock, repository, open } = await worlds.make();
      const first = await backupTree(repository, 'e', FIRST, clock);
      const selection = { keys: new Set(['a/two']), prefixes: [] };
      const left: Tree = new Map([...FIRST].filter(([key]) => key !== 'a/two'));
      const hidden = await erase(repository, first.tag, selection);
      expect(hidden.deleted).toEqual([]);
      expect(hidden.pending.map(({ object }) => object)).toContain(`snapshots/${first.tag}/${first.id}`);
      const shown = (await repository.snapshots()).map(({ manifest }) => manifest);
      expect(shown.map(({ lock }) => lock)).toEqual([first.lock]);
      await restores(repository, shown[0] as Manifest, left);
      expect((await check(repository)).errors).toEqual([]);
      clock.time += 30 * DAY;
      const later = await open();
      const done = await erase(later, first.tag, selection);
      expect(done.pending).toEqual([]);
      expect(done.deleted).toContain(`snapshots/${first.tag}/${first.id}`);
      await restores(later, shown[0] as Manifest, left);
      expect((await check(later)).errors).toEqual([]);
    },
  },
  {
    name: 'a copy tells nothing of the locks of its source; one that is locked itself locks what it puts',
    async run(worlds) {
      const { repository, clock } = await worlds.make();
      const first = await backupTree(repository, 'e', FIRST, clock);
      const place = await worlds.place(clock);
      const storage = await place.open();
      await copyRepository(repository, storage);
      const open = (): Promise<Repository> => openRepository(storage, worlds.cache('copy'), clock);
      expect([await lockHere(repository.context, first), await lockHere((await open()).context, first)]).toEqual([first.lock, undefined]);
      await lockRepository((await open()).context, { mode: 'compliance', days: 1 });
      clock.time += DAY;
      const second = await backupTree(repository, 'e', SECOND, clock);
      expect((await copyRepository(repository, storage)).findings).toEqual([]);
      const ends = await place.lockEnds('snapshots/');
      for (const [name, end] of ends) expect([name, end > clock.time]).toEqual([name, name.endsWith(second.id)]);
      expect(ends.size).toBe(2);
      const copy = await open();
      expect(await lockHere(copy.context, second)).toBeUndefined();
      expect(await check(copy)).toMatchObject({ errors: [], lock: { days: 1, covered: { [first.entity.id]: null } } });
    },
  },
];
