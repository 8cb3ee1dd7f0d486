import type { Range } from './contract.ts';
import type { StorageCall } from './interceptedStorage.ts';
import type { Lock, LockState, ObjectLocks, VersionPage } from './objectLocks.ts';

type Around = <T>(call: StorageCall, run: () => Promise<T>) => Promise<T>;
type Call = { readonly signal?: AbortSignal | undefined };

/** The locks of a place, with something around every call. */
export class InterceptedLocks implements ObjectLocks {
  readonly #inner: ObjectLocks;
  readonly #around: Around;

  constructor(inner: ObjectLocks, around: Around) {
    this.#inner = inner;
    this.#around = around;
  }

  state(options: Call = {}): Promise<LockState> {
    return this.#around(callOf('inspect', '', options), () => this.#inner.state(options));
  }

  versions(prefix: string, options: Call & { readonly after?: string | undefined; readonly limit?: number | undefined } = {}): Promise<VersionPage> {
    return this.#around(callOf('inspect', prefix, options), () => this.#inner.versions(prefix, options));
  }

  read(name: string, version: string, options: Call & { readonly range?: Range | undefined } = {}): Promise<Uint8Array> {
    const call = { ...callOf('get', name, options), bytes: options.range?.length ?? 0 };
    return this.#around(call, () => this.#inner.read(name, version, options));
  }

  lockOf(name: string, version: string, options: Call = {}): Promise<Lock | undefined> {
    return this.#around(callOf('inspect', name, options), () => this.#inner.lockOf(name, version, options));
  }

  lock(name: string, version: string, lock: Lock, options: Call = {}): Promise<void> {
    return this.#around(callOf('lock', name, options), () => this.#inner.lock(name, version, lock, options));
  }

  remove(name: string, version: string, options: Call = {}): Promise<void> {
    return this.#around(callOf('lock', name, options), () => this.#inner.remove(name, version, options));
  }
}

function callOf(operation: StorageCall['operation'], name: string, { signal }: Call): StorageCall {
  return { operation, name, bytes: 0, signal };
}
