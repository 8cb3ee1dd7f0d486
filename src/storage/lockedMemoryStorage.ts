import { createHash } from 'node:crypto';
import { checkRange, resolveRange } from './byteRange.ts';
import type { ListPage, ObjectInfo, PutOptions, Range, Storage } from './contract.ts';
import { pageLimit, pageOf } from './listPage.ts';
import { checkObjectName, checkPrefix } from './objectName.ts';
import type { Lock, LockState, ObjectLocks, VersionedObject, VersionPage } from './objectLocks.ts';
import { objectLocked, objectNotFound } from './storageErrors.ts';

/** What one put, or one deletion, left under a name. */
interface Version {
  readonly id: string;
  /** undefined: the mark of a deletion. */
  readonly bytes: Uint8Array | undefined;
  lock: Lock | undefined;
}

type Call = { readonly signal?: AbortSignal | undefined };

/** Objects in this process's memory, for tests, as a bucket with object lock keeps them: with versions, marks of deletions, and locks by a clock of its own. */
export class LockedMemoryStorage implements Storage {
  readonly location = 'memory:';
  readonly locks: MemoryLocks;
  readonly #versions = new Map<string, Version[]>();
  readonly #clock: { now(): number };
  #count = 0;

  /** @param clock the service's: milliseconds since 1970. */
  constructor(clock: { now(): number }) {
    this.#clock = clock;
    this.locks = new MemoryLocks(this.#versions, clock, this.location);
  }

  /** Another one with the same versions and locks. */
  copy(): LockedMemoryStorage {
    const copy = new LockedMemoryStorage(this.#clock);
    copy.#count = this.#count;
    for (const [name, versions] of this.#versions) copy.#versions.set(name, versions.map((version) => ({ ...version })));
    return copy;
  }

  async get(name: string, { range, signal }: Call & { readonly range?: Range | undefined } = {}): Promise<Uint8Array> {
    signal?.throwIfAborted();
    checkObjectName(name);
    checkRange(range);
    const bytes = this.#newest(name);
    if (!bytes) throw objectNotFound(this.location, name);
    return part(bytes, range);
  }

  async put(name: string, parts: readonly Uint8Array[], { signal, lock }: PutOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    checkObjectName(name);
    this.#add(name, new Uint8Array(Buffer.concat(parts)), lock);
  }

  async list(prefix: string, options: Call & { readonly after?: string; readonly limit?: number } = {}): Promise<ListPage> {
    options.signal?.throwIfAborted();
    checkPrefix(prefix);
    const limit = pageLimit(options.limit);
    const found = namesAfter(this.#versions, prefix, options.after).flatMap((name): ObjectInfo[] => {
      const bytes = this.#newest(name);
      return bytes ? [{ name, size: bytes.length }] : [];
    });
    return pageOf(found, limit);
  }

  /** As services do it, a mark is put also where nothing stands. */
  async delete(name: string, { signal }: Call = {}): Promise<void> {
    signal?.throwIfAborted();
    checkObjectName(name);
    this.#add(name, undefined, undefined);
  }

  async stat(name: string, { signal }: Call = {}): Promise<ObjectInfo | undefined> {
    signal?.throwIfAborted();
    checkObjectName(name);
    const bytes = this.#newest(name);
    return bytes && { name, size: bytes.length };
  }

  #newest(name: string): Uint8Array | undefined {
    return this.#versions.get(name)?.[0]?.bytes;
  }

  #add(name: string, bytes: Uint8Array | undefined, lock: Lock | undefined): void {
    const versions = this.#versions.get(name) ?? [];
    versions.unshift({ id: `v${++this.#count}`, bytes, lock: lock && inSeconds(lock) });
    this.#versions.set(name, versions);
  }
}

class MemoryLocks implements ObjectLocks {
  readonly #versions: Map<string, Version[]>;
  readonly #clock: { now(): number };
  readonly #location: string;

  constructor(versions: Map<string, Version[]>, clock: { now(): number }, location: string) {
    this.#versions = versions;
    this.#clock = clock;
    this.#location = location;
  }

  async state({ signal }: Call = {}): Promise<LockState> {
    signal?.throwIfAborted();
    return { available: true };
  }

  async versions(prefix: string, options: Call & { readonly after?: string | undefined; readonly limit?: number | undefined } = {}): Promise<VersionPage> {
    options.signal?.throwIfAborted();
    checkPrefix(prefix);
    const limit = pageLimit(options.limit);
    const names = namesAfter(this.#versions, prefix, options.after);
    const objects = names.slice(0, limit).map((name) => shown(name, this.#versions.get(name) ?? []));
    const next = objects.at(-1)?.name;
    return names.length > limit && next !== undefined ? { objects, next } : { objects };
  }

  async read(name: string, version: string, { range, signal }: Call & { readonly range?: Range | undefined } = {}): Promise<Uint8Array> {
    signal?.throwIfAborted();
    checkRange(range);
    return part(this.#version(name, version).bytes ?? new Uint8Array(), range);
  }

  async lockOf(name: string, version: string, { signal }: Call = {}): Promise<Lock | undefined> {
    signal?.throwIfAborted();
    return this.#version(name, version).lock;
  }

  async lock(name: string, version: string, lock: Lock, { signal }: Call = {}): Promise<void> {
    signal?.throwIfAborted();
    const found = this.#version(name, version);
    const wanted = inSeconds(lock);
    const held = this.#held(found);
    if (held && (wanted.until < held.until || (held.mode === 'compliance' && wanted.mode !== held.mode))) throw objectLocked(this.#location, name, held.until);
    found.lock = wanted;
  }

  async remove(name: string, version: string, { signal }: Call = {}): Promise<void> {
    signal?.throwIfAborted();
    const versions = this.#versions.get(name) ?? [];
    const at = versions.findIndex(({ id }) => id === version);
    const found = versions[at];
    if (!found) return;
    const held = this.#held(found);
    if (held) throw objectLocked(this.#location, name, held.until);
    versions.splice(at, 1);
    if (versions.length === 0) this.#versions.delete(name);
  }

  #held({ lock }: Version): Lock | undefined {
    return lock && lock.until > this.#clock.now() ? lock : undefined;
  }

  #version(name: string, version: string): Version {
    const found = this.#versions.get(name)?.find(({ id, bytes }) => id === version && bytes);
    if (!found) throw objectNotFound(this.#location, name);
    return found;
  }
}

/** Services keep whole seconds, and round up. */
function inSeconds({ mode, until }: Lock): Lock {
  return { mode, until: Math.ceil(until / 1000) * 1000 };
}

function part(bytes: Uint8Array, range: Range | undefined): Uint8Array {
  const { start, end } = resolveRange(range, bytes.length);
  return bytes.slice(start, end);
}

/** Ascending. */
function namesAfter(all: ReadonlyMap<string, unknown>, prefix: string, after = ''): string[] {
  return [...all.keys()].filter((name) => name.startsWith(prefix) && name > after).toSorted();
}

function shown(name: string, versions: readonly Version[]): VersionedObject {
  return {
    name, deleted: versions[0]?.bytes === undefined,
    deletions: versions.filter(({ bytes }) => !bytes).map(({ id }) => id),
    versions: versions.flatMap(({ id, bytes }) => (bytes ? [{ id, size: bytes.length, etag: createHash('md5').update(bytes).digest('hex') }] : [])),
  };
}
