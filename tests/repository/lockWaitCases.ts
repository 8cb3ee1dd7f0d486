import { expect } from 'vitest';
import {
  certificateHolds, certificateOf, check, copyRepository, erase, lockRepository, prune, rebuild, type Erasure, type ErasureCertificate, type Manifest, type Repository,
} from '../../src/repository/index.ts';
import { AfterPut } from './afterPut.ts';
import { blobIdsOf, keyObjects, searchEverything, tracesOf } from './erasedTraces.ts';
import { backupTree, openRepository, SnapshotProof } from './fixture.ts';
import { DAY, file, restores, type LockCase, type LockWorlds } from './lockWorlds.ts';
import type { Tree } from './tree.ts';

type World = Awaited<ReturnType<LockWorlds['make']>>;

const SECRET = 'd/secret-4711.txt';
const SECRET_FILE = file('t7', 3_000);
const MORE = 'd/secret-large.bin';
const MORE_FILE = file('r17', 90_000);
/** All small, so that they share packs with what is erased. */
const KEPT: Tree = new Map([['a/one', file('r1', 30_000)], ['a/two', file('t2', 9_000)], ['mail', file('m3', 400)], ['d/kept', file('t9', 800)]]);
const WHOLE: Tree = new Map([...KEPT, [SECRET, SECRET_FILE], [MORE, MORE_FILE]]);
const SELECTION = { keys: new Set([SECRET, MORE]), prefixes: [] };
const TRACES = [...tracesOf('secret-4711.txt', SECRET_FILE), ...tracesOf('secret-large.bin', MORE_FILE)];

const without = (tree: Tree, keys: ReadonlySet<string> = SELECTION.keys): Tree => new Map([...tree].filter(([key]) => !keys.has(key)));
const dayTree = (day: number): Tree => new Map([...KEPT, [`new/${day}`, file(`t${50 + day}`, 2_000)]]);

/** What snapshots are to show, by entity and time: an erasure gives them other ids. */
type Shown = Map<string, Tree>;

const timeOf = ({ tag, id }: Manifest): string => `${tag} ${id.slice(0, 12)}`;

/** All that is shown is as it was, but for what was erased, and nothing is damaged. */
async function holds(repository: Repository, shown: Shown, erased: ReadonlySet<string> = SELECTION.keys): Promise<void> {
  const proof = new SnapshotProof(repository);
  const manifests = (await repository.snapshots()).map(({ manifest }) => manifest);
  expect(manifests.map(timeOf).toSorted()).toEqual([...shown.keys()].toSorted());
  for (const manifest of manifests) await proof.holds(manifest, without(shown.get(timeOf(manifest)) ?? new Map(), erased));
  expect((await check(repository)).errors).toEqual([]);
}

/** Backups of two entities with the same contents, each day on a machine of its own or on the one that knows the locks. */
async function runDays({ clock, open }: World, worlds: LockWorlds, shown: Shown, first: number, days: number): Promise<void> {
  for (let day = first; day < first + days; day++) {
    clock.time += DAY;
    const repository = day % 3 === 0 ? await open(worlds.cache(`machine-${day}`)) : await open();
    for (const entity of ['e', 'n']) shown.set(timeOf(await backupTree(repository, entity, dayTree(day), clock)), dayTree(day));
  }
}

/** Both entities have a snapshot; of one something is to be erased. */
async function started(worlds: LockWorlds, days = 20): Promise<World & { readonly manifest: Manifest; readonly shown: Shown }> {
  const world = await worlds.make({ mode: 'compliance', days });
  const shown: Shown = new Map();
  const manifest = await backupTree(world.repository, 'e', WHOLE, world.clock);
  shown.set(timeOf(manifest), WHOLE);
  shown.set(timeOf(await backupTree(world.repository, 'n', KEPT, world.clock)), KEPT);
  return { ...world, manifest, shown };
}

/** Of what still stands. */
async function endsOf({ place }: World, { pending }: Erasure): Promise<Map<string, number>> {
  const standing = new Set(await place.names());
  return new Map(await Promise.all(pending.filter(({ object }) => standing.has(object)).map(async ({ object }) => [object, await place.lockEnd(object)] as const)));
}

