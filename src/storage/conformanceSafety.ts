import { isHoldfastError } from '../domain/index.ts';
import {
  listedNames, NO_PRUNE, rejectionOf, requireError, requireSameBytes, requireSameNames, requireThat,
} from './conformanceCheck.ts';
import type { ConformanceCheck, ConformanceHelper } from './conformanceCheck.ts';
import type { Storage } from './contract.ts';

const ROUNDS = 20;
const BAD_NAMES = [
  '', '/', '/a', 'a/', 'a//b', '.', '..', 'a/../b', 'a/.', 'A', 'a b', 'ä', 'a\\b', 'a\0', 'a~', 'a%2e', 'a\n',
];
const ABORTED_SIZE = 1024 * 1024;

/** Checks of names, cancelling, and callers at the same time. */
export const safetyChecks: readonly ConformanceCheck[] = [
  {
    name: 'every allowed name can be used',
    async run(storage, helper) {
      const room = 512 - helper.name('').length;
      const long = `${'l'.repeat(254)}/${'m'.repeat(room - 255)}`;
      const names = ['abcdefghijklmnopqrstuvwxyz.0123456789_-', '...', '.a', '-', '_', long].map(helper.name);
      for (const name of names) {
        const bytes = helper.bytes(20);
        await storage.put(name, [bytes]);
        requireSameBytes(await storage.get(name), bytes, `get of "${name}"`);
      }
      requireSameNames(await listedNames(storage, helper.name('')), names.toSorted(), 'list of unusual names');
    },
  },
  {
    name: 'a name outside the rules is refused by every call',
    async run(storage, helper) {
      const folder = helper.name('names');
      const below = BAD_NAMES.map((bad) => `${folder}/${bad}`);
      const names = [...below, '', '..', '../a', '/a', `${folder}/${'n/'.repeat(256)}n`];
      for (const name of names) await refusesName(storage, name);
      await storage.put(`${folder}/after`, [helper.bytes(1)]);
      requireSameNames(await listedNames(storage, folder), [`${folder}/after`], 'list after puts under bad names');
    },
  },
  {
    name: 'a call whose signal is aborted rejects with its reason and has no effect',
    async run(storage, helper) {
      const name = helper.name('object');
      const bytes = helper.bytes(100);
      await storage.put(name, [bytes]);
      const reason = new Error('the caller stopped');
      const signal = AbortSignal.abort(reason);
      const calls: Record<string, () => Promise<unknown>> = {
        get: () => storage.get(name, { signal }),
        put: () => storage.put(name, [helper.bytes(50)], { signal }),
        'put of a new object': () => storage.put(helper.name('new'), [bytes], { signal }),
        list: () => storage.list(helper.name(''), { signal }),
        delete: () => storage.delete(name, { signal }),
        stat: () => storage.stat(name, { signal }),
      };
      for (const [what, call] of Object.entries(calls)) {
        const error = await rejectionOf(call, `${what} with an aborted signal`);
        requireThat(error === reason, `${what} with an aborted signal did not reject with the signal's reason`);
      }
      requireSameBytes(await storage.get(name), bytes, 'get after aborted calls');
      requireSameNames(await listedNames(storage, helper.name('')), [name], 'list after aborted calls');
    },
  },
  {
    name: 'a put that is aborted on the way leaves the whole object or none',
    async run(storage, helper) {
      for (let round = 0; round < ROUNDS; round++) {
        const name = helper.name(`round-${round}`);
        await abortedPut(storage, helper, name, round);
      }
    },
  },
  {
    name: 'readers and writers at the same time see whole objects only',
    async run(storage, helper) {
      const name = helper.name('contended');
      // Each version has one byte value and a length of its own.
      const versions = [1, 2, 3, 4].map((value) => new Uint8Array(value * 100_000).fill(value));
      await storage.put(name, versions.slice(0, 1));
      const read = async (): Promise<void> => {
        const bytes = await storage.get(name);
        const expected = versions[(bytes[0] ?? 0) - 1];
        requireThat(expected !== undefined, 'a get during puts of the same name gave none of the versions');
        requireSameBytes(bytes, expected, 'a get during puts of the same name');
      };
      for (let round = 0; round < ROUNDS; round++) {
        const writes = versions.map((version) => storage.put(name, [version]));
        await allOf([...writes, ...versions.map(read), ...versions.map(read)]);
        await read();
      }
      requireSameNames(await listedNames(storage, helper.name('')), [name], 'list after puts of one name');
    },
  },
  {
    name: 'puts and deletes at the same time do not disturb each other',
    async run(storage, helper) {
      const other = await helper.reopen();
      const names = Array.from({ length: 60 }, (_, i) => helper.name(`f${i % 7}/o${String(i).padStart(2, '0')}`));
      const contents = new Map(names.map((name) => [name, helper.bytes(500)]));
      // Every third is put, deleted and put again, so that folders become empty while others fill them.
      const work = [...contents].map(async ([name, bytes], i) => {
        const by = i % 2 === 0 ? storage : other;
        await by.put(name, [bytes]);
        if (i % 3 !== 0) return;
        await by.delete(name);
        await by.put(name, [bytes]);
      });
      await allOf(work);
      requireSameNames(await listedNames(storage, helper.name('')), names.toSorted(), 'list after 60 puts at once');
      for (const [name, bytes] of contents) requireSameBytes(await other.get(name), bytes, 'get after 60 puts at once');
    },
  },
  {
    name: 'what was put is there for another process',
    without: NO_PRUNE,
    async run(storage, helper) {
      const bytes = helper.bytes(1000);
      await storage.put(helper.name('durable'), [bytes]);
      const other = await helper.reopen();
      requireSameBytes(await other.get(helper.name('durable')), bytes, 'get by another process');
    },
  },
  {
    name: "the caller's buffers and the stored bytes are not tied together",
    async run(storage, helper) {
      const name = helper.name('apart');
      const given = helper.bytes(100);
      const original = given.slice();
      await storage.put(name, [given]);
      given.fill(0);
      const taken = await storage.get(name);
      requireSameBytes(taken, original, 'get after the caller used its buffer again');
      taken.fill(0);
      requireSameBytes(await storage.get(name), original, 'get after a reader changed what it got');
    },
  },
];

