import { expect } from 'vitest';
import { check, lockedUntil, rotateKeys, unhide } from '../../src/repository/index.ts';
import { CountingStorage } from '../../src/storage/trial/index.ts';
import { backupTree } from './fixture.ts';
import { DAY, FIRST, LOCK, lockedFor, NOTES, restores, SECOND, type LockCase } from './lockWorlds.ts';

function requestsOf({ counts: { lock, inspect, list, put } }: CountingStorage): Record<string, number> {
  return { lock: lock.requests, inspect: inspect.requests, list: list.requests, put: put.requests };
}

/** What is locked, and that it holds: what relies on the service the most. */
export const lockHoldCases: readonly LockCase[] = [
  {
    name: 'all that a restore needs is locked from its put on, for as long as the snapshot and longer; notes of programs are not',
    async run(worlds) {
      const { place, repository, manifest } = await worlds.sound();
      expect(manifest.lock?.mode).toBe('compliance');
      expect(lockedFor(manifest)).toBeGreaterThanOrEqual(Date.parse(manifest.startedAt) + 20 * DAY);
      const ends = await place.lockEnds();
      const kinds = new Set([...ends.keys()].map((name) => name.split('/')[0]));
      expect(kinds).toEqual(new Set(['config', 'entities', 'index', 'keys', 'locks', 'packs', 'seals', 'segments', 'snapshots']));
      for (const [name, end] of ends) expect([name, end >= lockedFor(manifest)]).toEqual([name, !NOTES.test(name)]);
      const { errors, lock } = await check(repository);
      expect(errors).toEqual([]);
      expect(lock).toMatchObject({ ...LOCK, covered: { [manifest.entity.id]: manifest.lock?.until } });
    },
  },
  {
    name: 'with our own keys no version of it can be deleted, and no lock be made shorter',
    async run(worlds) {
      const { place, storage, repository } = await worlds.sound();
      await Promise.all([...(await place.lockEnds())].map(async ([name, end]) => {
        const [version = ''] = await place.versionsOf(name);
        await expect(storage.locks?.remove(name, version), name).rejects.toMatchObject({ code: 'storage/locked' });
        await expect(storage.locks?.lock(name, version, { mode: 'compliance', until: end - DAY }), name).rejects.toMatchObject({ code: 'storage/locked' });
        await expect(repository.context.storage.delete(name), name).rejects.toMatchObject({ code: 'storage/locked' });
        expect(await lockedUntil(repository.context, name)).toBe(end);
      }));
    },
  },
  {
    name: 'somebody with our keys puts other bytes over everything, locked or not: check names it, and unhide brings it back',
    async run(worlds) {
      const { place, storage, clock, repository, manifest } = await worlds.sound();
      const names = (await place.names()).filter((name) => /^(packs|snapshots|segments|index)\//.test(name));
      await Promise.all(names.map((name, i) => place.overwrite(name, i % 2 === 0 ? undefined : clock.time + 60 * DAY)));
      const { errors } = await check(repository);
      expect(errors.filter(({ code }) => code === 'overwritten').map(({ object }) => object)).toEqual(names);
      expect(await unhide(storage, { clock })).toEqual(names);
      const { errors: left } = await check(repository, { readData: 100 });
      expect(left).toEqual([]);
      await restores(repository, manifest, FIRST);
      expect(await unhide(storage, { clock })).toEqual([]);
    },
  },
  {
    name: 'each run locks what its snapshot needs of earlier runs, and asks only when it must; a new epoch of keys is locked too',
    async run(worlds) {
      const { storage, place, clock, cache, open } = await worlds.make();
      const counting = new CountingStorage(storage);
      const repository = await open(cache, counting);
      await backupTree(repository, 'e', FIRST, clock);
      const packs = await place.lockEnds('packs/');
      clock.time += DAY;
      counting.reset();
      const unchanged = await backupTree(repository, 'e', FIRST, clock);
      // The figures of decision 0023. Listings of what may be locked ask for versions, and count as `inspect`.
      expect(requestsOf(counting)).toEqual({ lock: 0, inspect: 10, list: 6, put: 3 });
      expect(await place.lockEnds('packs/')).toEqual(packs);
      for (const end of packs.values()) expect(end).toBeGreaterThanOrEqual(lockedFor(unchanged));
      expect(await rotateKeys(repository)).toBe(2);
      // A quarter of the time is over: now they would end before the snapshot's own lock.
      clock.time += 5 * DAY;
      const later = await backupTree(repository, 'e', SECOND, clock);
      const ends = await place.lockEnds();
      expect([...ends.keys()].filter((name) => name.startsWith('epochs/'))).toHaveLength(1);
      for (const [name, end] of ends) if (!NOTES.test(name) && !/^(snapshots|seals)/.test(name)) expect([name, end >= lockedFor(later)]).toEqual([name, true]);
      counting.reset();
      clock.time += DAY;
      await backupTree(repository, 'e', SECOND, clock);
      expect(counting.counts.lock.requests).toBe(0);
      expect((await check(repository)).errors).toEqual([]);
    },
  },
];