const goneBy = ({ goneBy: date }: Erasure): number => Date.parse(date ?? '');

/** Copies that wait for the end of locks: nothing needs them, and no run makes their locks longer. */
export const lockWaitCases: readonly LockCase[] = [
  {
    name: 'I30: an erasure ends at the date that its certificate names, though backups go on each day; every snapshot is as before',
    async run(worlds) {
      const world = await started(worlds, 4);
      const { storage, clock, open, manifest, shown } = world;
      const keys = await keyObjects(storage);
      const traces = [...TRACES, ...(await Promise.all([SECRET, MORE].map((key) => blobIdsOf(storage, 'tree:e', key)))).flat()];
      await runDays(world, worlds, shown, 1, 2);
      const hidden = await erase(await open(), manifest.tag, SELECTION);
      expect(hidden.pending.map(({ object }) => object.split('/')[0])).toEqual(expect.arrayContaining(['packs', 'seals', 'segments', 'snapshots']));
      const { entity } = await (await open()).entity(manifest.tag);
      const told: ErasureCertificate = certificateOf((await open()).context, entity, hidden, 'hashed');
      expect({ held: certificateHolds((await open()).context, told), goneBy: told.goneBy }).toEqual({ held: true, goneBy: hidden.goneBy });
      for (const { until } of hidden.pending) expect(Date.parse(until)).toBeLessThanOrEqual(goneBy(hidden));
      const ends = await endsOf(world, hidden);
      await holds(await open(), shown);
      for (let day = 3; clock.time + 2 * DAY < goneBy(hidden); day += 2) {
        await runDays(world, worlds, shown, day, 2);
        const again = await erase(await open(), manifest.tag, SELECTION);
        expect(again.goneBy).toBe(again.pending.length > 0 ? hidden.goneBy : null);
        await prune(await open(), {}, { graceMs: 0 });
      }
      for (const [name, end] of await endsOf(world, hidden)) expect([name, end]).toEqual([name, ends.get(name)]);
      await holds(await open(), shown);
      clock.time = goneBy(hidden) + 2000;
      const done = await erase(await open(), manifest.tag, SELECTION);
      expect(done).toMatchObject({ pending: [], goneBy: null, backupsInterrupted: 0 });
      expect(done.snapshots.map(({ id }) => id)).toContain(manifest.id);
      expect((await searchEverything(storage, traces, keys)).found).toEqual([]);
      await holds(await open(), shown);
    },
  },
  {
    name: 'I30: a prune finishes an erasure as well; whoever asks for it afterwards is told so',
    async run(worlds) {
      const world = await started(worlds);
      const { storage, place, clock, open, manifest, shown } = world;
      const keys = await keyObjects(storage);
      const hidden = await erase(await open(), manifest.tag, SELECTION);
      await runDays(world, worlds, shown, 1, 2);
      clock.time = goneBy(hidden) + 2000;
      const { packsDeleted } = await prune(await open(), {}, { graceMs: 0 });
      expect(packsDeleted).toBeGreaterThan(0);
      expect(await place.names('doomed/')).toEqual([]);
      expect((await searchEverything(storage, TRACES, keys)).found).toEqual([]);
      expect(await erase(await open(), manifest.tag, SELECTION)).toMatchObject({ pending: [], goneBy: null });
      await holds(await open(), shown);
    },
  },
  {
    name: 'I30: of two erasures each ends at its own date',
    async run(worlds) {
      const world = await started(worlds);
      const { storage, clock, open, manifest, shown } = world;
      const keys = await keyObjects(storage);
      const [one, other] = [SECRET, MORE].map((key) => ({ keys: new Set([key]), prefixes: [] }));
      const first = await erase(await open(), manifest.tag, one as typeof SELECTION);
      await runDays(world, worlds, shown, 1, 3);
      const second = await erase(await open(), manifest.tag, other as typeof SELECTION);
      expect(goneBy(second)).toBeGreaterThan(goneBy(first));
      // What the first one left may hold something of the second as well.
      expect(second.pending.map(({ object }) => object)).toEqual(expect.arrayContaining(first.pending.map(({ object }) => object)));
      await holds(await open(), shown);
      await runDays(world, worlds, shown, 4, 2);
      clock.time = goneBy(first) + 2000;
      expect(await erase(await open(), manifest.tag, one as typeof SELECTION)).toMatchObject({ pending: [] });
      expect((await searchEverything(storage, tracesOf('secret-4711.txt', SECRET_FILE), keys)).found).toEqual([]);
      clock.time = goneBy(second) + 2000;
      expect(await erase(await open(), manifest.tag, other as typeof SELECTION)).toMatchObject({ pending: [] });
      expect((await searchEverything(storage, TRACES, keys)).found).toEqual([]);
      await holds(await open(), shown);
    },
  },
  {
    name: 'I30: a backup that already counts on a pack when an erasure announces it does not lock it for longer, and is sealed with what it needs elsewhere',
    async run(worlds) {
      const world = await started(worlds);
      const { storage, place, clock, open, manifest, shown } = world;
      // So late that what it needs must be locked anew.
      clock.time += 10 * DAY;
      const tree: Tree = new Map([...KEPT, ['again', file('r1', 30_000)], ['more', file('r5', 40_000)]]);
      let hidden: Erasure | undefined;
      let ends = new Map<string, number>();
      const late = new AfterPut(storage, 'segments/', async () => {
        hidden = await erase(await open(worlds.cache('eraser')), manifest.tag, SELECTION);
        ends = await endsOf(world, hidden);
      });
      const made = await backupTree(await open(worlds.cache('late'), late), 'x', tree, clock);
      shown.set(timeOf(made), tree);
      if (!hidden) throw new Error('no erasure');
      expect(hidden.pending.some(({ object }) => object.startsWith('packs/'))).toBe(true);
      for (const [name, end] of await endsOf(world, hidden)) expect([name, end]).toEqual([name, ends.get(name)]);
      await holds(await open(), shown);
      clock.time = goneBy(hidden) + 2000;
      expect(await erase(await open(), manifest.tag, SELECTION)).toMatchObject({ pending: [] });
      await holds(await open(), shown);
      expect(await place.names('doomed/')).toEqual([]);
    },
  },
  {
    name: 'I30: a prune writes a locked pack with much waste anew, and it goes when its lock ends; what snapshots under an older, longer setting need stays covered',
    async run(worlds) {
      const { place, clock, open, repository } = await worlds.make({ mode: 'compliance', days: 10 });
      const waste: Tree = new Map([...KEPT, ['waste', file('r8', 200_000)]]);
      await backupTree(repository, 'e', waste, clock);
      const packs = await place.names('packs/');
      clock.time += 9 * DAY;
      const longer = await backupTree(await open(), 'e', KEPT, clock);
      await lockRepository(repository.context, { mode: 'compliance', days: 1 });
      clock.time += 2 * DAY;
      const ends = await place.lockEnds('packs/');
      const first = await prune(await open(), { keepLast: 1 }, { graceMs: 0 });
      expect(first).toMatchObject({ snapshotsRemoved: 1, packsDeleted: 0, packsRewritten: 0, bytesFreed: 0 });
      expect(first.locked.packs).toBeGreaterThan(0);
      const wasteful = (await place.names('packs/')).length;
      expect(wasteful).toBeGreaterThan(packs.length);
      await restores(await open(), longer, KEPT);
      expect((await check(await open())).errors).toEqual([]);
      // Nothing is done twice, and no run needs the old ones.
      await prune(await open(), { keepLast: 1 }, { graceMs: 0 });
      expect(await place.names('packs/')).toHaveLength(wasteful);
      for (let day = 0; day < 12; day += 3) {
        clock.time += 3 * DAY;
        await backupTree(await open(worlds.cache(`day-${day}`)), 'e', KEPT, clock);
      }
      const held = await place.lockEnds('packs/');
      const old = packs.filter((name) => held.get(name) === ends.get(name));
      expect(old.length).toBeGreaterThan(0);
      expect((await check(await open())).errors).toEqual([]);
      clock.time = Math.max(...old.map((name) => ends.get(name) ?? 0), clock.time) + 2000;
      const done = await prune(await open(), { keepLast: 1 }, { graceMs: 0 });
      expect(done.bytesFreed).toBeGreaterThan(200_000);
      for (const name of old) expect(await place.names(name)).toEqual([]);
      const last = (await (await open()).snapshots()).at(-1)?.manifest as Manifest;
      await restores(await open(), last, KEPT);
      expect((await check(await open(), { readData: 100 })).errors).toEqual([]);
    },
  },
  {
    name: 'I30: neither a rebuild of the index nor a copy brings back what waits',
    async run(worlds) {
      const world = await started(worlds);
      const { storage, clock, open, manifest, shown } = world;
      const keys = await keyObjects(storage);
      const older = await (await worlds.place(clock)).open();
      expect((await copyRepository(await open(), older)).findings).toEqual([]);
      const hidden = await erase(await open(), manifest.tag, SELECTION);
      await rebuild(await open());
      await runDays(world, worlds, shown, 1, 2);
      expect(await erase(await open(), manifest.tag, SELECTION)).toMatchObject({ goneBy: hidden.goneBy });
      await holds(await open(), shown);
      // A copy that has what was erased loses it though the source does not yet, and a new one never has it.
      for (const copy of [older, await (await worlds.place(clock)).open()]) {
        expect(await copyRepository(await open(), copy, { prune: true })).toMatchObject({ findings: [], snapshots: 6 });
        await holds(await openRepository(copy, worlds.cache('copy'), clock), shown);
        expect((await searchEverything(copy, TRACES, keys)).found).toEqual([]);
      }
    },
  },
];

