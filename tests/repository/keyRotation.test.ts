/** Key epochs: what each opens, several rotations, two at once, killed and stopped ones, and runs that began before. */
import { afterAll, expect, test } from 'vitest';
import { addKey, check, listKeys, prune, removeKey, Repository, rotateKeys, type Manifest } from '../../src/repository/index.ts';
import { type Storage } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { IndependentReader } from '../format/independentReader.ts';
import { objectsOf } from '../format/compareSample.ts';
import { backupTree, cacheFolder, HOUR, initRepository, namesIn, OPERATOR_KEY, RECOVERY_KEY, SnapshotProof, TestClock } from './fixture.ts';
import { testSeed } from './seeded.ts';
import { stoppedEverywhere } from './stoppedEverywhere.ts';
import { nextTree, type Tree } from './tree.ts';

const seed = testSeed();
/** A stopped one is stopped at every how many-th operation, from a different first one for each seed. */
const STEP = Number(process.env['HOLDFAST_STOP_STEP'] ?? 7);
const caches = await cacheFolder();
afterAll(() => caches.remove());

let opened = 0;
const open = (storage: Storage, clock: TestClock, key: Uint8Array = OPERATOR_KEY): Promise<Repository> =>
  Repository.open(storage, key, { cacheDirectory: caches.path(`cache-${opened++}`), clock });

const FIRST: Tree = new Map([
  ['d/shared.bin', { content: 'r1', size: 90_000 }], ['d/text.txt', { content: 't2', size: 30_000 }], ['m.eml', { content: 'm1', size: 90 }],
]);

async function made(clock: TestClock): Promise<{ storage: MemoryStorage; repository: Repository; manifest: Manifest }> {
  const storage = new MemoryStorage();
  const repository = await initRepository(storage, caches.path(`made-${opened++}`), clock);
  return { storage, repository, manifest: await backupTree(repository, 'e', FIRST, clock) };
}

async function proveSound(storage: Storage, clock: TestClock, trees: ReadonlyMap<string, Tree>, key?: Uint8Array): Promise<void> {
  const repository = await open(storage, clock, key);
  const proof = new SnapshotProof(repository);
  const standing = await repository.snapshots();
  expect(standing.map(({ manifest }) => manifest.id).toSorted()).toEqual([...trees.keys()].toSorted());
  for (const { manifest } of standing) await proof.holds(manifest, trees.get(manifest.id) as Tree);
  expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
}

const epochIn = (bytes: Buffer): number => bytes.readUInt16LE(6);

// I21 and I22 of docs/format/invariants.md.
test('I21: all that is written after a rotation is of the new epoch; what is older stays readable, by every key', async () => {
  const clock = new TestClock();
  const { storage, manifest } = await made(clock);
  const trees = new Map([[manifest.id, FIRST]]);
  let tree = FIRST;
  for (const epoch of [2, 3, 4]) {
    const before = new Set(await namesIn(storage));
    expect(await rotateKeys(await open(storage, clock))).toBe(epoch);
    clock.time += HOUR;
    tree = nextTree(tree, seed + epoch);
    trees.set((await backupTree(await open(storage, clock, RECOVERY_KEY), 'e', tree, clock)).id, tree);
    const written = [...(await objectsOf(storage))].filter(([name]) => !before.has(name) && !name.startsWith('epochs/'));
    expect(written.length).toBeGreaterThan(4);
    for (const [name, bytes] of written) expect(epochIn(bytes), name).toBe(/^packs\/[0-9a-f]/.test(name) ? 1 : epoch);
    // A new key of the entity's own packs, in a record of its own.
    expect((await namesIn(storage, 'entities/')).length).toBe(epoch);
  }
  await proveSound(storage, clock, trees);
  await proveSound(storage, clock, trees, RECOVERY_KEY);
});