async function refusesName(storage: Storage, name: string): Promise<void> {
  const calls: Record<string, () => Promise<unknown>> = {
    get: () => storage.get(name),
    put: () => storage.put(name, [new Uint8Array(1)]),
    delete: () => storage.delete(name),
    stat: () => storage.stat(name),
  };
  for (const [what, call] of Object.entries(calls)) {
    const label = `${what} under the forbidden name ${JSON.stringify(name.slice(0, 60))}`;
    await requireError(call, 'storage/bad-name', 'never', label);
  }
}

/** Aborts after `turns` turns of the event loop, which is at another point of the put each time. */
async function abortedPut(storage: Storage, helper: ConformanceHelper, name: string, turns: number): Promise<void> {
  const bytes = helper.bytes(ABORTED_SIZE);
  const controller = new AbortController();
  const reason = new Error('the caller stopped');
  const put = storage.put(name, [bytes.subarray(0, 1000), bytes.subarray(1000)], { signal: controller.signal });
  const outcome = put.then(() => undefined, (error: unknown) => error);
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  controller.abort(reason);
  const error = await outcome;
  if (error !== undefined) helper.mayComeLate(name);
  requireThat(error === undefined || error === reason, `an aborted put rejected with another reason than the signal's`);
  const stored = await storage.get(name).catch((failure: unknown) => {
    if (isHoldfastError(failure) && failure.code === 'storage/not-found') return undefined;
    throw failure;
  });
  if (stored !== undefined) requireSameBytes(stored, bytes, 'get after an aborted put');
  else requireThat(error !== undefined, 'a put succeeded, but its object is not there');
}

/** Waits for all, also after one has failed: a put that still goes on would come after everything was taken away. */
async function allOf<T>(calls: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(calls);
  return Promise.all(calls);
}
