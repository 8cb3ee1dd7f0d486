import { lstat, readdir, realpath, rename, rm, stat, unlink } from 'node:fs/promises';
import { join, posix, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HoldfastError } from '../domain/index.ts';
import { systemRandom } from '../runtime/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import { checkRange } from './byteRange.ts';
import type { ListPage, ObjectInfo, Range, Storage } from './contract.ts';
import { readFileRange, writeDurableFile } from './fileBytes.ts';
import { errnoOf, fileError } from './fileErrors.ts';
import type { FileOperation } from './fileErrors.ts';
import { FileFolders, identityOf, makeDurableFolder } from './fileFolders.ts';
import { isMissing, listFiles, statFile } from './fileListing.ts';
import { pageLimit, pageOf } from './listPage.ts';
import { checkObjectName, checkPrefix } from './objectName.ts';
import { storageUnavailable } from './storageErrors.ts';

/** Where objects are written before they get their name. No object's name can have a '~'. */
const TEMPORARY = '~tmp';
/** How often a folder that others remove while it is empty is made again before a put gives up. */
const MOVE_ATTEMPTS = 10;

/**
 * Objects as files of the same names below one folder, mode 0600, folders 0700. Several processes may use it at once.
 *
 * A put writes below `~tmp`, syncs the file, renames it, and syncs the folders that lead to it. A crash leaves at
 * most a temporary file, which nothing but {@link FileStorage.sweepTemporary} sees. Because a file system cannot hold
 * both "a" and "a/b", a put of the second of them fails with `storage/bad-name`.
 * The signal is looked at between system calls: one that hangs in a dead disk is not cut short.
 */
export class FileStorage implements Storage {
  readonly location: string;
  readonly #root: string;
  readonly #rootIdentity: string;
  readonly #folders: FileFolders;
  readonly #random: RandomBytes;

  private constructor(root: string, rootIdentity: string, random: RandomBytes) {
    this.location = pathToFileURL(root).href;
    this.#root = root;
    this.#rootIdentity = rootIdentity;
    this.#folders = new FileFolders(root);
    this.#random = random;
  }

  /**
   * Opens the folder `path` without writing to it. Where there is none: `storage/no-location` (class input).
   * `random` names temporary files.
   */
  static async open(path: string, random: RandomBytes = systemRandom): Promise<FileStorage> {
    const absolute = resolve(path);
    try {
      if (!(await stat(absolute)).isDirectory()) throw noFolder(absolute);
      const root = await realpath(absolute);
      return new FileStorage(root, await identityOf(root), random);
    } catch (error) {
      if (isMissing(error)) throw noFolder(absolute, error);
      throw fileError(error, pathToFileURL(absolute).href, { verb: 'look at', name: '' });
    }
  }

  /** Opens the folder `path`; makes it, and the folders above it, where it is missing. */
  static async create(path: string, random: RandomBytes = systemRandom): Promise<FileStorage> {
    const absolute = resolve(path);
    try {
      await makeDurableFolder(absolute);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR') throw noFolder(absolute, error);
      throw fileError(error, pathToFileURL(absolute).href, { verb: 'write', name: '' });
    }
    return FileStorage.open(absolute, random);
  }

