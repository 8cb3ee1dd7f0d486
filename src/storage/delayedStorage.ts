import { sleep as realSleep } from '../runtime/index.ts';
import type { Sleep } from '../runtime/index.ts';
import type { Storage } from './contract.ts';
import { InterceptedStorage } from './interceptedStorage.ts';
import type { StorageCall } from './interceptedStorage.ts';

/** Waits before every call as many milliseconds as `delayMs` says for it; an abort ends the wait. */
export class DelayedStorage extends InterceptedStorage {
  readonly #delayMs: (call: StorageCall) => number;
  readonly #sleep: Sleep;

  constructor(inner: Storage, delayMs: (call: StorageCall) => number, sleep: Sleep = realSleep) {
    super(inner);
    this.#delayMs = delayMs;
    this.#sleep = sleep;
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    call.signal?.throwIfAborted();
    const delayMs = this.#delayMs(call);
    if (delayMs > 0) await this.#sleep(delayMs, call.signal);
    return run();
  }
}
