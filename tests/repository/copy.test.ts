/** A second repository in another place: whole, incremental, honest about damage. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { HoldfastError } from '../../src/domain/index.ts';
import { check, copyRepository, detachCopy, prune, readIndexSetting, writeIndexSetting } from '../../src/repository/index.ts';
import { FileStorage, ReadOnlyStorage, RetryingStorage, type Storage } from '../../src/storage/index.ts';
import { CountingStorage, FaultyStorage, MemoryStorage } from '../../src/storage/trial/index.ts';
import { BETWEEN, caches, NEXT, Pair } from './copyPair.ts';
import { backupTree, copyStorage, initRepository, namesIn, openRepository } from './fixture.ts';
import { seededRandom, testSeed } from './seeded.ts';

const seed = testSeed();
const folder = await mkdtemp(join(tmpdir(), 'holdfast-copy-'));
afterAll(async () => {
  await caches.remove();
  await rm(folder, { recursive: true, force: true });
});

test.each([
  ['memory to file', async (): Promise<[Storage, Storage]> => [new MemoryStorage(), await FileStorage.create(join(folder, 'b'))]],
  ['file to file', async (): Promise<[Storage, Storage]> => [await FileStorage.create(join(folder, 'c')), await FileStorage.create(join(folder, 'd'))]],
] as const)('every snapshot is given back from the copy alone: %s', async (_, places) => {
  const [source, target] = await places();
  const pair = await Pair.start(source, target);
  const first = await pair.copy({ readBack: true });
  expect(first).toMatchObject({ snapshotsCopied: 3, snapshots: 3, findings: [], pruned: undefined });
  expect(first.bytesReadBack).toBeGreaterThanOrEqual(first.bytes);
  await pair.backup('e', NEXT);
  expect(await pair.copy()).toMatchObject({ snapshotsCopied: 1, snapshots: 4, findings: [] });
  for (const name of await namesIn(source)) await source.delete(name);
  await pair.proveCopy();
});

test('a second run with nothing new lists, compares the keys, and puts one small record', async () => {
  const pair = await Pair.start();
  await pair.copy();
  const source = new CountingStorage(pair.source);
  const target = new CountingStorage(pair.target);
  const repository = await openRepository(source, caches.path('source'), pair.clock);
  source.reset();
  expect(await copyRepository(repository, target)).toMatchObject({ snapshotsCopied: 0, objects: 0, bytes: 0, findings: [] });
  // Lists: keys, epochs, seals, entities, settings, packs, removals. Gets: both key slots.
  expect(source.counts).toMatchObject({ list: { requests: 7 }, get: { requests: 2 }, put: { requests: 0 }, stat: { requests: 0 }, delete: { requests: 0 } });
  // Besides those: marks three times. Gets besides the key slots: config, the last mark.
  expect(target.counts).toMatchObject({ list: { requests: 10 }, get: { requests: 4 }, put: { requests: 1 }, stat: { requests: 0 }, delete: { requests: 1 } });
  expect(target.counts.put.bytes).toBeLessThan(400);
});

test('an unchanged layer is not read again: a run over one new file reads what is new', async () => {
  const pair = await Pair.start();
  await pair.copy();
  await pair.backup('e', new Map([...BETWEEN, ['one more', { content: 't7', size: 900 }]]));
  const source = new CountingStorage(pair.source);
  const result = await pair.copy({}, source);
  expect(result).toMatchObject({ snapshotsCopied: 1, findings: [] });
  expect(result.bytes).toBeLessThan(10_000);
  await pair.proveCopy();
});

test('what may be indexed is the same in the copy, and is decided in the original alone', async () => {
  const pair = await Pair.start();
  await writeIndexSetting((await pair.open()).context, { tag: null, index: false });
  await pair.copy();
  const copy = await pair.open(pair.target);
  expect((await readIndexSetting(copy.context)).ofAll).toBe(false);
  await expect(writeIndexSetting(copy.context, { tag: null, index: true })).rejects.toMatchObject({ code: 'repository/is-copy' });
  await writeIndexSetting((await pair.open()).context, { tag: null, index: null });
  await pair.copy();
  expect((await readIndexSetting(copy.context)).ofAll).toBe(true);
  expect((await check(copy)).errors).toEqual([]);
});

test('a copy refuses backups and prunes until it is detached, and then further copies', async () => {
  const pair = await Pair.start();
  await pair.copy();
  const copy = await pair.open(pair.target);
  await expect(backupTree(copy, 'e', NEXT, pair.clock)).rejects.toMatchObject({ code: 'repository/is-copy' });
  await expect(prune(copy, { keepLast: 1 })).rejects.toMatchObject({ code: 'repository/is-copy' });
  expect(await detachCopy(copy.context)).toBe(true);
  await backupTree(copy, 'e', NEXT, pair.clock);
  await expect(pair.copy()).rejects.toMatchObject({ code: 'copy/not-a-copy' });
  expect((await check(copy, { readData: 100 })).errors).toEqual([]);
});

test('another repository, the repository itself, and foreign keys without a config are refused and left as they are', async () => {
  const pair = await Pair.start();
  const other = new MemoryStorage();
  await initRepository(other, caches.path('other'), pair.clock);
  const before = await namesIn(other);
  await expect(pair.copy({}, pair.source, other)).rejects.toMatchObject({ code: 'copy/other-repository' });
  await expect(pair.copy({}, pair.source, pair.source)).rejects.toMatchObject({ code: 'copy/not-a-copy' });
  await other.delete('config');
  await expect(pair.copy({}, pair.source, other)).rejects.toMatchObject({ code: 'copy/other-repository' });
  expect(await namesIn(other)).toEqual(before.filter((name) => name !== 'config'));
});

test('a source that was put back to an earlier state is refused', async () => {
  const pair = await Pair.start();
  const earlier = await copyStorage(pair.source);
  await pair.backup('e', NEXT);
  await pair.copy();
  const before = await namesIn(pair.target);
  await expect(pair.copy({}, earlier)).rejects.toMatchObject({ code: 'copy/target-ahead' });
  expect(await namesIn(pair.target)).toEqual(before);
});

test('what a prune removed from the source stays in the copy, until --prune', async () => {
  const pair = await Pair.start();
  await pair.copy();
  await pair.backup('e', NEXT);
  await prune(await pair.open(), { keepLast: 1 }, { graceMs: 0 });
  expect(await pair.copy()).toMatchObject({ findings: [], pruned: undefined });
  await pair.proveCopy();
  const standing = (await (await pair.open()).snapshots()).map(({ manifest }) => manifest.id);
  const result = await pair.copy({ prune: true });
  expect(result).toMatchObject({ findings: [], pruned: { snapshotsRemoved: 2 }, snapshots: standing.length });
  await pair.proveCopy(pair.made.filter(({ manifest }) => standing.includes(manifest.id)));
  expect((await namesIn(pair.target, 'packs/'))).toEqual(await namesIn(pair.source, 'packs/'));
  expect((await namesIn(pair.target, 'seals/'))).toEqual(await namesIn(pair.source, 'seals/'));
  expect(await pair.copy({ prune: true })).toMatchObject({ objects: 0, pruned: { snapshotsRemoved: 0, packsDeleted: 0 } });
});

test('damage in the source is named and not taken over, each time, and healed when the source is', async () => {
  const pair = await Pair.start();
  const pack = (await namesIn(pair.source, 'packs/shared')).at(0) ?? '';
  const good = await pair.source.get(pack);
  const bad = Uint8Array.from(good);
  bad[200] = (bad[200] ?? 0) ^ 4;
  await pair.source.put(pack, [bad]);
  for (let run = 0; run < 2; run++) {
    const { findings } = await pair.copy();
    expect(findings.map(({ code }) => code)).toContain('incomplete');
    expect(findings.filter(({ code }) => code === 'damaged').map(({ object }) => object)).toEqual([pack]);
    expect(await namesIn(pair.target, 'packs/')).not.toContain(pack);
  }
  // A snapshot upon an incomplete one is looked at as a whole.
  const next = await pair.backup('e', new Map([...BETWEEN, ['one more', { content: 't7', size: 900 }]]));
  expect((await pair.copy()).findings.map(({ object }) => object)).toContain(`snapshots/${next.tag}/${next.id}`);
  await pair.source.put(pack, [good]);
  expect(await pair.copy()).toMatchObject({ findings: [], packs: 1 });
  await pair.proveCopy();
  expect(await pair.copy()).toMatchObject({ findings: [], objects: 0 });
});

test.each(['segments/', 'snapshots/', 'seals/'])('a damaged object under %s keeps its snapshot out, and is named', async (prefix) => {
  const pair = await Pair.start();
  const [name = ''] = await namesIn(pair.source, prefix);
  const bytes = await pair.source.get(name);
  const bad = Uint8Array.from(bytes);
  bad[bad.length - 30] = (bad[bad.length - 30] ?? 0) ^ 1;
  await pair.source.put(name, [bad]);
  const { findings, snapshotsCopied } = await pair.copy();
  expect(findings.map(({ object }) => object)).toContain(name);
  expect(snapshotsCopied).toBeLessThan(3);
  await pair.source.put(name, [bytes]);
  expect((await pair.copy()).findings).toEqual([]);
  await pair.proveCopy();
});

test('a lost pack, and a lost segment, are found', async () => {
  for (const prefix of ['packs/shared', 'segments/']) {
    const pair = await Pair.start();
    await pair.source.delete((await namesIn(pair.source, prefix))[0] ?? '');
    const { findings } = await pair.copy();
    expect(findings.map(({ code }) => code)).toContain(prefix === 'segments/' ? 'left-out' : 'incomplete');
  }
});

test('a pack that was cut in the copy is mended', async () => {
  const pair = await Pair.start();
  await pair.copy();
  const [pack = ''] = await namesIn(pair.target, 'packs/');
  await pair.target.put(pack, [(await pair.target.get(pack)).subarray(0, 100)]);
  expect((await pair.copy()).findings).toMatchObject([{ object: pack, code: 'mended' }]);
  await pair.proveCopy();
});

test(`with faults of both storages: replies lost and reads refused, and retried (HOLDFAST_SEED=${seed})`, async () => {
  const pair = await Pair.start();
  const sources = new FaultyStorage(pair.source);
  const targets = new FaultyStorage(pair.target);
  for (let call = 1; call < 200; call += 2) {
    sources.add({ on: 'get', call, effect: { kind: 'refused' } });
    targets.add({ on: 'put', call, effect: { kind: 'lost-reply' } });
    targets.add({ on: 'list', call, effect: { kind: 'refused' } });
  }
  const patient = (inner: Storage): Storage => new RetryingStorage(inner, { random: seededRandom(seed), sleep: () => Promise.resolve() });
  expect((await pair.copy({}, patient(sources), patient(targets))).findings).toEqual([]);
  expect(Math.max(...sources.fired) + Math.max(...targets.fired)).toBe(2);
  await pair.proveCopy();
});

test.each(['put', 'get'] as const)('a fault at a fifth of the %ss of the target: an error, a sound copy, and the next run finishes', async (on) => {
  const pair = await Pair.start();
  const full = new HoldfastError('storage/full', 'input', 'The disk is full. Make room.');
  let call = 1 + (seed % 5);
  for (; ; call += 5) {
    const target = new MemoryStorage();
    const faulty = new FaultyStorage(target, [{ on, call, effect: { kind: 'refused', error: full } }]);
    const error = await pair.copy({}, pair.source, faulty).then(() => undefined, (caught: unknown) => caught);
    if (faulty.fired[0] === 0) break;
    expect(error, `call ${call}`).toBe(full);
    const again = new Pair(pair.source, target);
    again.made.push(...pair.made);
    if ((await namesIn(target)).includes('config')) await again.proveStopped();
    expect((await again.copy()).findings).toEqual([]);
    await again.proveCopy();
    expect(await namesIn(pair.source, 'pins/')).toEqual([]);
  }
  expect(call).toBeGreaterThan(15);
});

test('reads that are cut, and storages that give back other bytes, are noticed', async () => {
  const pair = await Pair.start();
  const cutting = new FaultyStorage(pair.target, [{ on: 'get', prefix: 'packs/', effect: { kind: 'cut', keep: 9 } }]);
  await expect(pair.copy({}, pair.source, cutting)).rejects.toMatchObject({ code: 'copy/read-back' });
  const cut = new FaultyStorage(pair.source, [{ on: 'get', prefix: 'packs/', effect: { kind: 'cut', keep: 90 } }]);
  expect((await pair.copy({}, cut)).findings).toEqual([]);
  await pair.proveCopy();
});

test('from a source that may only be read', async () => {
  const pair = await Pair.start();
  expect((await pair.copy({}, new ReadOnlyStorage(pair.source))).findings).toEqual([]);
  await pair.proveCopy();
});

test('an abort ends it with its reason, without a pin left, and the next run finishes', async () => {
  const pair = await Pair.start();
  const stop = new AbortController();
  const reason = new Error('enough');
  const aborted = pair.copy({ signal: stop.signal, progress: (event) => { if (event.type === 'progress' && event.items === 1) stop.abort(reason); } });
  await expect(aborted).rejects.toBe(reason);
  expect(await namesIn(pair.source, 'pins/')).toEqual([]);
  await pair.copy();
  await pair.proveCopy();
});
