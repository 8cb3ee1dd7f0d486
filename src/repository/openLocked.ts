import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import type { Clock } from '../runtime/index.ts';
import { noLocks, type ObjectLocks, type Storage } from '../storage/index.ts';
import { isCopy } from './copyMarker.ts';
import { EpochStorage } from './epochStorage.ts';
import type { Keyring } from './keyring.ts';
import { keepsLocked } from './lockEnds.ts';
import { LockingStorage } from './lockingStorage.ts';
import { readLockSetting, writeLockSetting, type LockSetting } from './lockSetting.ts';
import { names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isUnreadable } from './sealedObject.ts';

/**
 * The place as a repository there is to be read before its keys are known: where it has ever been locked, what is locked is seen
 * whatever somebody put on top of it.
 */
export async function seeLocked(storage: Storage, clock: Clock, signal?: AbortSignal): Promise<Storage> {
  const { locks } = storage;
  if (!locks) return storage;
  const options = signal ? { signal } : {};
  const found = (await storage.list(names.lock(''), { limit: 1, ...options })).objects.length > 0 || await isHiding(locks, signal);
  return found ? new LockingStorage(storage, locks, clock) : storage;
}

/** Keys that may not ask for locks can have set none. */
async function isHiding(locks: ObjectLocks, signal?: AbortSignal): Promise<boolean> {
  try {
    if (!(await locks.state({ signal })).available) return false;
    return (await locks.versions(names.lock(''), { limit: 2, signal })).objects.length > 0;
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'storage/denied') return false;
    throw error;
  }
}

/** The same with the repository's setting, by which what is put is locked. One that cannot be read stops backups ({@link refuseLostLock}), not restores. */
export async function withLockSetting(seen: Storage, keyring: Keyring, clock: Clock, signal?: AbortSignal): Promise<Storage> {
  if (!(seen instanceof LockingStorage)) return seen;
  try {
    const setting = await readLockSetting(seen, keyring, signal);
    return setting ? seen.with(setting, clock) : seen;
  } catch (error) {
    if (isUnreadable(error)) return seen;
    throw error;
  }
}

/** A place that is to be locked from now on. Errors: `storage/no-lock`. */
export async function lockingFrom(storage: Storage, setting: LockSetting, clock: Clock, signal?: AbortSignal): Promise<LockingStorage> {
  if (storage instanceof LockingStorage) return storage.with(setting, clock);
  const { locks, location } = storage;
  if (!locks || !(await locks.state({ signal })).available) throw noLocks(location);
  return new LockingStorage(storage, locks, clock, setting);
}

/** From now on what is put is locked, and the next run of each entity locks all that its snapshot needs. Errors: `storage/no-lock`. */
export async function lockRepository(context: RepositoryContext, setting: LockSetting, signal?: AbortSignal): Promise<void> {
  const storage = await lockingFrom(placeOf(context), setting, context.clock, signal);
  await writeLockSetting(storage, setting, context, signal);
}

function placeOf({ storage }: RepositoryContext): Storage {
  return storage instanceof EpochStorage ? storage.place : storage;
}

/** What locks the objects of an open repository and sees what is locked; undefined where nothing ever was. */
export function lockingOf(context: RepositoryContext): LockingStorage | undefined {
  const place = placeOf(context);
  return place instanceof LockingStorage ? place : undefined;
}

/** How the repository is locked; undefined: it is not. */
export function lockSettingOf(context: RepositoryContext): LockSetting | undefined {
  return lockingOf(context)?.setting;
}

/** Whether what manifests say of their locks is so in this place. In a copy it is said of the source. */
export async function holdsLocks(context: RepositoryContext, signal?: AbortSignal): Promise<boolean> {
  return lockSettingOf(context) !== undefined && !(await isCopy(context, signal));
}

/**
 * Until when nobody can delete the object, in milliseconds since 1970; undefined: it can be deleted now. Who deletes from a repository asks this
 * first, or is refused by `storage/locked`.
 */
export async function lockedUntil({ storage }: RepositoryContext, name: string, signal?: AbortSignal): Promise<number | undefined> {
  return keepsLocked(storage) ? storage.lockedUntil(name, signal) : undefined;
}

/** The same repository, where what is put is not locked: for what its author may have to take back at once. {@link holdLocked} locks it when it stays. */
export function withoutLocks(context: RepositoryContext): RepositoryContext {
  const locking = lockingOf(context);
  return locking ? { ...context, storage: new EpochStorage(locking.with(undefined, context.clock), context.keyring) } : context;
}

/** Locks an object that was put without, where the repository is locked. */
export async function holdLocked(context: RepositoryContext, name: string, signal?: AbortSignal): Promise<void> {
  const locking = lockingOf(context);
  if (locking?.setting) await locking.hold(name, locking.setting, signal);
}

/** A run whose predecessor was locked must not go on without a lock because somebody took the setting away. Throws `repository/lock-lost`. */
export async function refuseLostLock(context: RepositoryContext, signal?: AbortSignal): Promise<void> {
  const { storage } = context;
  if (lockSettingOf(context) || !storage.locks) return;
  // A copy in a place without locks has snapshots that were locked elsewhere.
  if (!(await storage.locks.state({ signal })).available) return;
  throw new HoldfastError('repository/lock-lost', 'input',
    `The last snapshot was locked, and the record that says how is not to be found at ${storage.location}. Run 'holdfast check' to see whether somebody hid it; `
    + `'holdfast repo lock' sets the lock again.`, { data: { location: storage.location } });
}
