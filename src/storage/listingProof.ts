import { timeOrderedId, type Clock, type RandomBytes } from '../runtime/index.ts';
import { listedNames } from './conformanceCheck.ts';
import type { Storage } from './contract.ts';
import { listAll } from './listAll.ts';

/** A listing that lags does so now and then: few tries find out a service that always does, and some of the others. */
const ROUNDS = 6;
/** What all names begin with that trials put. */
const TRIALS = 'storage-test-';
const DAY = 86_400_000;

/**
 * Tries whether listings and gets show at once what was put, and no more what was deleted: with a few small objects below a new prefix, which go
 * again. @returns what was seen that should not be, as a clause; undefined where all was as it should.
 */
export async function seeLateListing(
  storage: Storage, { clock, random, signal }: { readonly clock: Clock; readonly random: RandomBytes; readonly signal?: AbortSignal | undefined },
): Promise<string | undefined> {
  await sweep(storage, clock.now(), signal);
  const prefix = `${TRIALS}${timeOrderedId(clock.now(), random)}/`;
  const options = signal ? { signal } : {};
  const put: string[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const name = `${prefix}${round}`;
      put.push(name);
      await storage.put(name, [random(16)], options);
      if (!(await listedNames(storage, prefix)).includes(name)) return 'a listing did not show an object right after its put';
      if (!(await storage.stat(name, options))) return 'an object was not there right after its put';
      if (round % 2 === 0) continue;
      await storage.delete(name, options);
      if ((await listedNames(storage, prefix)).includes(name)) return 'a listing still showed an object right after its delete';
    }
    return undefined;
  } finally {
    for (const name of put) await storage.delete(name);
  }
}

/** Takes away what trials have left that were killed. */
async function sweep(storage: Storage, now: number, signal: AbortSignal | undefined): Promise<void> {
  const options = signal ? { signal } : {};
  for await (const { name } of listAll(storage, TRIALS, options)) {
    // An id begins with its time.
    const made = Number.parseInt(name.slice(TRIALS.length, TRIALS.length + 12), 16);
    if (now - made > DAY) await storage.delete(name, options);
  }
}