/** As somebody does it who may end locks early. */
async function take({ storage, place, clock }: World, names: readonly string[]): Promise<void> {
  const now = clock.time;
  clock.time += 100 * DAY;
  for (const name of names) for (const version of await place.versionsOf(name)) await storage.locks?.remove(name, version);
  clock.time = now;
}

/** Where locks can be ended before their time. */
export const lockLossCases: readonly LockCase[] = [
  {
    name: 'I30: no run locks what waits again, though the index that leaves it out is lost and an older one names it first',
    async run(worlds) {
      const world = await started(worlds, 4);
      const { place, clock, open, manifest, shown } = world;
      const before = new Set(await place.names('index/'));
      const hidden = await erase(await open(), manifest.tag, SELECTION);
      // The older index counts again, and is locked for longer: nothing else tells where the rest is.
      const packs = { ...hidden, pending: hidden.pending.filter(({ object }) => object.startsWith('packs/')) };
      const ends = await endsOf(world, packs);
      expect(ends.size).toBeGreaterThan(0);
      await take(world, (await place.names('index/')).filter((name) => !before.has(name)));
      await runDays(world, worlds, shown, 2, 2);
      expect(await endsOf(world, packs)).toEqual(ends);
      clock.time = goneBy(hidden) + 2000;
      await prune(await open(), {}, { graceMs: 0 });
      expect(await endsOf(world, packs)).toEqual(new Map());
      await holds(await open(), shown);
    },
  },
  {
    name: 'I30: where the place to which something was copied is lost, a prune finds it in what waits, and copies it again',
    async run(worlds) {
      const world = await started(worlds);
      const { place, clock, open, manifest, shown } = world;
      const before = new Set(await place.names('packs/'));
      const hidden = await erase(await open(), manifest.tag, SELECTION);
      const copied = (await place.names('packs/')).filter((name) => !before.has(name));
      expect(copied.length).toBeGreaterThan(0);
      await take(world, copied);
      await prune(await open(worlds.cache('mended')), {}, { graceMs: 0 });
      await holds(await open(worlds.cache('mended')), shown);
      clock.time = goneBy(hidden) + 2000;
      expect(await erase(await open(worlds.cache('mended')), manifest.tag, SELECTION)).toMatchObject({ pending: [] });
      await holds(await open(worlds.cache('mended')), shown);
    },
  },
];