  async get(name: string, options: { range?: Range; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    checkObjectName(name);
    checkRange(options.range);
    const place = { location: this.location, name };
    return this.#attempt({ verb: 'read', name }, () =>
      readFileRange(this.#pathOf(name), place, options.range, options.signal),
    );
  }

  async put(name: string, parts: readonly Uint8Array[], options: { signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted();
    checkObjectName(name);
    await this.#attempt({ verb: 'write', name }, async () => {
      const temporary = join(this.#root, TEMPORARY, this.#random(16).toString('hex'));
      try {
        await this.#writeTemporary(temporary, parts, options.signal);
        options.signal?.throwIfAborted();
        await this.#moveInto(temporary, name);
      } catch (error) {
        // If this fails too, the first error is the one to tell; the leftover is swept later.
        await rm(temporary, { force: true }).catch(() => undefined);
        throw error;
      }
      await this.#folders.sync(posix.dirname(name));
    });
  }

  async list(
    prefix: string,
    options: { after?: string; limit?: number; signal?: AbortSignal } = {},
  ): Promise<ListPage> {
    const { signal, after = '' } = options;
    signal?.throwIfAborted();
    checkPrefix(prefix);
    const limit = pageLimit(options.limit);
    return this.#attempt({ verb: 'list', name: prefix }, async () => {
      await this.#requireRoot();
      return pageOf(await listFiles({ root: this.#root, prefix, after, signal }, limit + 1), limit);
    });
  }

  /** Removes folders that it empties. The removal survives a crash: what depends on its order may rely on it. */
  async delete(name: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted();
    checkObjectName(name);
    await this.#attempt({ verb: 'delete', name }, async () => {
      if (!(await this.#unlink(name))) return;
      await this.#folders.sync(await this.#folders.removeEmpty(posix.dirname(name)));
    });
  }

  async stat(name: string, options: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    options.signal?.throwIfAborted();
    checkObjectName(name);
    return this.#attempt({ verb: 'look at', name }, async () => {
      const found = await statFile(this.#root, name);
      if (found === undefined) await this.#requireRoot();
      return found;
    });
  }

  /**
   * Deletes what crashed or stopped processes left of unfinished puts: temporary files last written to more than
   * `olderThanMs` before `now` (milliseconds since 1970). Gives their number. A put that is still at work on one of
   * them fails with `storage/unavailable` and can be repeated.
   */
  async sweepTemporary(olderThanMs: number, now: number): Promise<number> {
    return this.#attempt({ verb: 'delete', name: TEMPORARY }, async () => {
      const folder = join(this.#root, TEMPORARY);
      let swept = 0;
      for (const entry of await readdir(folder).catch(emptyIfMissing)) {
        const path = join(folder, entry);
        const found = await lstat(path, { throwIfNoEntry: false });
        if (found === undefined || !found.isFile() || now - found.mtimeMs <= olderThanMs) continue;
        await rm(path, { force: true });
        swept++;
      }
      return swept;
    });
  }

  #pathOf(name: string): string {
    return join(this.#root, name);
  }

  /** Runs `work`, and turns the operating system's errors into the contract's. */
  async #attempt<T>(operation: FileOperation, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') await this.#requireRoot();
      throw fileError(error, this.location, operation);
    }
  }

  /** A disk that is not mounted any more must not look like one from which all objects were deleted. */
  async #requireRoot(): Promise<void> {
    const identity = await identityOf(this.#root).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (identity === this.#rootIdentity) return;
    const what = 'the folder that was opened is gone; its disk may have been unmounted or exchanged';
    throw storageUnavailable(this.location, what);
  }

  async #writeTemporary(path: string, parts: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<void> {
    try {
      await writeDurableFile(path, parts, signal);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await this.#requireRoot();
      await this.#folders.make(TEMPORARY);
      await writeDurableFile(path, parts, signal);
    }
  }

  /** Folders are made only when they are missing; a deleter may remove one before the file is in it: again. */
  async #moveInto(temporary: string, name: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await rename(temporary, this.#pathOf(name));
        return;
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || attempt === MOVE_ATTEMPTS) throw error;
        await this.#requireRoot();
        await this.#folders.make(posix.dirname(name));
      }
    }
  }

  /** Whether there was an object to remove. */
  async #unlink(name: string): Promise<boolean> {
    try {
      await unlink(this.#pathOf(name));
      return true;
    } catch (error) {
      // A folder of that name is no object; Linux says EISDIR, macOS EPERM.
      if (!isMissing(error) && !(await lstat(this.#pathOf(name))).isDirectory()) throw error;
      await this.#requireRoot();
      return false;
    }
  }
}

function noFolder(path: string, cause?: unknown): HoldfastError {
  const message = `There is no folder ${path}. Check the path, and that its disk is mounted.`;
  return new HoldfastError('storage/no-location', 'input', message, { data: { path }, cause });
}

function emptyIfMissing(error: unknown): string[] {
  if (isMissing(error)) return [];
  throw error;
}
