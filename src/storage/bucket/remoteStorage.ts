import { isHoldfastError, HoldfastError } from '../../domain/index.ts';
import { checkRange, resolveRange } from '../byteRange.ts';
import type { ListPage, ObjectInfo, Range, Storage } from '../contract.ts';
import { pageLimit } from '../listPage.ts';
import { checkObjectName, checkPrefix, isNameSegment } from '../objectName.ts';
import type { KeyPage, RemoteBucket, RemoteOperation } from './remoteBucket.ts';
import { objectNotFound, storageUnavailable } from '../storageErrors.ts';
import { SilentServer, watchedCall } from './watchedCall.ts';
import type { Watch } from './watchedCall.ts';

/** What services give in one page at most. */
const LARGEST_PAGE = 1000;
/** The first character of those that names are made of: `after` with it is the first name behind `after`. */
const FIRST_CHARACTER = '-';
const QUIET_MS = 60_000;

export interface RemoteStorageOptions {
  /** How long a server may be silent, while connecting or later. Default: one minute. */
  readonly quietMs?: number;
}

/**
 * The storage contract over a bucket: names below a prefix, ranges, pages, bounded waits. Tries each call once:
 * repeating is the business of `RetryingStorage` alone.
 *
 * A put or delete that was aborted or broke off may still take effect a moment later: its request cannot be called back.
 */
export class RemoteStorage implements Storage {
  readonly #bucket: RemoteBucket;
  readonly #folder: string;
  readonly #quietMs: number;

  /** `prefix`: '' or the folder of the repository, without a '/' at its end. */
  constructor(bucket: RemoteBucket, prefix: string, { quietMs = QUIET_MS }: RemoteStorageOptions = {}) {
    this.#bucket = bucket;
    this.#folder = prefix === '' ? '' : `${prefix}/`;
    this.#quietMs = quietMs;
  }

  get location(): string {
    return this.#bucket.location;
  }

  async get(name: string, { range, signal }: { range?: Range; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    signal?.throwIfAborted();
    checkObjectName(name);
    checkRange(range);
    return this.#call({ verb: 'read', name }, signal, (watch) => this.#read(name, range, watch));
  }

  async put(name: string, parts: readonly Uint8Array[], { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    checkObjectName(name);
    await this.#call({ verb: 'write', name }, signal, (watch) => this.#bucket.write(this.#folder + name, parts, watch));
  }

  /** Leaves out what no put can have made, like the folder marks of consoles. */
  async list(
    prefix: string,
    { after = '', limit, signal }: { after?: string; limit?: number; signal?: AbortSignal } = {},
  ): Promise<ListPage> {
    signal?.throwIfAborted();
    checkPrefix(prefix);
    const size = Math.min(pageLimit(limit), LARGEST_PAGE);
    if (after > prefix && !after.startsWith(prefix)) return { objects: [] };
    const from = after.startsWith(prefix) && after !== '' ? this.#folder + after + FIRST_CHARACTER : undefined;
    return this.#call({ verb: 'list', name: prefix }, signal, async (watch) => {
      let page: KeyPage = { keys: [], page: undefined };
      for (;;) {
        const last = page.page;
        page = await this.#bucket.list({ prefix: this.#folder + prefix, from, limit: size, page: last }, watch);
        watch.progress();
        const objects = this.#namesAfter(page, after);
        const end = objects.at(-1);
        if (page.page === undefined) return { objects };
        if (end !== undefined) return { objects, next: end.name };
        if (page.page === last) throw storageUnavailable(this.location, 'its listing does not come to an end');
      }
    });
  }

  async delete(name: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    checkObjectName(name);
    await this.#call({ verb: 'delete', name }, signal, (watch) => this.#bucket.remove(this.#folder + name, watch));
  }

  async stat(name: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    signal?.throwIfAborted();
    checkObjectName(name);
    return this.#call({ verb: 'look at', name }, signal, async (watch) => {
      const state = await this.#bucket.look(this.#folder + name, watch);
      return state && { name, size: state.size };
    });
  }

  async #read(name: string, range: Range | undefined, watch: Watch): Promise<Uint8Array> {
    const key = this.#folder + name;
    if (range === undefined) return this.#bucket.read(key, undefined, watch);
    const { offset, length } = range;
    if (offset >= 0 && length > 0) return this.#bucket.read(key, { start: offset, end: offset + length }, watch);
    if (offset < 0 && length >= -offset && this.#bucket.readEnd) return this.#bucket.readEnd(key, -offset, watch);
    // Two requests: the size, then the bytes of the object that had it.
    const state = await this.#bucket.look(key, watch);
    if (state === undefined) throw objectNotFound(this.location, name);
    const { start, end } = resolveRange(range, state.size);
    if (start >= end) return new Uint8Array();
    return this.#bucket.read(key, { start, end, version: state.version }, watch);
  }

  #namesAfter({ keys }: KeyPage, after: string): ObjectInfo[] {
    const objects: ObjectInfo[] = [];
    let last = '';
    for (const { key, size } of keys) {
      const name = key.slice(this.#folder.length);
      if (name <= last) throw wrongOrder(this.location);
      last = name;
      if (name > after && name.split('/').every(isNameSegment)) objects.push({ name, size });
    }
    return objects;
  }

  async #call<T>(
    operation: RemoteOperation,
    signal: AbortSignal | undefined,
    work: (watch: Watch) => Promise<T>,
  ): Promise<T> {
    try {
      return await watchedCall(this.#quietMs, signal, work);
    } catch (error) {
      if (signal?.aborted || isHoldfastError(error)) throw error;
      if (error instanceof SilentServer) throw storageUnavailable(this.location, error.message, error);
      throw this.#bucket.explain(error, operation);
    }
  }
}

/** Listing by pages relies on the order; accounts that keep real folders sort "a/b" before "a-b". */
function wrongOrder(location: string): HoldfastError {
  const message =
    `${location} lists its objects in another order than that of their names, as accounts with a hierarchical namespace do. ` +
    'Use an account or bucket without it.';
  return new HoldfastError('storage/nonconforming', 'input', message, { data: { location } });
}
