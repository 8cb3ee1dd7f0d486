import type { Storage } from './contract.ts';
import { InterceptedStorage } from './interceptedStorage.ts';
import type { StorageCall, StorageOperation } from './interceptedStorage.ts';
import { storageUnavailable } from './storageErrors.ts';

/**
 * What goes wrong. `refused`: the call fails without effect. `lost-reply`: it takes effect, and fails all the same.
 * `cut`: a get gives only the first `keep` bytes of what it should. Without `error` it is `storage/unavailable`.
 */
export type FaultEffect =
  | { readonly kind: 'refused'; readonly error?: Error }
  | { readonly kind: 'lost-reply'; readonly error?: Error }
  | { readonly kind: 'cut'; readonly keep: number };

/** One line of a script: which calls go wrong, and how. */
export interface Fault {
  readonly on: StorageOperation;
  /** Only calls on names (listings: prefixes) that start so. Default: all. */
  readonly prefix?: string;
  /** The first call that goes wrong, from 1, of those that match. Default 1. */
  readonly call?: number;
  /** How many from there on; Infinity for a lasting fault. Default 1. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

/** Fails as scripted, for tests. Where several faults hit one call, the first in the script decides. */
export class FaultyStorage extends InterceptedStorage {
  readonly #script: { fault: Fault; seen: number; fired: number }[] = [];

  constructor(inner: Storage, faults: readonly Fault[] = []) {
    super(inner);
    for (const fault of faults) this.add(fault);
  }

  /** Adds a fault, which counts calls from now on. */
  add(fault: Fault): void {
    this.#script.push({ fault, seen: 0, fired: 0 });
  }

  /** Removes all faults: from now on nothing goes wrong. */
  heal(): void {
    this.#script.length = 0;
  }

  /** How often each fault of the script has struck, so that a test can see that its faults took place. */
  get fired(): readonly number[] {
    return this.#script.map((line) => line.fired);
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    const effect = this.#strike(call);
    if (effect === undefined) return run();
    if (effect.kind === 'refused') throw effect.error ?? this.#unavailable(call, 'refused');
    const result = await run();
    if (effect.kind === 'lost-reply') throw effect.error ?? this.#unavailable(call, 'lost the reply of');
    return result instanceof Uint8Array ? (result.subarray(0, effect.keep) as T & Uint8Array) : result;
  }

  #strike(call: StorageCall): FaultEffect | undefined {
    let effect: FaultEffect | undefined;
    for (const line of this.#script) {
      const { on, prefix = '', call: first = 1, times = 1 } = line.fault;
      if (on !== call.operation || !call.name.startsWith(prefix)) continue;
      line.seen++;
      if (effect !== undefined || line.seen < first || line.seen >= first + times) continue;
      line.fired++;
      effect = line.fault.effect;
    }
    return effect;
  }

  #unavailable(call: StorageCall, verb: string): Error {
    return storageUnavailable(this.location, `a scripted fault ${verb} the ${call.operation} of "${call.name}"`);
  }
}
