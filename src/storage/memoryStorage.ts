import { resolveRange, checkRange } from './byteRange.ts';
import type { ListPage, ObjectInfo, Range, Storage } from './contract.ts';
import { pageLimit, pageOf } from './listPage.ts';
import { checkObjectName, checkPrefix } from './objectName.ts';
import { nameTaken, objectNotFound } from './storageErrors.ts';

/**
 * Objects in this process's memory, for tests. As strict as the strictest real storage: a name that is a folder of
 * another is refused, as a file system must.
 */
export class MemoryStorage implements Storage {
  readonly location = 'memory:';
  readonly #objects = new Map<string, Uint8Array>();
  /** How many objects lie below each folder. */
  readonly #folders = new Map<string, number>();
  #sorted: string[] | undefined;

  async get(name: string, options: { range?: Range; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    checkObjectName(name);
    checkRange(options.range);
    const bytes = this.#objects.get(name);
    if (bytes === undefined) throw objectNotFound(this.location, name);
    const { start, end } = resolveRange(options.range, bytes.length);
    return bytes.slice(start, end);
  }

  async put(name: string, parts: readonly Uint8Array[], options: { signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted();
    checkObjectName(name);
    const folders = foldersOf(name);
    if (this.#folders.has(name) || folders.some((folder) => this.#objects.has(folder))) {
      throw nameTaken(this.location, name);
    }
    if (!this.#objects.has(name)) {
      for (const folder of folders) this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + 1);
      this.#sorted = undefined;
    }
    this.#objects.set(name, new Uint8Array(Buffer.concat(parts)));
  }

  async list(
    prefix: string,
    options: { after?: string; limit?: number; signal?: AbortSignal } = {},
  ): Promise<ListPage> {
    options.signal?.throwIfAborted();
    checkPrefix(prefix);
    const limit = pageLimit(options.limit);
    const after = options.after ?? '';
    // Names are ASCII: the order of strings is the order of bytes.
    this.#sorted ??= [...this.#objects.keys()].sort();
    const found: ObjectInfo[] = [];
    for (let i = firstIndexAt(this.#sorted, prefix > after ? prefix : after); i < this.#sorted.length; i++) {
      const name = this.#sorted[i] ?? '';
      if (name > prefix && !name.startsWith(prefix)) break;
      if (name > after && name.startsWith(prefix)) found.push({ name, size: this.#objects.get(name)?.length ?? 0 });
      if (found.length > limit) break;
    }
    return pageOf(found, limit);
  }

  async delete(name: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted();
    checkObjectName(name);
    if (!this.#objects.delete(name)) return;
    this.#sorted = undefined;
    for (const folder of foldersOf(name)) {
      const left = (this.#folders.get(folder) ?? 0) - 1;
      if (left > 0) this.#folders.set(folder, left);
      else this.#folders.delete(folder);
    }
  }

  async stat(name: string, options: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    options.signal?.throwIfAborted();
    checkObjectName(name);
    const bytes = this.#objects.get(name);
    return bytes === undefined ? undefined : { name, size: bytes.length };
  }
}

/** 'a/b/c' → ['a', 'a/b'] */
function foldersOf(name: string): string[] {
  const segments = name.split('/').slice(0, -1);
  return segments.map((_, i) => segments.slice(0, i + 1).join('/'));
}

/** Index of the first name that is not before `from`. */
function firstIndexAt(sorted: readonly string[], from: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
