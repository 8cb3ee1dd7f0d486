import { constants } from 'node:fs';
import { mkdir, open, rmdir, stat } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';
import { errnoOf } from './fileErrors.ts';

const FOLDER_MODE = 0o700;
/** Folders whose entry in their parent is known to be on the disk; when there are more, all are forgotten. */
const MAX_KNOWN = 4096;
/** Some network file systems have no fsync for folders and say so in one of these ways; they write entries through. */
const NO_FOLDER_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
/** Why a folder may stay: it is in use, a mount point, or its parent is not ours to change. */
const FOLDER_STAYS = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY', 'EACCES', 'EPERM']);

/** The folders below a root, made and removed as objects come and go, and made to survive a crash. */
export class FileFolders {
  readonly #root: string;
  /**
   * Path → {@link identityOf} at the time when its entry was synced. Another process may remove a folder and make it
   * again: then the identity differs and the entry is synced again.
   */
  readonly #durable = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes a folder below the root, with those between, but never the root. */
  async make(folder: string): Promise<void> {
    await makeFolders(join(this.#root, folder), this.#root);
  }

  /**
   * Puts the entries of `folder` on the disk, and those of the folders that lead to it where that is not known to
   * have been done. Call it after the entry was made: a folder that holds something can't be removed by others.
   */
  async sync(folder: string): Promise<void> {
    const synced = new Map<string, string>();
    for (let current = folder; ; current = dirname(current)) {
      const identity = await syncFolder(join(this.#root, current));
      if (current === '.' || (identity !== undefined && this.#durable.get(current) === identity)) break;
      if (identity !== undefined) synced.set(current, identity);
    }
    if (this.#durable.size + synced.size > MAX_KNOWN) this.#durable.clear();
    for (const [path, identity] of synced) this.#durable.set(path, identity);
  }

  /** Removes `folder` and those above it as far as they are empty. Gives the lowest that stays. */
  async removeEmpty(folder: string): Promise<string> {
    let current = folder;
    for (; current !== '.'; current = dirname(current)) {
      try {
        await rmdir(join(this.#root, current));
        this.#durable.delete(current);
      } catch (error) {
        if (FOLDER_STAYS.has(errnoOf(error) ?? '')) break;
        throw error;
      }
    }
    return current;
  }
}

/** Makes the folder `path` with its parents, all of which survive a crash when it returns. */
export async function makeDurableFolder(path: string): Promise<void> {
  for (const made of await makeFolders(path, parse(path).root)) await syncFolder(dirname(made));
}

/**
 * Makes the folder `path` and those above it that are missing, up to `top`, which must be there. Gives those that it
 * made, highest first. (The recursive mkdir of Node says ENOENT where a file system is read-only.)
 */
async function makeFolders(path: string, top: string): Promise<string[]> {
  const made: string[] = [];
  const missing = [path];
  for (let current = missing.at(-1); current !== undefined; current = missing.at(-1)) {
    try {
      await mkdir(current, FOLDER_MODE);
      made.push(current);
      missing.pop();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EEXIST' && (await stat(current)).isDirectory()) missing.pop();
      else if (errno === 'ENOENT' && dirname(current) !== top) missing.push(dirname(current));
      else throw error;
    }
  }
  return made;
}

/** Tells a folder from another that later stands at the same path, as on a disk that was exchanged. */
export async function identityOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true });
  return `${found.dev}:${found.ino}:${found.birthtimeNs}`;
}

/** fsync of a folder; gives its identity, undefined where it is gone, because what it held was deleted meanwhile. */
export async function syncFolder(path: string): Promise<string | undefined> {
  try {
    const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } catch (error) {
      if (!NO_FOLDER_SYNC.has(errnoOf(error) ?? '')) throw error;
    } finally {
      await folder.close();
    }
    return await identityOf(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
