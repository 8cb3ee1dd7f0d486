import { expect } from 'vitest';
import {
  addKey, check, copyRepository, detachCopy, erase, lockHere, lockRepository, lockSettingOf, lockWarnings, prune, removeEntity, Repository, rotateKeys, unhide,
} from '../../src/repository/index.ts';
import { listAll, type Storage } from '../../src/storage/index.ts';
import { CountingStorage } from '../../src/storage/trial/index.ts';
import { AfterPut } from './afterPut.ts';
import { backupTree, openRepository, OPERATOR_KEY, RECOVERY_KEY } from './fixture.ts';
import { DAY, file, FIRST, LOCK, lockedFor, NOTES, restores, SECOND, type LockCase } from './lockWorlds.ts';
import type { LockedPlace } from './lockedPlace.ts';

/** As tools for buckets copy them: without locks. */
async function bringTo(place: LockedPlace, from: Storage): Promise<Storage> {
  const to = await place.open();
  await to.put('storage-test-0/first', [Buffer.from('x')]);
  for await (const { name } of listAll(from, '')) await to.put(name, [await from.get(name)]);
  return to;
}

/** What is believed of locks: of another place, of a setting that cannot be read, of what was locked at that very moment. */
export const lockDoubtCases: readonly LockCase[] = [
  {
    name: 'a bucket that was moved, on the machine that knows the locks of the old one: all is locked anew',
    async run(worlds) {
      const { storage, clock, cache, repository } = await worlds.make();
      await backupTree(repository, 'e', FIRST, clock);
      const place = await worlds.place(clock);
      const moved = await openRepository(await bringTo(place, storage), cache, clock);
      clock.time += DAY;
      const manifest = await backupTree(moved, 'e', FIRST, clock);
      for (const kind of ['config', 'keys/', 'entities/', 'packs/', 'index/', 'segments/']) {
        for (const [name, end] of await place.lockEnds(kind)) expect([name, end >= lockedFor(manifest)]).toEqual([name, true]);
      }
      const { errors, lock } = await check(moved);
      expect(errors.filter(({ object }) => object.includes(manifest.id))).toEqual([]);
      expect(lock?.covered).toEqual({ [manifest.entity.id]: manifest.lock?.until });
    },
  },
  {
    name: 'a copy that was made independent knows no locks of its source, and its first run locks all',
    async run(worlds) {
      const { clock, cache, repository } = await worlds.make();
      const first = await backupTree(repository, 'e', FIRST, clock);
      const place = await worlds.place(clock);
      const storage = await place.open();
      await copyRepository(repository, storage);
      const copy = await openRepository(storage, cache, clock);
      await detachCopy(copy.context);
      await lockRepository(copy.context, LOCK);
      const own = await openRepository(storage, cache, clock);
      expect(await lockHere(own.context, first)).toBeUndefined();
      expect((await check(own)).lock?.covered).toEqual({ [first.entity.id]: null });
      const manifest = await backupTree(own, 'e', SECOND, clock);
      expect(await lockHere(own.context, manifest)).toEqual(manifest.lock);
      expect((await check(own)).errors).toEqual([]);
      for (const [name, end] of await place.lockEnds('packs/')) expect([name, end >= lockedFor(manifest)]).toEqual([name, true]);
    },
  },
  {
    name: 'check tells how long a snapshot is locked as it found it, not as its manifest says',
    async run(worlds) {
      const { storage, clock, repository } = await worlds.make();
      const first = await backupTree(repository, 'e', FIRST, clock);
      const place = await worlds.place(clock);
      const moved = await openRepository(await bringTo(place, storage), worlds.cache('moved'), clock);
      const { errors, lock } = await check(moved);
      expect(errors.map(({ code }) => code)).toContain('lock-short');
      expect(lock?.covered).toEqual({ [first.entity.id]: null });
    },
  },
  {
    name: 'an erasure names what was locked at the moment of its deletion as pending, not as deleted; the announcement stands until it goes',
    async run(worlds) {
      const { storage, place, clock, open, repository } = await worlds.make();
      const first = await backupTree(repository, 'e', FIRST, clock);
      clock.time += 30 * DAY;
      const packs = await place.names('packs/');
      const until = clock.time + 5 * DAY;
      const late = new AfterPut(storage, 'doomed/', async () => {
        for (const name of packs) {
          const [version = ''] = await place.versionsOf(name);
          await storage.locks?.lock(name, version, { mode: 'compliance', until });
        }
      });
      const selection = { keys: new Set(['a/two']), prefixes: [] };
      const eraser = await open(undefined, late);
      const held = await erase(eraser, first.tag, selection);
      const standing = new Set(await place.names('packs/'));
      expect(held.deleted.filter((name) => standing.has(name))).toEqual([]);
      expect(held.pending.length).toBeGreaterThan(0);
      for (const { object } of held.pending) expect(packs).toContain(object);
      expect(await place.names('doomed/')).toHaveLength(1);
      clock.time = until + 2000;
      // The first of its rounds locked nothing else.
      const done = await erase(await open(), first.tag, selection);
      expect(done.pending).toEqual([]);
      expect(await place.names('doomed/')).toEqual([]);
      for (const { object } of held.pending) expect(await place.names(object)).toEqual([]);
      expect((await check(await open())).errors).toEqual([]);
    },
  },
  {
    name: 'garbage in the place of a newer setting: the older one counts, with a warning, and what is locked under garbage is still read',
    async run(worlds) {
      const { storage, place, clock, repository, open } = await worlds.make();
      const first = await backupTree(repository, 'e', FIRST, clock);
      const [record = ''] = await place.names('locks/');
      await place.overwrite(record, clock.time + 60 * DAY);
      await storage.put(`locks/${'f'.repeat(32)}`, [Buffer.from('garbage')]);
      const doubtful = await open(worlds.cache('doubtful'));
      expect(lockSettingOf(doubtful.context)).toEqual(LOCK);
      expect(lockWarnings(doubtful.context)).toEqual([expect.stringContaining(`locks/${'f'.repeat(32)} cannot be read`)]);
      expect((await check(doubtful)).errors.map(({ object }) => object)).toContain(`locks/${'f'.repeat(32)}`);
      await unhide(storage, { clock });
      const second = await backupTree(doubtful, 'e2', SECOND, clock);
      expect(second.lock).toMatchObject({ mode: LOCK.mode, setting: first.lock?.setting });
    },
  },
  {
    name: 'where no setting can be read nothing is put without a lock, by nobody; a new setting ends that',
    async run(worlds) {
      const { storage, place, clock, repository, open } = await worlds.make({ mode: 'compliance', days: 1 });
      const manifest = await backupTree(repository, 'e', FIRST, clock);
      clock.time += 3 * DAY;
      for (const name of await place.names('locks/')) await storage.put(name, [Buffer.from('garbage')]);
      const lost = await open(worlds.cache('lost'));
      const before = (await place.names()).filter((name) => !NOTES.test(name));
      const refused = { code: 'repository/lock-lost', retryClass: 'input' };
      await expect(backupTree(lost, 'another', FIRST, clock)).rejects.toMatchObject(refused);
      await expect(backupTree(lost, 'e', SECOND, clock)).rejects.toMatchObject(refused);
      await expect(addKey(lost, 'operator', new Uint8Array(32).fill(9))).rejects.toMatchObject(refused);
      await expect(rotateKeys(lost)).rejects.toMatchObject(refused);
      await expect(prune(lost, { keepLast: 1 }, { graceMs: 0 })).rejects.toMatchObject(refused);
      await expect(erase(lost, manifest.tag, { keys: new Set(['a/two']), prefixes: [] })).rejects.toMatchObject(refused);
      const target = await (await worlds.place(clock)).open();
      await target.put('locks/0', [Buffer.from('garbage')]);
      await expect(copyRepository(repository, target)).rejects.toMatchObject(refused);
      expect((await place.names()).filter((name) => !NOTES.test(name))).toEqual(before);
      await restores(lost, manifest, FIRST);
      await lockRepository(lost.context, LOCK);
      expect((await backupTree(await open(), 'e', SECOND, clock)).lock?.mode).toBe('compliance');
    },
  },
  {
    name: 'locked garbage over the config and the key slots: every key still opens, runs lock the slots themselves, and unhide takes nothing of them away',
    async run(worlds) {
      const { storage, place, clock, repository, open } = await worlds.make();
      const manifest = await backupTree(repository, 'e', FIRST, clock);
      const names = ['config', 'keys/operator', 'keys/recovery'];
      const slots = new Map<string, string>();
      for (const name of names) slots.set(name, (await place.versionsOf(name))[0] ?? '');
      for (const name of names) await place.overwrite(name, clock.time + 60 * DAY);
      for (const key of [OPERATOR_KEY, RECOVERY_KEY]) {
        await restores(await Repository.open(storage, key, { cacheDirectory: worlds.cache('under'), clock }), manifest, FIRST);
      }
      const again = await open(worlds.cache('again'));
      expect((await check(again)).errors.filter(({ code }) => code === 'overwritten').map(({ object }) => object)).toEqual(names);
      // What somebody puts to mend a slot is not taken away.
      const mended = await storage.locks?.read('keys/recovery', slots.get('keys/recovery') ?? '') ?? new Uint8Array();
      await storage.put('keys/recovery', [mended]);
      const versions = await place.versionsOf('keys/recovery');
      expect(await unhide(storage, { clock })).toEqual(['config']);
      expect(await place.versionsOf('keys/recovery')).toEqual(versions);
      clock.time += 8 * DAY;
      const later = await backupTree(again, 'e', SECOND, clock);
      await rotateKeys(again);
      const operator = await storage.locks?.lockOf('keys/operator', slots.get('keys/operator') ?? '');
      expect(operator?.until).toBeGreaterThanOrEqual(lockedFor(later));
      await restores(await open(worlds.cache('last')), later, SECOND);
    },
  },
  {
    name: 'packs that nothing needs, and merged index segments, are not locked anew by a run under another mode, or by any later one',
    async run(worlds) {
      const { place, clock, repository, open } = await worlds.make();
      await backupTree(repository, 'e', new Map([['gone', file('r1', 200_000)]]), clock);
      const old = await place.names('packs/');
      const kept = new Map([['kept', file('r2', 200_000)]]);
      for (let run = 0; run < 9; run++) await backupTree(repository, 'e', new Map([...kept, ['more', file(`r${run + 10}`, 3000)]]), clock);
      const before = await place.lockEnds();
      clock.time += 8 * DAY;
      await backupTree(repository, 'e', kept, clock);
      for (const name of old) expect([name, await place.lockEnd(name)]).toEqual([name, before.get(name)]);
      await lockRepository(repository.context, { mode: 'governance', days: 20 });
      clock.time += DAY;
      await backupTree(await open(), 'e', kept, clock);
      expect((await check(await open())).errors).toEqual([]);
      clock.time += 20 * DAY;
      const manifest = await backupTree(await open(), 'e', kept, clock);
      const after = await place.lockEnds();
      for (const name of old) expect([name, after.get(name)]).toEqual([name, before.get(name)]);
      const renewed = [...after].filter(([name, end]) => name.startsWith('index/') && before.has(name) && end >= lockedFor(manifest));
      expect(renewed.length).toBeLessThan([...before.keys()].filter((name) => name.startsWith('index/')).length - 7);
      expect((await check(await open())).errors).toEqual([]);
    },
  },
  {
    name: 'an entity that is locked is not removed, and what its manifests say is enough to tell; when all has ended it goes',
    async run(worlds) {
      const { storage, place, cache, clock, open } = await worlds.make();
      const counting = new CountingStorage(storage);
      const repository = await open(cache, counting);
      const manifest = await backupTree(repository, 'e', FIRST, clock);
      const before = await place.names();
      counting.reset();
      await expect(removeEntity(repository, manifest.tag)).rejects.toMatchObject({ code: 'entity/locked', retryClass: 'input', data: { until: lockedFor(manifest) } });
      // A listing, and nothing for each object.
      expect(counting.counts.inspect.requests).toBe(1);
      expect(await place.names()).toEqual(before);
      clock.time += 30 * DAY;
      expect(await removeEntity(await open(), manifest.tag)).toMatchObject({ snapshotsRemoved: 1 });
      expect(await repository.entities()).toEqual([]);
    },
  },
];
