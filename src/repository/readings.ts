import type { Storage } from '../storage/index.ts';
import { keepsVersions } from './lockEnds.ts';

/**
 * What may be the bytes of an object that somebody may have put something over: first what readers get, then each version that is locked, the oldest
 * first. The caller tells by the bytes which are the author's. Throws `storage/not-found`.
 */
export async function* readings(storage: Storage, name: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  yield await storage.get(name, signal ? { signal } : {});
  if (keepsVersions(storage)) yield* storage.lockedVersionsOf(name, signal);
}

/** The first of them for which `read` does not throw what `passOver` lets pass; else what it threw first. */
export async function firstReading<T>(
  storage: Storage, name: string, { read, passOver, signal }: { read: (bytes: Uint8Array) => T; passOver: (error: unknown) => boolean; signal?: AbortSignal | undefined },
): Promise<T> {
  let failure: unknown;
  for await (const bytes of readings(storage, name, signal)) {
    try {
      return read(bytes);
    } catch (error) {
      if (!passOver(error)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}
