import { isHoldfastError } from '../domain/index.ts';
import type { Clock } from '../runtime/index.ts';
import { noLocks, type ObjectLocks, type Storage } from '../storage/index.ts';
import { EpochStorage } from './epochStorage.ts';
import type { Keyring } from './keyring.ts';
import { keepsLocked } from './lockEnds.ts';
import { LockingStorage } from './lockingStorage.ts';
import { lockLost } from './lockLost.ts';
import { newLockSetting, writeLockSetting, type LockSetting, type StoredLockSetting } from './lockSetting.ts';
import type { Manifest } from './manifest.ts';
import { names } from './names.ts';
import { lockSettingAt, readLockSetting } from './readLockSetting.ts';
import type { RepositoryContext } from './repositoryContext.ts';

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

/** Keys that may not ask for locks can have set none, nor could anybody where the service does not know the question. */
async function isHiding(locks: ObjectLocks, signal?: AbortSignal): Promise<boolean> {
  try {
    if (!(await locks.state({ signal })).available) return false;
    return (await locks.versions(names.lock(''), { limit: 2, signal })).objects.length > 0;
  } catch (error) {
    if (isUntold(error)) return false;
    throw error;
  }
}

/** The service answers, and not what was asked for. */
function isUntold(error: unknown): boolean {
  return isHoldfastError(error) && ['storage/denied', 'storage/refused', 'storage/not-found', 'storage/read-only'].includes(error.code);
}

/**
 * The same with the repository's setting, by which what is put is locked. Where none can be read nothing is put that would have to be locked
 * (`repository/lock-lost`); what is there is read all the same.
 */
export async function withLockSetting(seen: Storage, keyring: Keyring, signal?: AbortSignal): Promise<Storage> {
  if (!(seen instanceof LockingStorage)) return seen;
  const found = await readLockSetting(seen, keyring, signal);
  return seen.with({ ...found, lost: !found.setting && await mayLock(seen.versions, signal) });
}

/** Where it is not told, it may be. */
async function mayLock(locks: ObjectLocks, signal?: AbortSignal): Promise<boolean> {
  try {
    return (await locks.state({ signal })).available;
  } catch (error) {
    if (isUntold(error)) return true;
    throw error;
  }
}

/** A place that is to be locked from now on. Errors: `storage/no-lock`. */
export async function lockingFrom(storage: Storage, setting: StoredLockSetting, clock: Clock, signal?: AbortSignal): Promise<LockingStorage> {
  if (storage instanceof LockingStorage) return storage.with({ setting });
  const { locks, location } = storage;
  if (!locks || !(await locks.state({ signal })).available) throw noLocks(location);
  return new LockingStorage(storage, locks, clock, { setting });
}

/** From now on what is put is locked, and the next run of each entity locks all that its snapshot needs. Errors: `storage/no-lock`. */
export async function lockRepository(context: RepositoryContext, setting: LockSetting, signal?: AbortSignal): Promise<void> {
  const stored = newLockSetting(setting, context);
  const storage = await lockingFrom(placeOf(context), stored, context.clock, signal);
  await writeLockSetting(storage, stored, context, signal);
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
  const setting = lockingOf(context)?.setting;
  return setting && { mode: setting.mode, days: setting.days };
}

/** What a person should know of the setting; one sentence each. */
export function lockWarnings(context: RepositoryContext): string[] {
  return (lockingOf(context)?.unreadable ?? []).map((name) =>
    `${name} cannot be read: somebody damaged the record that says how the repository is locked, or put it there. An older one counts; run 'holdfast check'.`);
}

/** What a manifest says of its lock, where it says it of this place: in a copy, also one that was made independent, it is said of another one. */
export async function lockHere(context: RepositoryContext, { lock }: Pick<Manifest, 'lock'>, signal?: AbortSignal): Promise<Manifest['lock']> {
  const locking = lockingOf(context);
  if (!lock || !locking?.setting) return undefined;
  if (lock.setting === locking.setting.id) return lock;
  const here = locking.settings.get(lock.setting) ?? await lockSettingAt(context.storage, context.keyring, names.lock(lock.setting), signal) !== undefined;
  locking.settings.set(lock.setting, here);
  return here ? lock : undefined;
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
  return locking ? { ...context, storage: new EpochStorage(locking.with({}), context.keyring) } : context;
}

/** The same repository, where what is put is locked as long and as firmly as some objects are. */
export async function lockingAsLongAs(context: RepositoryContext, names: readonly string[], signal?: AbortSignal): Promise<RepositoryContext> {
  const locking = lockingOf(context);
  return locking ? { ...context, storage: new EpochStorage(await locking.asLongAs(names, signal), context.keyring) } : context;
}

/** Locks an object that was put without, where the repository is locked. */
export async function holdLocked(context: RepositoryContext, name: string, signal?: AbortSignal): Promise<void> {
  const locking = lockingOf(context);
  if (locking?.setting) await locking.hold(name, locking.setting, signal);
}

/** What is put here would have to be locked, and nothing says how. Throws `repository/lock-lost`. */
export function refuseLost(context: RepositoryContext): void {
  if (lockingOf(context)?.lost === true) throw lockLost(context.storage.location);
}

/** A run whose predecessor was locked must not go on without a lock because somebody took the setting away. Throws `repository/lock-lost`. */
export async function refuseLostLock(context: RepositoryContext, predecessor: Manifest | undefined, signal?: AbortSignal): Promise<void> {
  const { storage } = context;
  refuseLost(context);
  if (lockSettingOf(context) || !predecessor?.lock || !storage.locks) return;
  // A copy that was made independent, in a place without locks, has snapshots that were locked elsewhere.
  if ((await storage.locks.state({ signal })).available) throw lockLost(storage.location);
}
