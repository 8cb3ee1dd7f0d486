import { mkdir, open, opendir, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HoldfastError } from '../domain/index.ts';
import { errnoOf, fileError } from './fileErrors.ts';
import { makeDurableFolder, syncFolder } from './fileFolders.ts';
import type { ObjectSink, ObjectWriter } from './objectSink.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Bytes that are gathered for one system call. */
const STEP_BYTES = 1024 * 1024;
/** Buffers in one writev; Linux takes no more than 1024. */
const STEP_PARTS = 512;

/** What an object is called until it is whole. */
const PARTIAL = '.partial';

/**
 * A folder to export to; files get mode 0600, folders 0700. A file has its name only once it is whole and synced; a process
 * that is killed leaves at most `.partial` files besides whole ones.
 */
export class FileSink implements ObjectSink {
  readonly location: string;
  readonly #root: string;
  /** Whether {@link claim} made the folder. */
  #made = false;
  /** Folders that were made here, or are being made: objects of one folder may be opened at once. */
  readonly #folders = new Map<string, Promise<void>>();
  /** First parts of the names of all that was made: what {@link discard} takes away. */
  readonly #tops = new Set<string>();

  constructor(path: string) {
    this.#root = resolve(path);
    this.location = pathToFileURL(this.#root).href;
  }

  async claim({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    await this.#attempt('', async () => {
      const empty = await isEmptyFolder(this.#root);
      if (empty === false) throw notEmpty(this.#root);
      if (empty === true) return;
      await makeDurableFolder(this.#root);
      this.#made = true;
    });
  }

  folder(name: string): Promise<void> {
    if (name === '.') return Promise.resolve();
    let making = this.#folders.get(name);
    if (!making) {
      making = this.#makeFolder(name);
      this.#folders.set(name, making);
    }
    return making;
  }

  async #makeFolder(name: string): Promise<void> {
    await this.folder(dirname(name));
    await this.#attempt(name, () => mkdir(join(this.#root, name), FOLDER_MODE));
    this.#remember(name);
  }

  async open(name: string, { signal }: { readonly signal: AbortSignal }): Promise<ObjectWriter> {
    signal.throwIfAborted();
    await this.folder(dirname(name));
    const path = join(this.#root, name);
    const attempt = <T>(work: () => Promise<T>): Promise<T> => this.#attempt(name, work);
    const file = await attempt(() => open(path + PARTIAL, 'wx', FILE_MODE));
    // Only what this sink made is its own to discard: another export may have claimed the place at the same time.
    this.#remember(name);
    return new FileWriter(file, path, attempt, signal);
  }

  async settle(): Promise<void> {
    await this.#attempt('', async () => {
      for (const folder of this.#folders.keys()) await syncFolder(join(this.#root, folder));
      await syncFolder(this.#root);
    });
  }

  async discard(): Promise<void> {
    await this.#attempt('', async () => {
      for (const top of this.#tops) {
        await rm(join(this.#root, top), { recursive: true, force: true });
        await rm(join(this.#root, top + PARTIAL), { force: true });
      }
      if (this.#made) await rmdir(this.#root).catch(ignoreInUse);
    });
    this.#tops.clear();
    this.#folders.clear();
  }

  #remember(name: string): void {
    this.#tops.add(name.split('/')[0] ?? name);
  }

  async #attempt<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(error, this.location, { verb: 'write', name });
    }
  }
}

class FileWriter implements ObjectWriter {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #attempt: <T>(work: () => Promise<T>) => Promise<T>;
  readonly #signal: AbortSignal;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;

  constructor(file: FileHandle, path: string, attempt: <T>(work: () => Promise<T>) => Promise<T>, signal: AbortSignal) {
    this.#file = file;
    this.#path = path;
    this.#attempt = attempt;
    this.#signal = signal;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= STEP_BYTES || this.#waiting.length >= STEP_PARTS) await this.#attempt(() => this.#flush());
  }

  async finish(): Promise<void> {
    await this.#attempt(async () => {
      await this.#flush();
      await this.#file.sync();
      this.#signal.throwIfAborted();
      await this.#file.close();
      await rename(this.#path + PARTIAL, this.#path);
      this.#ended = true;
    });
  }

  async abandon(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#attempt(async () => {
      await this.#file.close();
      await rm(this.#path + PARTIAL, { force: true });
    });
  }

  async #flush(): Promise<void> {
    this.#signal.throwIfAborted();
    let waiting = this.#waiting.splice(0);
    this.#bytes = 0;
    while (waiting.length > 0) {
      const { bytesWritten } = await this.#file.writev(waiting);
      waiting = without(waiting, bytesWritten);
    }
  }
}

/** What is left after the first so many bytes: a short write is no error. */
function without(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  let index = 0;
  for (; index < parts.length && left >= (parts[index]?.length ?? 0); index++) left -= parts[index]?.length ?? 0;
  const [first, ...rest] = parts.slice(index);
  return first ? [first.subarray(left), ...rest] : [];
}

/** undefined: there is nothing at all. */
async function isEmptyFolder(path: string): Promise<boolean | undefined> {
  try {
    const folder = await opendir(path);
    const first = await folder.read();
    await folder.close();
    return first === null;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

function ignoreInUse(error: unknown): void {
  if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST' && errnoOf(error) !== 'ENOENT') throw error;
}

function notEmpty(path: string): HoldfastError {
  return new HoldfastError('export/not-empty', 'input',
    `${path} is not an empty folder. Choose an empty or a new one: an export is never mixed with anything else. If an export that did not finish lies there, delete it first.`,
    { data: { path } });
}
