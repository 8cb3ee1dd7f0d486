/** Erasures that are killed, and erasures beside backups, prunes and other erasures, stopped at every how many-th operation. */
import { afterAll, expect, test } from 'vitest';
import { isHoldfastError } from '../../src/domain/index.ts';
import { check, erase, prune, type Manifest, type Repository } from '../../src/repository/index.ts';
import { InterceptedStorage, type Storage, type StorageCall } from '../../src/storage/index.ts';
import { keyObjects, searchEverything, tracesOf } from './erasedTraces.ts';
import { caches, ERASED, erasureSample, KEPT, KEYS, open, proveOthers, SECRET, SHARED_FILE, TRACES, treeOf, type ErasureSample, type MadeOf } from './erasureSample.ts';
import { backupTree, copyStorage, HOUR, namesIn, TestClock } from './fixture.ts';
import { testSeed } from './seeded.ts';
import { stoppedEverywhere } from './stoppedEverywhere.ts';
import type { TreeFile } from './tree.ts';
import { putOf, StoppedStorage } from './stoppedStorage.ts';

const seed = testSeed();
/** Every how many-th operation is tried: an erasure has hundreds of them, a backup or a prune fewer. */
const stepOf = (usual: number): number => Number(process.env['HOLDFAST_STOP_STEP'] ?? usual);
const STEPS = { erasure: stepOf(89), other: stepOf(29) };
afterAll(() => caches.remove());

const LAST = treeOf(KEPT, { 'newer.bin': { content: 'r6', size: 50_000 } });

async function atEveryStep(
  start: ErasureSample, clock: TestClock, step: number, killed: boolean, work: (repository: Repository) => Promise<Manifest | undefined>,
  meanwhile: (storage: Storage) => Promise<void>, after: (storage: Storage, made: Manifest | undefined) => Promise<void>,
): Promise<number> {
  return stoppedEverywhere<Manifest | undefined>({ start: start.storage, seed, step, killed, open: (storage) => open(storage, clock), work, meanwhile, after });
}

const eraseAll = (tag: string) => async (repository: Repository): Promise<undefined> => {
  await erase(repository, tag, { keys: KEYS, prefixes: [] });
};

test('I24: an erasure that is killed at any step loses nothing, and run again it finishes', { timeout: 600_000 }, async () => {
  const clock = new TestClock();
  const start = await erasureSample(clock);
  const keysBefore = await keyObjects(start.storage);
  const steps = await atEveryStep(start, clock, STEPS.erasure, true, eraseAll(start.tag), async () => {}, async (storage) => {
    // Sound as it is: nothing but what is to be erased is missing, and no snapshot shows twice.
    const repository = await open(storage, clock);
    expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
    expect(await repository.snapshots()).toHaveLength(start.trees.length);
    // A backup in between is made upon what stands for the older snapshots.
    const made = seed % 2 === 0 ? undefined : await backupTree(repository, 'e', LAST, clock);
    await eraseAll(start.tag)(await open(storage, clock));
    expect((await searchEverything(storage, TRACES, keysBefore)).found).toEqual([]);
    await proveOthers(storage, clock, start.trees, made ? [{ manifest: made, tree: LAST }] : []);
    expect(await namesIn(storage, 'claims/')).toEqual([]);
  });
  expect(steps).toBeGreaterThan(30);
});

const NEXT = treeOf(KEPT, { 'new.txt': { content: 't5', size: 9_100 }, 'newer.bin': { content: 'r6', size: 50_000 }, 'again.bin': SHARED_FILE });

/** Snapshots of the writer: besides the one that it reports maybe one that it had sealed when it was stopped. */
async function ofWriter(storage: Storage, clock: TestClock, { tag, trees }: ErasureSample): Promise<MadeOf[]> {
  const before = new Set(trees.map(({ manifest }) => manifest.id.slice(0, 12)));
  const made = (await (await open(storage, clock)).snapshots(tag)).filter(({ manifest }) => !before.has(manifest.id.slice(0, 12)));
  expect(made.length).toBeLessThanOrEqual(2);
  return made.map(({ manifest }) => ({ manifest, tree: NEXT }));
}