test('I22: a key that was removed opens nothing written since, not even with its slot put back', async () => {
  const clock = new TestClock();
  const { storage, manifest } = await made(clock);
  const key = new Uint8Array(32).fill(9);
  const slot = await addKey(await open(storage, clock), 'operator', key);
  await proveSound(storage, clock, new Map([[manifest.id, FIRST]]), key);
  const old = await storage.get(`keys/${slot}`);
  await removeKey(await open(storage, clock), slot);
  await expect(open(storage, clock, key)).rejects.toMatchObject({ code: 'repository/wrong-key' });
  const before = await namesIn(storage);
  await backupTree(await open(storage, clock), 'e', new Map([...FIRST, ['new.bin', { content: 'r7', size: 40_000 }]]), clock);
  // Also a rotation that finds the slot put back leaves it out.
  await storage.put(`keys/${slot}`, [old]);
  await rotateKeys(await open(storage, clock));
  await backupTree(await open(storage, clock), 'e', new Map([...FIRST, ['newer.bin', { content: 'r8', size: 40_000 }]]), clock);
  const objects = await objectsOf(storage);
  const thief = new IndependentReader(objects, key);
  expect(thief.rows(thief.record(`snapshots/${manifest.tag}/${manifest.id}`) as Parameters<typeof thief.rows>[0]).length).toBeGreaterThan(3);
  let opens = 0;
  const refused: string[] = [];
  for (const name of objects.keys()) {
    if (name === 'config' || name.startsWith('keys/') || name.startsWith('epochs/')) continue;
    try {
      new IndependentReader(new Map([...objects].filter(([one]) => one === name || /^(config|keys|epochs|entities)/.test(one))), key).sealedOf(name);
      opens++;
    } catch {
      refused.push(name);
    }
  }
  expect(opens).toBeGreaterThan(4);
  expect([...objects.keys()].filter((name) => !before.includes(name) && !/^(keys|epochs)\//.test(name)).filter((name) => !refused.includes(name))).toEqual([]);
});

test('one operator and one recovery key always stay, also where two removals meet', async () => {
  const clock = new TestClock();
  const { storage } = await made(clock);
  const repository = await open(storage, clock);
  await expect(removeKey(repository, 'recovery')).rejects.toMatchObject({ code: 'key/last-slot' });
  await expect(removeKey(repository, 'operator')).rejects.toMatchObject({ code: 'key/in-use' });
  await expect(removeKey(repository, 'other')).rejects.toMatchObject({ code: 'key/no-slot' });
  const second = await addKey(repository, 'recovery', new Uint8Array(32).fill(11));
  const results = await Promise.allSettled([removeKey(await open(storage, clock), 'recovery'), removeKey(await open(storage, clock), second)]);
  const given = results.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  expect(given.length).toBeGreaterThanOrEqual(1);
  for (const reason of given) expect(reason).toMatchObject({ code: 'key/last-slot' });
  const { slots } = await listKeys(await open(storage, clock));
  expect(slots.filter(({ kind }) => kind === 'recovery').length).toBeGreaterThanOrEqual(1);
  expect((await check(repository, {})).errors).toEqual([]);
});

/** Runs `work` stopped before every how many-th of its operations, with `meanwhile` in between; `killed`: it never goes on. */
async function atEveryStep(
  killed: boolean, step: number, work: (repository: Repository) => Promise<unknown>, meanwhile: (storage: Storage, clock: TestClock) => Promise<void>,
  after: (storage: Storage, clock: TestClock, first: Manifest) => Promise<void>,
): Promise<number> {
  const clock = new TestClock();
  const start = await made(clock);
  return stoppedEverywhere({
    start: start.storage, seed, step, killed, open: (storage) => open(storage, clock), work,
    meanwhile: (storage) => meanwhile(storage, clock), after: (storage) => after(storage, clock, start.manifest),
  });
}

const NEXT: Tree = new Map([...FIRST, ['new.bin', { content: 'r6', size: 70_000 }], ['new.txt', { content: 't6', size: 2_000 }]]);

async function backupIsSound(storage: Storage, clock: TestClock, first: Manifest, ...keys: Uint8Array[]): Promise<void> {
  const trees = new Map([[first.id, FIRST]]);
  for (const { manifest } of await (await open(storage, clock)).snapshots()) if (manifest.id !== first.id) trees.set(manifest.id, NEXT);
  trees.set((await backupTree(await open(storage, clock), 'e', NEXT, clock)).id, NEXT);
  await proveSound(storage, clock, trees);
  for (const key of [RECOVERY_KEY, ...keys]) {
    const repository = await open(storage, clock, key);
    const newest = (await repository.snapshots()).at(-1)?.manifest as Manifest;
    await new SnapshotProof(repository).holds(newest, trees.get(newest.id) as Tree);
  }
}

test('a rotation that is killed at any step loses nothing, and the next one works', { timeout: 300_000 }, async () => {
  const steps = await atEveryStep(true, STEP, (repository) => rotateKeys(repository), async () => {}, async (storage, clock, first) => {
    await backupIsSound(storage, clock, first);
    await rotateKeys(await open(storage, clock));
    await backupIsSound(storage, clock, first);
  });
  expect(steps).toBeGreaterThan(8);
});

test('a rotation that is stopped at any step while another one and a backup run', { timeout: 300_000 }, async () => {
  await atEveryStep(false, STEP, (repository) => rotateKeys(repository), async (storage, clock) => {
    await rotateKeys(await open(storage, clock));
    await backupTree(await open(storage, clock), 'e', NEXT, clock);
  }, backupIsSound);
});

const ADDED = new Uint8Array(32).fill(12);

test('a rotation that is stopped at any step while a key is added: the key opens all', { timeout: 300_000 }, async () => {
  await atEveryStep(false, STEP, (repository) => rotateKeys(repository), async (storage, clock) => {
    await addKey(await open(storage, clock), 'operator', ADDED);
  }, async (storage, clock, first) => {
    const all = (await listKeys(await open(storage, clock))).slots.map(({ slot }) => slot).length;
    await backupIsSound(storage, clock, first, ...(all === 3 ? [ADDED] : []));
  });
});

test('the adding of a key that is stopped at any step while a rotation runs: the key opens all', { timeout: 300_000 }, async () => {
  await atEveryStep(false, STEP, (repository) => addKey(repository, 'recovery', ADDED), async (storage, clock) => {
    await rotateKeys(await open(storage, clock));
    await backupTree(await open(storage, clock), 'e', NEXT, clock);
  }, (storage, clock, first) => backupIsSound(storage, clock, first, ADDED));
});

test('a removal that is stopped at any step while a rotation runs', { timeout: 300_000 }, async () => {
  const clock = new TestClock();
  const start = await made(clock);
  const slot = await addKey(start.repository, 'operator', ADDED);
  await stoppedEverywhere({
    start: start.storage, seed, step: STEP, open: (storage) => open(storage, clock), work: (repository) => removeKey(repository, slot),
    meanwhile: async (storage) => { await rotateKeys(await open(storage, clock)); },
    after: async (storage) => {
      await expect(open(storage, clock, ADDED)).rejects.toMatchObject({ code: 'repository/wrong-key' });
      await backupIsSound(storage, clock, start.manifest);
    },
  });
});

test('I21: a run that is stopped at any step while the keys are rotated, another backup and a prune run finishes soundly', { timeout: 600_000 }, async () => {
  await atEveryStep(false, STEP, (repository) => backupTree(repository, 'e', NEXT, repository.context.clock), async (storage, clock) => {
    await rotateKeys(await open(storage, clock));
    await backupTree(await open(storage, clock), 'n', NEXT, clock);
    await prune(await open(storage, clock), { keepLast: 1 }, { graceMs: 0 });
  }, async (storage, clock) => {
    const repository = await open(storage, clock);
    const proof = new SnapshotProof(repository);
    for (const { manifest } of await repository.snapshots()) await proof.holds(manifest, manifest.counts.items === FIRST.size ? FIRST : NEXT);
    expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
  });
});

test('a prune over packs of many epochs leaves them sound, and what it rewrites is of the newest', { timeout: 300_000 }, async () => {
  const clock = new TestClock();
  const { storage } = await made(clock);
  let others = FIRST;
  let tree = new Map(FIRST);
  let newest: Manifest | undefined;
  for (let round = 0; round < 6; round++) {
    await rotateKeys(await open(storage, clock));
    clock.time += HOUR;
    others = nextTree(others, seed + 50 + round, { changes: 14, largest: 300_000 });
    // The first packs are mostly waste in the end, and something of them is needed. Nothing else is made of these two contents.
    tree = new Map([...others, ['stays.bin', { content: 'r91', size: 60_000 }]]);
    if (round < 5) tree.set('goes.bin', { content: 'r92', size: 900_000 });
    newest = await backupTree(await open(storage, clock), 'e', tree, clock);
  }
  const before = new Set(await namesIn(storage, 'packs/shared/'));
  await prune(await open(storage, clock), { keepLast: 1 }, { graceMs: 0 });
  await proveSound(storage, clock, new Map([[newest?.id ?? '', tree]]));
  const rewritten = [...(await objectsOf(storage))].filter(([name]) => name.startsWith('packs/shared/') && !before.has(name));
  expect(rewritten).not.toEqual([]);
  for (const [name, bytes] of rewritten) expect(epochIn(bytes), name).toBe(7);
});
