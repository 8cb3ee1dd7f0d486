/** What was erased is found nowhere in the raw repository, opened with every key; everything else is as it was. */
import { afterAll, expect, test } from 'vitest';
import type { SourceChange } from '../../src/connectors/contract.ts';
import type { Outcome } from '../../src/domain/index.ts';
import { check, erase, previewErasure, prune, stateRows, type Manifest } from '../../src/repository/index.ts';
import { blobIdsOf, keyObjects, searchEverything, tracesOf } from './erasedTraces.ts';
import { caches, ERASED, erasureSample, KEPT, KEYS, makeErasureSample, open, proveOthers, SECRET, TRACES, treeOf } from './erasureSample.ts';
import { type Storage } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { backupSource, backupTree, copyStorage, HOUR, initRepository, namesIn, SnapshotProof, TestClock } from './fixture.ts';
import { LockedStorage } from './lockedStorage.ts';
import { found, listing, ScriptedSource } from '../sources/scriptedSource.ts';
import type { Tree, TreeFile } from './tree.ts';

afterAll(() => caches.remove());

// I23 and I24 of docs/format/invariants.md.
test('I23: neither name, nor id, nor content, nor a blob of an erased item is left; all else is as before', { timeout: 120_000 }, async () => {
  const clock = new TestClock();
  const { storage, trees, tag } = await erasureSample(clock);
  const keysBefore = await keyObjects(storage);
  const idsOf = async (keys: readonly string[]): Promise<Buffer[]> => (await Promise.all(keys.map((key) => blobIdsOf(storage, 'tree:e', key)))).flat();
  // The ends of the two mails are the same piece.
  const needed = new Set((await idsOf(Object.keys(KEPT))).map((id) => id.toString('hex')));
  const ids = (await idsOf(Object.keys(ERASED))).filter((id) => !needed.has(id.toString('hex')));
  expect(ids.length).toBeGreaterThan(4);
  const traces = [...TRACES, ...ids];
  const before = await searchEverything(storage, traces, keysBefore);
  // Each of them is found as long as it is there.
  for (const trace of traces) {
    expect(before.found.some((one) => one.endsWith(trace.toString('latin1', 0, 24))), trace.toString('latin1')).toBe(true);
  }

  const result = await erase(await open(storage, clock), tag, { keys: KEYS, prefixes: [] });
  const after = await searchEverything(storage, traces, keysBefore);
  expect(after).toMatchObject({ found: [], unopened: [] });
  expect(after.opened).toBeGreaterThan(100_000);
  // The search itself works: a mail that was not erased is found.
  expect((await searchEverything(storage, tracesOf('m.eml', KEPT['m.eml'] as TreeFile), keysBefore)).found).not.toEqual([]);
  await proveOthers(storage, clock, trees);

  expect([...result.items.keys()].toSorted()).toEqual([...KEYS].toSorted());
  expect(result.items.get(`d/${SECRET}`)?.versions).toBe(2);
  // The last snapshot had none of them; it says that they are gone, so it is replaced as well.
  expect(result.snapshots.map(({ id }) => id).toSorted()).toEqual(trees.filter(({ manifest }) => manifest.tag === tag).map(({ manifest }) => manifest.id).toSorted());
  expect(result.blobsKept).toBeGreaterThan(0);
  expect(result.packsRewritten).toBeGreaterThan(0);
  for (const prefix of ['doomed/', 'void/', 'pins/', 'checkpoints/']) expect(await namesIn(storage, prefix)).toEqual([]);
});

test('an item that is not there is told, and nothing is changed', async () => {
  const clock = new TestClock();
  const { storage, tag } = await erasureSample(clock);
  const before = await namesIn(storage);
  await expect(erase(await open(storage, clock), tag, { keys: new Set(['x']), prefixes: [] })).rejects.toMatchObject({ code: 'erase/no-item' });
  expect(await namesIn(storage)).toEqual(before);
});

test('a folder takes all below it along; the next backup stores again what the source still has', { timeout: 120_000 }, async () => {
  const clock = new TestClock();
  const { storage, trees, tag } = await erasureSample(clock);
  const keysBefore = await keyObjects(storage);
  await erase(await open(storage, clock), tag, { keys: new Set(['d']), prefixes: [] });
  const kept = tracesOf('kept.bin', KEPT['d/kept.bin'] as TreeFile);
  expect((await searchEverything(storage, [...TRACES, ...kept], keysBefore)).found).toEqual([]);
  const [, , , last] = trees;
  const again = await backupTree(await open(storage, clock), 'e', last?.tree as Tree, clock);
  await new SnapshotProof(await open(storage, clock)).holds(again, last?.tree as Tree);
  // Another erasure of the same: it tells nothing of the first.
  const second = await erase(await open(storage, clock), tag, { keys: new Set(['d']), prefixes: [] });
  expect(second.snapshots.map(({ id }) => id)).toEqual([again.id]);
  expect(Date.parse(second.startedAt)).toBeGreaterThan(Date.parse(again.finishedAt));
  // The same once more finds nothing to do, and tells of that one: its certificate may be lost.
  const { snapshots, startedAt } = await erase(await open(storage, clock), tag, { keys: new Set(['d']), prefixes: [] });
  expect({ snapshots, startedAt }).toEqual({ snapshots: second.snapshots, startedAt: second.startedAt });
  expect((await searchEverything(storage, [...TRACES, ...kept], keysBefore)).found).toEqual([]);
  expect((await check(await open(storage, clock), { readData: 100, workers: 1 })).errors).toEqual([]);
});

