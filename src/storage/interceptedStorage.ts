import type { ListPage, ObjectInfo, PutOptions, Range, Storage } from './contract.ts';
import { InterceptedLocks } from './interceptedLocks.ts';
import type { ObjectLocks } from './objectLocks.ts';

/** `lock` changes locks or versions; `inspect` only asks for them. */
export type StorageOperation = 'get' | 'put' | 'list' | 'delete' | 'stat' | 'lock' | 'inspect';

/** One call on a storage, as wrappers see it. */
export interface StorageCall {
  readonly operation: StorageOperation;
  /** The object's name; the prefix of a listing. */
  readonly name: string;
  /** Bytes that the call sends (put) or asks for (get with a range); 0 where that is not known. */
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
}

/** A storage that does something around every call on another one. */
export abstract class InterceptedStorage implements Storage {
  protected readonly inner: Storage;

  constructor(inner: Storage) {
    this.inner = inner;
  }

  get location(): string {
    return this.inner.location;
  }

  get listing(): Storage['listing'] {
    return this.inner.listing;
  }

  get locks(): ObjectLocks | undefined {
    const { locks } = this.inner;
    return locks && new InterceptedLocks(locks, (call, run) => this.around(call, run));
  }

  /** `run` makes the call on the inner storage; it may be called never, once, or again. */
  protected abstract around<T>(call: StorageCall, run: () => Promise<T>): Promise<T>;

  get(name: string, options: { range?: Range; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    const call = { operation: 'get', name, bytes: options.range?.length ?? 0, signal: options.signal } as const;
    return this.around(call, () => this.inner.get(name, options));
  }

  put(name: string, parts: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const call = { operation: 'put', name, bytes, signal: options.signal } as const;
    return this.around(call, () => this.inner.put(name, parts, options));
  }

  list(prefix: string, options: { after?: string; limit?: number; signal?: AbortSignal } = {}): Promise<ListPage> {
    const call = { operation: 'list', name: prefix, bytes: 0, signal: options.signal } as const;
    return this.around(call, () => this.inner.list(prefix, options));
  }

  delete(name: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    const call = { operation: 'delete', name, bytes: 0, signal: options.signal } as const;
    return this.around(call, () => this.inner.delete(name, options));
  }

  stat(name: string, options: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    const call = { operation: 'stat', name, bytes: 0, signal: options.signal } as const;
    return this.around(call, () => this.inner.stat(name, options));
  }
}
