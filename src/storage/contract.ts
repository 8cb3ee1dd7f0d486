import type { Lock, ObjectLocks } from './objectLocks.ts';

/** One stored object as listing shows it. */
export interface ObjectInfo {
  readonly name: string;
  readonly size: number;
}

export interface ListPage {
  /** In ascending byte order of name. */
  readonly objects: readonly ObjectInfo[];
  /** Give it as `after` for the next page; undefined on the last. */
  readonly next?: string;
}

/** A byte range of an object: `length` bytes from `offset`; negative `offset` counts from the end, as HTTP suffix ranges do. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

export interface PutOptions {
  readonly signal?: AbortSignal;
  readonly lock?: Lock;
}

/**
 * A dumb bucket of immutable objects. Names are '/'-separated segments of [a-z0-9._-], at most 512 characters.
 *
 * Every implementation guarantees (its conformance suite, `conformance.ts`, tries each of these):
 * - `put` is atomic and durable: when it has returned, the whole object survives a crash; when it throws, the
 *   object is there whole or not at all. It replaces what stood under the name.
 * - `get` returns exactly the bytes that one `put` gave. A range past the end gives what there is; an offset at or
 *   after the end gives zero bytes. A missing object: {@link HoldfastError} `storage/not-found`, class `never`.
 * - `list` is consistent: it shows each object whose `put` returned before the call and none whose `delete` did.
 * - `delete` of a missing object succeeds.
 * Other failures: `storage/unavailable` (class retry: try again), `storage/full`, `storage/denied` (class input), `storage/read-only`.
 * Every call takes an AbortSignal and rejects with its reason when it is aborted.
 */
export interface Storage {
  /** Where this is, for messages: an URL without secrets. */
  readonly location: string;
  /** Undefined: nothing can be locked here. Where it is there, {@link ObjectLocks.state} tells whether this place was set up for it. */
  readonly locks?: ObjectLocks | undefined;
  /**
   * Whether listings show at once what was put and deleted, as this contract asks. Undefined: so it is promised. `unproved`: by nobody. `late`: the service
   * itself says that they may lag. Where they do, backups and restores work, and prune must not run.
   */
  readonly listing?: 'unproved' | 'late' | undefined;
  get(name: string, options?: { range?: Range; signal?: AbortSignal }): Promise<Uint8Array>;
  /**
   * `parts` are written one after another; they are not changed by the caller until the promise settles. With a `lock`, which only
   * places with {@link Storage.locks} take, what was put is locked when the promise resolves: it was read back.
   */
  put(name: string, parts: readonly Uint8Array[], options?: PutOptions): Promise<void>;
  /** Objects whose name starts with `prefix` and sorts after `after`. Pages hold at most `limit` (default 1000). */
  list(prefix: string, options?: { after?: string; limit?: number; signal?: AbortSignal }): Promise<ListPage>;
  delete(name: string, options?: { signal?: AbortSignal }): Promise<void>;
  /** undefined where there is no such object. */
  stat(name: string, options?: { signal?: AbortSignal }): Promise<ObjectInfo | undefined>;
}
