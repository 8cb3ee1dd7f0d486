import type { Storage } from '../storage/index.ts';

/** A storage that keeps objects until their locks have ended. */
interface LockKeeper extends Storage {
  /** Milliseconds since 1970; undefined where nothing holds the object. */
  lockedUntil(name: string, signal?: AbortSignal): Promise<number | undefined>;
}

/** A storage that keeps what is locked under what was put over it. */
interface VersionKeeper extends Storage {
  /** The bytes of each version that is locked, the oldest first, where there is more than one that they could be. */
  lockedVersionsOf(name: string, signal?: AbortSignal): AsyncGenerator<Uint8Array>;
}

export function keepsVersions(storage: Storage): storage is VersionKeeper {
  return 'lockedVersionsOf' in storage && typeof storage.lockedVersionsOf === 'function';
}

/** Whether an object there may be kept for a while whatever anybody does. */
export function keepsLocked(storage: Storage): storage is LockKeeper {
  return 'lockedUntil' in storage && typeof storage.lockedUntil === 'function';
}