test('I23, I24: a writer that is stopped at any step while items are erased does not bring them back', { timeout: 600_000 }, async () => {
  const clock = new TestClock();
  const start = await erasureSample(clock);
  const keysBefore = await keyObjects(start.storage);
  let interrupted = 0;
  let erased = false;
  await atEveryStep(start, clock, STEPS.other, false, (repository) => backupTree(repository, 'e', NEXT, clock), async (storage) => {
    erased = true;
    const { backupsInterrupted } = await erase(await open(storage, clock), start.tag, { keys: KEYS, prefixes: [] });
    interrupted += backupsInterrupted;
    // Without one that is at work it is true at once, not only when the writer has ended.
    if (backupsInterrupted === 0) expect((await searchEverything(storage, TRACES, keysBefore)).found).toEqual([]);
  }, async (storage, manifest) => {
    // The last of them was never stopped.
    if (!erased) await eraseAll(start.tag)(await open(storage, clock));
    erased = false;
    expect((await searchEverything(storage, TRACES, keysBefore)).found).toEqual([]);
    const made = await ofWriter(storage, clock, start);
    // An erasure after it has replaced it: the time stays.
    expect(made.map((one) => one.manifest.id.slice(0, 12))).toContain(manifest?.id.slice(0, 12));
    await proveOthers(storage, clock, start.trees, made);
  });
  expect(interrupted).toBeGreaterThan(0);
});

test('I24: a writer that is killed at any step while items are erased leaves nothing that the same erasure does not take away', { timeout: 600_000 }, async () => {
  const clock = new TestClock();
  const start = await erasureSample(clock);
  const keysBefore = await keyObjects(start.storage);
  await atEveryStep(start, clock, STEPS.other, true, (repository) => backupTree(repository, 'e', NEXT, clock), async (storage) => {
    await eraseAll(start.tag)(await open(storage, clock));
  }, async (storage) => {
    const { backupsInterrupted } = await erase(await open(storage, clock), start.tag, { keys: KEYS, prefixes: [] });
    expect(backupsInterrupted).toBe(0);
    expect((await searchEverything(storage, TRACES, keysBefore)).found).toEqual([]);
    await proveOthers(storage, clock, start.trees, await ofWriter(storage, clock, start));
  });
});

test('I23: a version that only a killed backup stored, and no snapshot ever showed, is gone as well', { timeout: 120_000 }, async () => {
  const clock = new TestClock();
  const start = await erasureSample(clock);
  const file = { content: 'r77', size: 150_000 };
  const traces = tracesOf('not looked for', file).slice(1);
  const keysBefore = await keyObjects(start.storage);
  for (const kind of ['snapshots/', 'seals/']) {
    const storage = await copyStorage(start.storage);
    const killed = new StoppedStorage(storage, putOf(kind));
    const running = backupTree(await open(killed, clock), 'e', treeOf(KEPT, { 'd/secret-large.bin': file }), clock);
    await Promise.race([killed.stopped, running]);
    expect((await searchEverything(storage, traces, keysBefore)).found, kind).not.toEqual([]);
    const { backupsInterrupted } = await erase(await open(storage, clock), start.tag, { keys: KEYS, prefixes: [] });
    expect(backupsInterrupted).toBe(1);
    expect((await searchEverything(storage, [...traces, ...TRACES], keysBefore)).found, kind).toEqual([]);
    await proveOthers(storage, clock, start.trees);
  }
});

const refused = (code: string) => (error: unknown): 'refused' => {
  if (!isHoldfastError(error) || error.code !== code) throw error;
  return 'refused';
};

test('I26: beside a prune that is stopped at any step an erasure gives way and changes nothing, or is done before the prune begins', { timeout: 600_000 }, async () => {
  const clock = new TestClock();
  const start = await erasureSample(clock);
  const keysBefore = await keyObjects(start.storage);
  let gaveWay = 0;
  await atEveryStep(start, clock, STEPS.other, false, async (repository) => {
    // Without a policy nothing goes, but packs are put together and rewritten.
    await prune(repository, {}, { graceMs: 0 });
    return undefined;
  }, async (storage) => {
    const before = await namesIn(storage);
    const result = await eraseAll(start.tag)(await open(storage, clock)).catch(refused('erase/not-alone'));
    if (result !== 'refused') return;
    gaveWay++;
    expect(await namesIn(storage)).toEqual(before);
  }, async (storage) => {
    await eraseAll(start.tag)(await open(storage, clock));
    expect((await searchEverything(storage, TRACES, keysBefore)).found).toEqual([]);
    await proveOthers(storage, clock, start.trees);
  });
  expect(gaveWay).toBeGreaterThan(0);
});

