import { retry } from '../runtime/index.ts';
import type { RetryNotice, RetryOptions } from '../runtime/index.ts';
import type { Storage } from './contract.ts';
import { InterceptedStorage } from './interceptedStorage.ts';
import type { StorageCall } from './interceptedStorage.ts';

/** As for `retry`; each call brings its own signal. */
export interface StorageRetryOptions extends Omit<RetryOptions, 'signal' | 'onRetry'> {
  /** Told before each wait, for progress displays. */
  readonly onRetry?: (call: StorageCall, notice: RetryNotice) => void;
}

/**
 * Repeats calls that fail with class `retry`, which `storage/not-found` never is. Repeating is safe although a failed
 * call may have taken effect: a put gives the same bytes again, and deleting what is gone succeeds.
 */
export class RetryingStorage extends InterceptedStorage {
  readonly #options: StorageRetryOptions;

  constructor(inner: Storage, options: StorageRetryOptions) {
    super(inner);
    this.#options = options;
  }

  protected override around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    const { onRetry, ...options } = this.#options;
    return retry(run, {
      ...options,
      ...(call.signal && { signal: call.signal }),
      ...(onRetry && { onRetry: (notice: RetryNotice) => onRetry(call, notice) }),
    });
  }
}
