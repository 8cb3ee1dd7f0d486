import { isHoldfastError } from '../domain/index.ts';
import { sleep, timeOrderedId, type Clock, type RandomBytes } from '../runtime/index.ts';
import type { ConformanceResult } from './conformance.ts';
import { requireError, requireSameBytes, requireThat } from './conformanceCheck.ts';
import type { Storage } from './contract.ts';
import type { ObjectLocks } from './objectLocks.ts';

/** Time of the lock on what is tried with, unless told; made longer by a half. It must outlast the requests of the trial, and is waited for. */
const LOCK_MS = 60_000;
/** The clock of the service may be behind; then it is tried again. */
const MOST_WAIT_MS = 60_000;
const PAUSE_MS = 1000;

export interface LockTrialOptions {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly signal: AbortSignal;
  /** How long the lock is. */
  readonly lockMs?: number | undefined;
}

interface Trial {
  readonly storage: Storage;
  readonly locks: ObjectLocks;
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
  /** When the first lock ends, and the longer one. */
  readonly until: number;
  readonly extended: number;
}

interface LockCheck {
  readonly name: string;
  run(trial: Trial): Promise<void>;
}

/** Without the locks that it promises, a place is as good as any other one. */
const NO_LOCK = 'Repositories can be there; make none with a lock: it would not hold.';

const CHECKS: readonly LockCheck[] = [
  {
    name: 'what is put with a lock is locked, and says until when',
    async run({ locks, name, version, until }) {
      const lock = await locks.lockOf(name, version);
      requireThat(lock?.mode === 'compliance' && lock.until >= until, `an object that was put with a lock says that it is ${lock ? `locked until ${new Date(lock.until).toISOString()} (${lock.mode})` : 'not locked'}`);
    },
  },
  {
    name: 'a lock can be made longer',
    async run({ locks, name, version, extended }) {
      await locks.lock(name, version, { mode: 'compliance', until: extended });
    },
  },
  {
    name: 'the own credentials cannot delete what is locked',
    async run({ locks, name, version }) {
      await requireError(() => locks.remove(name, version), 'storage/locked', 'input', 'removing a locked version');
    },
  },
  {
    name: 'the own credentials cannot make a lock shorter or weaker',
    async run({ locks, name, version, until }) {
      for (const mode of ['compliance', 'governance'] as const) {
        await requireError(() => locks.lock(name, version, { mode, until }), 'storage/locked', 'input', 'shortening a lock');
      }
    },
  },
  {
    name: 'what is locked can be read under the mark of a deletion, and under what was put over it',
    async run({ storage, locks, name, version, bytes }) {
      await storage.put(name, [Buffer.from('something else')]);
      await storage.delete(name);
      requireSameBytes(await locks.read(name, version), bytes, 'reading a locked version');
      const { objects } = await locks.versions(name);
      requireThat(objects[0]?.deleted === true && objects[0].versions.at(-1)?.id === version, 'the listing of versions does not show what was put and deleted');
    },
  },
];

/**
 * Tries whether a place that has object lock keeps what it promises: with the own credentials, on an object of its own, which it takes away when
 * its lock of a few seconds has ended.
 */
export async function* tryLocks(storage: Storage, locks: ObjectLocks, { clock, random, signal, lockMs = LOCK_MS }: LockTrialOptions): AsyncGenerator<ConformanceResult, void, undefined> {
  const now = clock.now();
  const name = `storage-test-${timeOrderedId(now, random)}/locked`;
  const bytes = new Uint8Array(random(1000));
  const until = now + lockMs;
  const error: unknown = await storage.put(name, [bytes], { signal, lock: { mode: 'compliance', until } }).then(() => undefined, (failure: unknown) => failure);
  const version = (await locks.versions(name, { signal })).objects[0]?.versions.at(-1)?.id;
  if (error !== undefined || version === undefined) {
    yield { name: 'an object can be locked', error: error ?? new Error('nothing was put'), without: NO_LOCK };
    if (version !== undefined) await locks.remove(name, version, { signal });
    return;
  }
  const trial: Trial = { storage, locks, name, version, bytes, until, extended: now + Math.ceil(lockMs * 1.5) };
  for (const check of CHECKS) {
    signal.throwIfAborted();
    const caught: unknown = await check.run(trial).then(() => undefined, (error: unknown) => error);
    // A lock that has ended holds nothing, as it should.
    const failure = caught !== undefined && clock.now() >= until ? tooSlow(lockMs, caught) : caught;
    yield { name: check.name, error: failure, ...(failure !== undefined && { without: NO_LOCK }) };
  }
  await clear(trial, clock, signal);
}

function tooSlow(lockMs: number, cause: unknown): Error {
  return new Error(`This was not found out: the answers came so late that the lock of ${Math.round(lockMs / 1000)} seconds had ended. Try again with a longer one.`, { cause });
}

async function clear({ locks, name, extended }: Trial, clock: Clock, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, extended + PAUSE_MS - clock.now()), signal);
  for (const ends = clock.now() + MOST_WAIT_MS; ;) {
    try {
      for (const { versions, deletions } of (await locks.versions(name, { signal })).objects) {
        for (const id of [...versions.map((version) => version.id), ...deletions]) await locks.remove(name, id, { signal });
      }
      return;
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'storage/locked' || clock.now() > ends) throw error;
      await sleep(PAUSE_MS, signal);
    }
  }
}
