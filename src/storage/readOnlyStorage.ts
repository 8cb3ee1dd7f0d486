import { InterceptedStorage } from './interceptedStorage.ts';
import type { StorageCall } from './interceptedStorage.ts';
import { storageReadOnly } from './storageErrors.ts';

/** Refuses put and delete with `storage/read-only`, before they reach the inner storage. */
export class ReadOnlyStorage extends InterceptedStorage {
  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    if (call.operation !== 'put' && call.operation !== 'delete') return run();
    call.signal?.throwIfAborted();
    throw storageReadOnly(this.location);
  }
}
