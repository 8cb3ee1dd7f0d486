import type { Storage } from '../storage/index.ts';

/** A storage that keeps objects until their locks have ended. */
interface LockKeeper extends Storage {
  /** Milliseconds since 1970; undefined where nothing holds the object. */
  lockedUntil(name: string, signal?: AbortSignal): Promise<number | undefined>;
}

/** Whether an object there may be kept for a while whatever anybody does. */
export function keepsLocked(storage: Storage): storage is LockKeeper {
  return 'lockedUntil' in storage && typeof storage.lockedUntil === 'function';
}