test('what would be erased is told without changing anything', async () => {
  const clock = new TestClock();
  const { storage, tag } = await erasureSample(clock);
  const before = await namesIn(storage);
  const { items, snapshots } = await previewErasure(await open(storage, clock), tag, { keys: new Set(['d']), prefixes: [] });
  expect([...items.keys()].toSorted()).toEqual([...KEYS, 'd', 'd/kept.bin', 'd/kept.txt'].toSorted());
  expect(snapshots).toBe(3);
  expect(await namesIn(storage)).toEqual(before);
});

const FOLDER = { kind: 'folder', size: 0 };

test('I23: what lay in folders below an erased one is gone though no snapshot shows it any more; what was moved out in time stays', async () => {
  const clock = new TestClock();
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('hidden'), clock);
  const folder = (key: string, parent: string, change = 'v1'): SourceChange => found(key, { parent, change, ...FOLDER }, { from: 'none' });
  const backUp = (...items: readonly SourceChange[]): Promise<Manifest> =>
    backupSource(repository, new ScriptedSource({ changes: [listing(...items)] }), clock);
  const deep = [folder('c-gone', 'b-top'), folder('d-gone', 'c-gone'), found('e-secret', { parent: 'd-gone' })];
  await backUp(folder('b-top', ''), ...deep, folder('f-moved', 'b-top'), found('g-inside', { parent: 'f-moved' }), found('h-out', { parent: 'b-top' }));
  clock.time += HOUR;
  const last = await backUp(folder('b-top', ''), folder('f-moved', '', 'v2'), found('g-inside', { parent: 'f-moved' }), found('h-out', { parent: '', change: 'v2' }));
  await prune(await open(storage, clock), { keepLast: 1 }, { graceMs: 0 });
  const keys = await keyObjects(storage);
  const traces = ['b-top', 'c-gone', 'd-gone', 'e-secret'].map((key) => Buffer.from(key));
  expect((await searchEverything(storage, traces.slice(3), keys)).found).not.toEqual([]);
  const { items } = await erase(await open(storage, clock), last.tag, { keys: new Set(['b-top']), prefixes: [] });
  expect([...items.keys()]).toEqual(['b-top']);
  expect((await searchEverything(storage, traces, keys)).found).toEqual([]);
  const after = await open(storage, clock);
  const snapshots = await after.snapshots();
  expect(snapshots).toHaveLength(1);
  const rows: string[] = [];
  for await (const batch of stateRows({ ...after.context, tag: last.tag }, snapshots[0]?.manifest.layers ?? [])) {
    for (const { key, parent } of batch) rows.push(`${parent}/${key}`);
  }
  expect(rows).toEqual(['/f-moved', 'f-moved/g-inside', '/h-out']);
  expect((await check(after, { readData: 100, workers: 1 })).errors).toEqual([]);
});

test("other items' warnings stay, without a word of what was erased", async () => {
  const clock = new TestClock();
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('warned'), clock);
  const failed = (message: string): Outcome => ({ state: 'failed', code: 'unreadable', message });
  const names = { a: 'plan', b: 'plan 2', c: 'other', d: 'third' };
  const { tag, warnings } = await backupSource(repository, new ScriptedSource({
    changes: [listing(...Object.entries(names).map(([key, name]) => found(key, { name })))],
    contents: { a: failed('It is gone.'), b: failed('It is broken.'), c: failed('It is a copy of plan.'), d: failed('It is planned.') },
  }), clock);
  expect(warnings.map(({ item }) => item)).toEqual(Object.values(names));
  await erase(await open(storage, clock), tag, { keys: new Set(['a']), prefixes: [] });
  const [{ manifest } = { manifest: undefined }] = await (await open(storage, clock)).snapshots();
  expect(manifest?.warnings.map(({ item, message }) => `${item}: ${message}`)).toEqual([
    'plan 2: It is broken.', 'other: What was said here named something that was erased.', 'third: It is planned.',
  ]);
  expect(manifest?.counts).toMatchObject({ items: 3, failed: 3 });
});