test('I24, I26: an erasure that is stopped at any step while a backup runs and a prune is refused finishes', { timeout: 600_000 }, async () => {
  const clock = new TestClock();
  const start = await erasureSample(clock);
  const keysBefore = await keyObjects(start.storage);
  let backup: Manifest | undefined;
  let met = 0;
  await atEveryStep(start, clock, STEPS.erasure, false, eraseAll(start.tag), async (storage) => {
    backup = await backupTree(await open(storage, clock), 'e', LAST, clock);
    if ((await prune(await open(storage, clock), {}, { graceMs: 0 }).catch(refused('repository/erasing'))) === 'refused') met++;
  }, async (storage) => {
    expect((await searchEverything(storage, TRACES, keysBefore)).found).toEqual([]);
    await proveOthers(storage, clock, start.trees, backup ? [{ manifest: backup, tree: LAST }] : []);
    backup = undefined;
  });
  expect(met).toBeGreaterThan(0);
});

test.each([
  ['has announced what goes', ({ operation, name }: StorageCall) => operation === 'delete' && name.startsWith('snapshots/')],
  ['has sealed the first of its snapshots', ({ operation, name }: StorageCall) => operation === 'delete' && name.startsWith('pins/')],
])('I24: where the same erasure runs twice at once no snapshot goes: one is about to seal when the other %s', async (_, isThen) => {
  for (const order of ['slow first', 'other first', 'both'] as const) {
    const clock = new TestClock();
    const { storage, tag, trees } = await erasureSample(clock);
    const keysBefore = await keyObjects(storage);
    const slow = new StoppedStorage(storage, putOf('seals/'));
    const erasing = open(slow, clock).then(eraseAll(tag));
    await slow.stopped;
    const other = new StoppedStorage(storage, isThen);
    const second = open(other, clock).then(eraseAll(tag));
    await other.stopped;
    if (order === 'other first') other.go();
    else slow.go();
    await (order === 'slow first' ? erasing : order === 'other first' ? second : Promise.resolve());
    slow.go();
    other.go();
    await Promise.all([erasing, second]);
    // One may be there twice, without the items both times.
    const repository = await open(storage, clock);
    const times = new Set((await repository.snapshots()).map(({ manifest }) => `${manifest.tag} ${manifest.id.slice(0, 12)}`));
    expect(times).toEqual(new Set(trees.map(({ manifest }) => `${manifest.tag} ${manifest.id.slice(0, 12)}`)));
    expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
    expect((await searchEverything(storage, TRACES, keysBefore)).found).toEqual([]);
    expect(await namesIn(storage, 'claims/')).toEqual([]);
  }
});

test('an erasure that other backups keep busy says which, and what to do; it ends when they have', async () => {
  const clock = new TestClock();
  const { storage, tag, trees } = await erasureSample(clock);
  const keysBefore = await keyObjects(storage);
  const same = treeOf({ 'copy.bin': ERASED['d/secret-large.bin'] as TreeFile });
  let dead = 0;
  // As often as the erasure has deleted all that it found, the same content is stored once more, by a backup that gets no further.
  const busy = new AfterCall(storage, ({ operation, name }) => operation === 'delete' && name.startsWith('doomed/'), async () => {
    const killed = new StoppedStorage(storage, putOf('snapshots/'));
    const running = open(killed, clock).then((repository) => backupTree(repository, `x${dead++}`, same, clock));
    await Promise.race([killed.stopped, running]);
  });
  await expect(erase(await open(busy, clock), tag, { keys: KEYS, prefixes: [] })).rejects.toMatchObject({
    code: 'erase/busy', message: expect.stringContaining('of other entities too') as string,
  });
  expect(dead).toBe(5);
  await eraseAll(tag)(await open(storage, clock));
  expect((await searchEverything(storage, [Buffer.from(SECRET)], keysBefore)).found).toEqual([]);
  await proveOthers(storage, clock, trees);
});

