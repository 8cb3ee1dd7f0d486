import { InterceptedStorage } from './interceptedStorage.ts';
import type { StorageCall, StorageOperation } from './interceptedStorage.ts';

/** What was asked of a storage by one kind of call. */
export interface OperationCount {
  requests: number;
  /** Of the requests, those that were rejected. */
  failed: number;
  /** Bytes that successful gets gave, or successful puts sent. */
  bytes: number;
}

export type StorageCounts = Record<StorageOperation, OperationCount>;

/** Counts the calls that pass through it. */
export class CountingStorage extends InterceptedStorage {
  #counts = noCounts();

  /** A copy of the counts since the start or the last {@link reset}. */
  get counts(): StorageCounts {
    return structuredClone(this.#counts);
  }

  /** All calls of all kinds since the start or the last {@link reset}. */
  get requests(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count.requests, 0);
  }

  reset(): void {
    this.#counts = noCounts();
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    const count = this.#counts[call.operation];
    count.requests++;
    try {
      const result = await run();
      if (result instanceof Uint8Array) count.bytes += result.length;
      else if (call.operation === 'put') count.bytes += call.bytes;
      return result;
    } catch (error) {
      count.failed++;
      throw error;
    }
  }
}

function noCounts(): StorageCounts {
  const none = (): OperationCount => ({ requests: 0, failed: 0, bytes: 0 });
  return { get: none(), put: none(), list: none(), delete: none(), stat: none(), lock: none(), inspect: none() };
}
