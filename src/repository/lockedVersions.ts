import type { Lock, LockMode, ObjectLocks, ObjectVersion, VersionedObject } from '../storage/index.ts';
import { isReplaceable } from './lockable.ts';

/** Everything that is kept under one name; undefined where nothing is. */
export async function versionsOf(locks: ObjectLocks, name: string, signal?: AbortSignal): Promise<VersionedObject | undefined> {
  const { objects } = await locks.versions(name, { limit: 2, signal });
  return objects.find((object) => object.name === name);
}

/** The version that an object's author put, and its lock. */
export interface OwnVersion {
  readonly version: ObjectVersion;
  readonly lock: Lock | undefined;
}

/**
 * Names are put once, with a lock: the oldest version that is still locked is the author's, whoever put what on top of it. Of names that
 * are put again it is the newest locked one, and somebody else's for all that is known here. undefined: no version is locked at `now`.
 */
export async function lockedVersion(locks: ObjectLocks, object: VersionedObject, now: number, signal?: AbortSignal): Promise<OwnVersion | undefined> {
  const versions = isReplaceable(object.name) ? object.versions : object.versions.toReversed();
  for (const version of versions) {
    const lock = await locks.lockOf(object.name, version.id, { signal });
    if (lock && lock.until > now) return { version, lock };
  }
  return undefined;
}

/** Whether readers get something else than the author's version: nothing, or other bytes. A put whose reply was lost is done again, and hides nothing. */
export async function isHidden(locks: ObjectLocks, { name, deleted, versions }: VersionedObject, own: ObjectVersion, signal?: AbortSignal): Promise<boolean> {
  const [newest] = versions;
  if (deleted || !newest) return true;
  if (newest.id === own.id || (newest.etag === own.etag && newest.size === own.size)) return false;
  if (newest.size !== own.size) return true;
  // Where a service encrypts with keys of its own, equal bytes have other tags.
  const [theirs, ours] = [await locks.read(name, newest.id, { signal }), await locks.read(name, own.id, { signal })];
  return !Buffer.from(ours.buffer, ours.byteOffset, ours.length).equals(theirs);
}

/** When the last lock of any version ends, where that is after `now`; `mode`: what is weaker does not count. */
export async function lastLockEnd(
  locks: ObjectLocks, name: string, { now, mode = 'governance', signal }: { now: number; mode?: LockMode | undefined; signal?: AbortSignal | undefined },
): Promise<number | undefined> {
  let last = 0;
  for (const version of (await versionsOf(locks, name, signal))?.versions ?? []) {
    const lock = await locks.lockOf(name, version.id, { signal });
    if (lock && isAsStrong(lock.mode, mode)) last = Math.max(last, lock.until);
  }
  return last > now ? last : undefined;
}

/** Nobody ends a lock of compliance early, so it does for what asks for one of governance. */
function isAsStrong(mode: LockMode, as: LockMode): boolean {
  return mode === 'compliance' || as === 'governance';
}