/** Does something after each call of a kind. */
class AfterCall extends InterceptedStorage {
  readonly #is: (call: StorageCall) => boolean;
  readonly #then: () => Promise<void>;

  constructor(inner: Storage, is: (call: StorageCall) => boolean, then: () => Promise<void>) {
    super(inner);
    this.#is = is;
    this.#then = then;
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    const result = await run();
    if (this.#is(call)) await this.#then();
    return result;
  }
}

/** Lists entity records that stood when it was made. */
class LateListing extends InterceptedStorage {
  readonly #names: readonly string[];

  constructor(inner: Storage, listed: readonly string[]) {
    super(inner);
    this.#names = listed;
  }

  override async list(...[prefix, options]: Parameters<Storage['list']>): ReturnType<Storage['list']> {
    if (!prefix.startsWith('entities/')) return super.list(prefix, options);
    return { objects: this.#names.map((name) => ({ name, size: 1 })) };
  }

  protected override around<T>(_call: StorageCall, run: () => Promise<T>): Promise<T> {
    return run();
  }
}

test('caches that were made before an erasure, or while it went on, are not read after it', async () => {
  const clock = new TestClock();
  const { storage, tag } = await erasureSample(clock);
  const generation = async (): Promise<string> => (await open(storage, clock)).generation(tag);
  const seen = [await generation()];
  const stopped = new StoppedStorage(storage, 60);
  const erasing = open(stopped, clock).then(eraseAll(tag));
  await stopped.stopped;
  seen.push(await generation());
  stopped.go();
  await erasing;
  seen.push(await generation());
  expect(new Set(seen).size).toBe(3);
  // Erasures pile up no records: one that says so is enough, and a reader may find it gone.
  const listed = await namesIn(storage, `entities/${tag}/`);
  await erase(await open(storage, clock), tag, { keys: new Set(['e.txt']), prefixes: [] });
  seen.push(await generation());
  expect(new Set(seen).size).toBe(4);
  expect(await namesIn(storage, `entities/${tag}/`)).toHaveLength(listed.length);
  expect(await (await open(new LateListing(storage, listed), clock)).entities()).toMatchObject([{ tag, keyIds: { length: 2 } }]);
});

test('an erasure that died keeps prunes away until it is run again, or for a week; others go on when they are told that they are alone', async () => {
  const clock = new TestClock();
  const start = await erasureSample(clock);
  const stopped = new StoppedStorage(start.storage, 60);
  open(stopped, clock).then(eraseAll(start.tag)).catch(() => {});
  await stopped.stopped;
  expect(await namesIn(start.storage, 'claims/')).toHaveLength(1);
  const [claimed, aged] = [await copyStorage(start.storage), await copyStorage(start.storage)];
  const pruned = async (storage: Storage): Promise<unknown> => prune(await open(storage, clock), {}, { graceMs: 0 }).catch(refused('repository/erasing'));
  expect(await pruned(start.storage)).toBe('refused');
  await prune(await open(start.storage, clock), {}, { dryRun: true });
  const other = { keys: new Set(['e.txt']), prefixes: [] };
  await expect(erase(await open(start.storage, clock), start.tag, other)).rejects.toMatchObject({ code: 'erase/not-alone' });
  await eraseAll(start.tag)(await open(start.storage, clock));
  expect(await namesIn(start.storage, 'claims/')).toEqual([]);
  expect(await pruned(start.storage)).not.toBe('refused');

  await erase(await open(claimed, clock), start.tag, other, { alone: true });
  expect(await namesIn(claimed, 'claims/')).toEqual([]);
  await eraseAll(start.tag)(await open(claimed, clock));
  clock.time += 8 * 24 * HOUR;
  expect(await pruned(aged)).not.toBe('refused');
  expect(await namesIn(aged, 'claims/')).toEqual([]);
  expect(await (await open(aged, clock)).snapshots()).toHaveLength(start.trees.length);
});
