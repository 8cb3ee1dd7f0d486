import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { check, prune, Repository } from '../../src/repository/index.ts';
import type { Finding } from '../../src/repository/index.ts';
import { makeScratch } from '../../src/runtime/index.ts';
import type { Scratch } from '../../src/runtime/index.ts';
import { objectsOf, readWithHoldfast, storageOf } from './compareSample.ts';
import { makeSample } from './sampleRepository.ts';
import type { Sample } from './sampleRepository.ts';

/** What must not be read, and how that is told. */
let scratch: Scratch;
let sample: Sample;
let objects: ReadonlyMap<string, Buffer>;

beforeAll(async () => {
  scratch = await makeScratch('format-test');
  const folder = join(scratch.path, 'house of ada');
  mkdirSync(folder);
  const storage = new MemoryStorage();
  sample = await makeSample(storage, folder, join(scratch.path, 'made'), 'refusals');
  objects = await objectsOf(storage);
});

afterAll(() => scratch[Symbol.asyncDispose]());

type Changes = Readonly<Record<string, Buffer | undefined>>;

/** The sample with some objects replaced or (undefined) deleted. Every caller gets a cache of its own. */
async function open(changes: Changes, key: Uint8Array = sample.operatorKey) {
  const storage = await storageOf(objects);
  for (const [name, bytes] of Object.entries(changes)) await (bytes ? storage.put(name, [bytes]) : storage.delete(name));
  const cacheDirectory = join(scratch.path, `cache-${caches++}`);
  return { storage, repository: await Repository.open(storage, key, { cacheDirectory }) };
}
let caches = 0;

const codeOf = (work: Promise<unknown>) => work.then(() => 'nothing thrown', (error: unknown) => (error as { code?: string }).code);

function object(name: string): Buffer {
  const bytes = objects.get(name);
  if (!bytes) throw new Error(`${name} is missing`);
  return bytes;
}

const first = (prefix: string): string => [...objects.keys()].toSorted().find((name) => name.startsWith(prefix)) ?? '';

function newer(name: string): Buffer {
  const bytes = Buffer.from(object(name));
  bytes[4] = 2;
  return bytes;
}