test('I23: versions whose snapshots were pruned are gone from the packs that a prune left with waste', { timeout: 120_000 }, async () => {
  const clock = new TestClock();
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path('waste'), clock);
  const key = 'd/secret-large.bin';
  const old = ERASED[key] as TreeFile;
  const big: TreeFile = { content: 'r21', size: 600_000 };
  for (const tree of [treeOf({ 'd/big.bin': big, [key]: old }), treeOf({ 'd/big.bin': big })]) {
    await backupTree(repository, 'e', tree, clock);
    clock.time += HOUR;
  }
  const keysBefore = await keyObjects(storage);
  await prune(await open(storage, clock), { keepLast: 1 }, { graceMs: 0 });
  const traces = tracesOf('not looked for', old).slice(1);
  // Otherwise nothing is tried here.
  expect((await searchEverything(storage, traces, keysBefore)).found).not.toEqual([]);
  const last = await backupTree(await open(storage, clock), 'e', treeOf({ 'd/big.bin': big, [key]: { content: 'r22', size: 50_000 } }), clock);
  clock.time += 48 * HOUR;
  await erase(await open(storage, clock), last.tag, { keys: new Set([key]), prefixes: [] });
  expect(await searchEverything(storage, traces, keysBefore)).toMatchObject({ found: [], unopened: [] });
  const after = await open(storage, clock);
  for (const { manifest } of await after.snapshots()) await new SnapshotProof(after).holds(manifest, treeOf({ 'd/big.bin': big }));
  expect((await check(after, { readData: 100, workers: 1 })).errors).toEqual([]);
});

/** Changes a byte of the one pack in which the file stands. @returns its name. */
async function damagePackOf(storage: Storage, file: TreeFile): Promise<string> {
  const { found } = await searchEverything(storage, tracesOf('not looked for', file).slice(1), await keyObjects(storage));
  const [name = '', ...more] = new Set(found.map((one) => one.split(':')[0] ?? ''));
  expect(more).toEqual([]);
  const bytes = Uint8Array.from(await storage.get(name));
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await storage.put(name, [bytes]);
  return name;
}

test('a damaged pack stands in the way of an erasure only where it holds something of the items; another one with waste is told', { timeout: 120_000 }, async () => {
  const clock = new TestClock();
  const { storage, tag } = await erasureSample(clock);
  const keysBefore = await keyObjects(storage);
  const inTheWay = await copyStorage(storage);
  await damagePackOf(inTheWay, ERASED['d/secret-large.bin'] as TreeFile);
  const packs = await namesIn(inTheWay, 'packs/');
  await expect(erase(await open(inTheWay, clock), tag, { keys: KEYS, prefixes: [] })).rejects.toMatchObject({ code: 'repository/prune-refused' });
  expect(await namesIn(inTheWay, 'packs/')).toEqual(expect.arrayContaining(packs));
  expect(await (await open(inTheWay, clock)).snapshots(tag)).toHaveLength(3);

  const big: TreeFile = { content: 'r21', size: 600_000 };
  const waste: TreeFile = { content: 'r23', size: 200_000 };
  for (const tree of [treeOf({ 'big.bin': big, 'b.bin': waste }), treeOf({ 'big.bin': big })]) await backupTree(await open(storage, clock), 'x', tree, clock);
  // Of the third entity only.
  await prune(await open(storage, clock), { keep: ({ entity }) => entity.id !== 'tree:x' }, { graceMs: 0 });
  const damaged = await damagePackOf(storage, waste);
  clock.time += 48 * HOUR;
  const { packsUnread, pending } = await erase(await open(storage, clock), tag, { keys: KEYS, prefixes: [] });
  expect({ packsUnread, pending }).toEqual({ packsUnread: [damaged], pending: [] });
  expect((await searchEverything(storage, TRACES, keysBefore)).found).toEqual([]);
});

test('under locks the items are hidden at once, told with their dates, kept from backups and prunes, and deleted when the locks have ended', { timeout: 120_000 }, async () => {
  const clock = new TestClock();
  const storage = new LockedStorage(clock, 30 * 24 * HOUR);
  const { trees, tag } = await makeErasureSample(clock, storage);
  const keysBefore = await keyObjects(storage);
  const hidden = await erase(await open(storage, clock), tag, { keys: KEYS, prefixes: [] });
  expect(hidden.deleted).toEqual([]);
  expect(hidden.pending.length).toBeGreaterThan(5);
  expect(new Set(hidden.pending.map(({ object }) => object.split('/')[0]))).toEqual(new Set(['packs', 'seals', 'segments', 'snapshots']));
  for (const { object, until } of hidden.pending) expect(Date.parse(until), object).toBe(await storage.lockedUntil(object));
  await proveOthers(storage, clock, trees);
  const next = treeOf(KEPT, { 'new.txt': { content: 't5', size: 9_200 } });
  const made: Manifest = await backupTree(await open(storage, clock), 'e', next, clock);
  await prune(await open(storage, clock), {}, { graceMs: 0 });
  expect((await searchEverything(storage, TRACES, keysBefore)).found).not.toEqual([]);
  clock.time += 31 * 24 * HOUR;
  const done = await erase(await open(storage, clock), tag, { keys: KEYS, prefixes: [] });
  expect(done).toMatchObject({ pending: [] });
  expect(done.deleted.length).toBeGreaterThan(5);
  expect((await searchEverything(storage, TRACES, keysBefore)).found).toEqual([]);
  await proveOthers(storage, clock, trees, [{ manifest: made, tree: next }]);
  await new SnapshotProof(await open(storage, clock)).holds(made, next);
});
