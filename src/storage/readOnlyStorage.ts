import { InterceptedStorage } from './interceptedStorage.ts';
import type { StorageCall, StorageOperation } from './interceptedStorage.ts';
import { storageReadOnly } from './storageErrors.ts';

const CHANGES: ReadonlySet<StorageOperation> = new Set(['put', 'delete', 'lock'] as const);

/** Refuses put, delete and changes of locks with `storage/read-only`, before they reach the inner storage. */
export class ReadOnlyStorage extends InterceptedStorage {
  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    if (!CHANGES.has(call.operation)) return run();
    call.signal?.throwIfAborted();
    throw storageReadOnly(this.location);
  }
}