function flipped(name: string, at: number): Buffer {
  const bytes = Buffer.from(object(name));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

async function findings(changes: Changes): Promise<readonly Finding[]> {
  const { repository } = await open(changes);
  return (await check(repository, { readData: 100, workers: 1 })).errors;
}

test('I9: a newer repository is refused before anything else is read', async () => {
  const config = JSON.parse(object('config').toString()) as Record<string, unknown>;
  const changes = { config: Buffer.from(JSON.stringify({ ...config, version: 2 })) };
  await expect(open(changes)).rejects.toMatchObject({ code: 'repository/too-new', data: { version: 2 } });
  await expect(open(changes, new Uint8Array(32))).rejects.toMatchObject({ code: 'repository/too-new' });
});

test('I9: a member of the config that this version does not know changes nothing', async () => {
  const config = JSON.parse(object('config').toString()) as Record<string, unknown>;
  const { repository } = await open({ config: Buffer.from(JSON.stringify({ ...config, later: true })) });
  expect((await repository.snapshots()).length).toBe(sample.snapshots.length);
});

/** The newest object of a kind: of a snapshot that stays. */
const last = (prefix: string): string => [...objects.keys()].toSorted().findLast((name) => name.startsWith(prefix)) ?? '';
function newest(kind: string): string {
  const seal = last('seals/');
  if (kind === 'snapshots/') return seal.replace('seals/', kind);
  // The base of a snapshot that stays.
  return kind === 'segments/' ? first(`segments/${seal.split('/')[1]}/`) : last(kind);
}

test.for(['snapshots/', 'seals/', 'entities/', 'segments/'])(
  'I9: check names an object of a newer version under %s as too new', async (kind) => {
    const name = newest(kind);
    const found = (await findings({ [name]: newer(name) })).filter((finding) => finding.object === name);
    expect(found.map((finding) => finding.code)).toEqual(['too-new']);
  },
);

test.for(['snapshots/', 'entities/', 'segments/', 'index/shared/', 'checkpoints/', 'doomed/'])(
  'I9, I16: an object of a newer version under %s keeps a prune from deleting anything that others need', async (kind) => {
    const name = newest(kind);
    const { storage, repository } = await open({ [name]: newer(name) });
    expect(await codeOf(prune(repository, { keepLast: 1 }, { graceMs: 0 }))).toBe('repository/prune-refused');
    const left = new Set((await objectsOf(storage)).keys());
    // Pins that are older than a week go before anything is looked at.
    expect([...objects.keys()].filter((one) => !left.has(one) && !one.startsWith('pins/'))).toEqual([]);
  },
);

test('I9: a pack of a newer version is not read', async () => {
  const name = newest('packs/shared/');
  expect((await findings({ [name]: newer(name) })).map((finding) => finding.object)).toEqual([name]);
});

test('I1: any other key opens nothing, and says so', async () => {
  expect(await codeOf(open({}, new Uint8Array(32).fill(7)))).toBe('repository/wrong-key');
  const { repository } = await open({}, sample.recoveryKey);
  expect((await repository.snapshots()).length).toBe(sample.snapshots.length);
});

test('I1: one key slot that is damaged leaves the other, and check names it', async () => {
  const damaged = { 'keys/operator': flipped('keys/operator', 60) };
  expect(await codeOf(open(damaged))).toBe('repository/wrong-key');
  const { repository } = await open(damaged, sample.recoveryKey);
  const { errors } = await check(repository);
  expect(errors.map((finding) => finding.object)).toEqual(['keys/operator']);
});

test('I4: records put in the place of others are named as damaged', async () => {
  const [one = '', other = ''] = [...objects.keys()].filter((name) => name.startsWith('seals/'))
    .map((name) => name.replace('seals', 'snapshots')).toSorted().slice(-2); // the oldest is doomed by the prune that was cut off
  const swapped = { [one]: object(other), [other]: object(one) };
  const { repository } = await open(swapped);
  await expect(repository.snapshots()).rejects.toMatchObject({ code: 'repository/damaged' });
  const named = (await findings(swapped)).filter((finding) => finding.code === 'damaged').map((finding) => finding.object);
  expect(named).toEqual(expect.arrayContaining([one, other]));
});

test('I4: packs, index and catalog segments put in the place of others are named as damaged', async () => {
  for (const prefix of ['packs/shared/', 'index/shared/', 'segments/']) {
    const [one = '', other = ''] = [...objects.keys()].filter((name) => name.startsWith(prefix)).toSorted();
    const found = await findings({ [one]: object(other), [other]: object(one) });
    const named = found.map((finding) => finding.object);
    expect(named, prefix).toEqual(expect.arrayContaining([one, other]));
  }
});

test('I8: an older manifest, sealed by this very repository, does not pass for a later one', async () => {
  const seal = first('seals/');
  const last = [...objects.keys()].filter((name) => name.startsWith(seal.slice(0, 38))).toSorted().at(-1) ?? '';
  const changes = { [last.replace('seals', 'snapshots')]: object(seal.replace('seals', 'snapshots')) };
  expect((await findings(changes)).map((finding) => finding.object)).toContain(last.replace('seals', 'snapshots'));
});

test('I8: a snapshot that is gone without a removal record is missed, where a later one was made upon it', async () => {
  const seals = [...objects.keys()].filter((name) => name.startsWith(last('seals/').slice(0, 38))).toSorted();
  const before = seals.at(-2) ?? '';
  const manifest = before.replace('seals', 'snapshots');
  const found = await findings({ [before]: undefined, [manifest]: undefined });
  expect(found.filter((finding) => finding.object === manifest).map((finding) => finding.code)).toEqual(['chain-gap']);
});

test.for(['snapshots/', 'segments/', 'entities/', 'index/shared/'])(
  'I16: a prune that finds an object under %s missing or damaged deletes nothing that others need', async (kind) => {
    const name = newest(kind);
    for (const bytes of [undefined, flipped(name, 40)]) {
      const { storage, repository } = await open({ [name]: bytes });
      const done = await codeOf(prune(repository, { keepLast: 1 }, { graceMs: 0 }));
      if (kind === 'index/shared/' && bytes === undefined) {
        expect(done).toBe('nothing thrown');
        continue;
      }
      expect(done).toBe('repository/prune-refused');
      const left = new Set((await objectsOf(storage)).keys());
      expect([...objects.keys()].filter((one) => one !== name && !left.has(one) && !one.startsWith('pins/'))).toEqual([]);
    }
  },
);

test('I6: whatever is damaged in a pack, no item comes back with other bytes', { timeout: 120_000 }, async () => {
  let whole = 0;
  let refused = 0;
  for (const name of [...objects.keys()].filter((one) => one.startsWith('packs/'))) {
    const { length } = object(name);
    for (const at of [8, Math.floor(length / 3), Math.floor(length / 2)]) {
      const { repository } = await open({ [name]: flipped(name, at) });
      for (const snapshot of await readWithHoldfast(repository, () => { refused++; })) {
        const expected = sample.snapshots.find(({ id }) => id === snapshot.id)?.items ?? {};
        for (const [path, item] of Object.entries(snapshot.items)) expect(item, `${name} ${at}: ${path}`).toEqual(expected[path]);
        whole += Object.keys(snapshot.items).length;
      }
    }
  }
  expect(refused).toBeGreaterThan(20);
  expect(whole).toBeGreaterThan(500);
});

const KINDS = [
  'keys/operator', 'keys/recovery', 'entities/', 'packs/shared/', 'packs/', 'index/shared/', 'index/', 'segments/', 'snapshots/', 'seals/',
  'checkpoints/', 'pins/', 'doomed/', 'void/', 'removals/',
];

test.for(KINDS)('I4: check names an object under %s of which a bit has changed', async (kind) => {
  const name = newest(kind);
  const bytes = object(name);
  const changes = { [name]: flipped(name, 8 + Math.floor((bytes.length - 8) / 2)) };
  const { repository } = await open(changes, name === 'keys/operator' ? sample.recoveryKey : sample.operatorKey);
  const { errors } = await check(repository, { readData: 100, workers: 1 });
  expect(errors.map((finding) => finding.object)).toContain(name);
});
