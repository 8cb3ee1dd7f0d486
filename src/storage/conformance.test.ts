import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../runtime/index.ts';
import { checkConformance, conformanceChecks } from './conformance.ts';
import type { Storage } from './contract.ts';
import { CountingStorage } from './countingStorage.ts';
import { DelayedStorage } from './delayedStorage.ts';
import { FaultyStorage } from './faultyStorage.ts';
import type { Fault } from './faultyStorage.ts';
import { FileStorage } from './fileStorage.ts';
import { MemoryStorage } from './memoryStorage.ts';
import { RetryingStorage } from './retryingStorage.ts';
import { brokenBytes } from './testBrokenBytes.ts';
import { brokenListings } from './testBrokenListings.ts';
import { brokenSafety } from './testBrokenSafety.ts';

const brokenStorages = { ...brokenBytes, ...brokenListings, ...brokenSafety };

let root: string;
let folders = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-storage-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

interface Subject {
  readonly open: () => Promise<Storage>;
  readonly reopen?: () => Promise<Storage>;
}

const newFolder = (): Promise<FileStorage> => FileStorage.create(join(root, `s${folders++}`));
const lastFolder = (): Promise<FileStorage> => FileStorage.open(join(root, `s${folders - 1}`));
const retryOptions = { random: systemRandom, sleep: async () => undefined, attempts: 20 };

/** Every third call of each kind is refused, every third one after it loses its reply. */
function flaky(inner: Storage): Storage {
  const faults: Fault[] = [];
  for (const on of ['get', 'put', 'list', 'delete', 'stat'] as const) {
    for (let call = 1; call < 3000; call += 6) {
      faults.push({ on, call, effect: { kind: 'refused' } }, { on, call: call + 3, effect: { kind: 'lost-reply' } });
    }
  }
  return new RetryingStorage(new FaultyStorage(inner, faults), retryOptions);
}

const subjects: Record<string, Subject> = {
  memory: { open: async () => new MemoryStorage() },
  file: { open: newFolder, reopen: lastFolder },
  'counting over memory': { open: async () => new CountingStorage(new MemoryStorage()) },
  'faulty without faults over memory': { open: async () => new FaultyStorage(new MemoryStorage()) },
  'delayed over memory': {
    open: async () => new DelayedStorage(new MemoryStorage(), (call) => call.name.length % 2),
  },
  'retrying over memory': { open: async () => new RetryingStorage(new MemoryStorage(), retryOptions) },
  'retrying over refused calls and lost replies over memory': { open: async () => flaky(new MemoryStorage()) },
  'all wrappers over file': {
    open: async () => new CountingStorage(new DelayedStorage(flaky(await newFolder()), () => 0)),
    reopen: lastFolder,
  },
};

for (const [subject, { open, reopen }] of Object.entries(subjects)) {
  describe(`${subject}`, () => {
    test.each(conformanceChecks)('$name', async (check) => {
      const storage = await open();
      const options = { clock: systemClock, random: systemRandom, lateMs: 0, checks: [check], ...(reopen && { reopen }) };
      for await (const result of checkConformance(storage, options)) {
        expect(result).toEqual({ name: check.name, error: undefined });
      }
      expect((await storage.list('')).objects).toEqual([]);
    });
  });
}

test('every check has broken storages that it must notice, and no other has', () => {
  expect(Object.keys(brokenStorages).sort()).toEqual(conformanceChecks.map((check) => check.name).sort());
});

for (const check of conformanceChecks) {
  describe(`the check "${check.name}" notices a storage that`, () => {
    test.each(Object.entries(brokenStorages[check.name] ?? {}))('%s', async (_, open) => {
      const storage = open();
      const reopen = async (): Promise<Storage> => storage.reopened ?? storage;
      const folder = 'scratch/';
      const bytes = (length: number): Uint8Array => new Uint8Array(systemRandom(length));
      const helper = { name: (rest: string) => folder + rest, bytes, reopen, mayComeLate: () => undefined };
      const error: unknown = await check.run(storage, helper).then(() => undefined, (failure: unknown) => failure);
      // What the storage itself throws counts too; a failure of the check's own code would be a TypeError.
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(TypeError);
    });
  });
}

test('the suite reports each check, cleans up after itself, and stops when told to', async () => {
  const storage = new MemoryStorage();
  await storage.put('repository/precious', [Buffer.from('x')]);
  const results = [];
  for await (const result of checkConformance(storage, { clock: systemClock, random: systemRandom, lateMs: 0 })) {
    results.push(result);
  }
  expect(results).toEqual(conformanceChecks.map(({ name }) => ({ name, error: undefined })));
  expect((await storage.list('')).objects).toEqual([{ name: 'repository/precious', size: 1 }]);

  const reason = new Error('enough');
  const options = { clock: systemClock, random: systemRandom, lateMs: 0, signal: AbortSignal.abort(reason) };
  await expect(checkConformance(storage, options).next()).rejects.toBe(reason);
});
