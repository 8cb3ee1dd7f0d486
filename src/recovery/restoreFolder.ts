import { createWriteStream } from 'node:fs';
import { chmod, lchown, lstat, lutimes, mkdir, opendir, symlink, unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HoldfastError, isHoldfastError, messageOf, type BinaryString, type ItemRow, type Progress } from '../domain/index.ts';
import type { Descriptor, DiskEntry } from '../connectors/contract.ts';
import { stateRows, type ItemReader, type ItemRequest, type Manifest, type ReadResult, type Repository, type SegmentSource } from '../repository/index.ts';
import { DiskPaths } from './diskPaths.ts';
import { NO_RESTORE, type RestoreIssue, type RestoreReport } from './restoreReport.ts';

/** What is done where something stands already. Equal files (size, time) are left in every mode. */
export type FolderMode = 'refuse' | 'skip' | 'replace';

export interface RestoreFolderOptions {
  readonly to: string;
  readonly descriptor: Descriptor;
  /** Only rows that it answers true for, with the folders above them. Undefined: all. */
  readonly within?: (row: ItemRow) => boolean;
  /** Only keys that start with it are read. */
  readonly prefix?: BinaryString;
  /** Rows of the folders above `prefix`, top first. */
  readonly above?: readonly ItemRow[];
  readonly mode?: FolderMode;
  readonly workers?: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Rows of one batch: many, so that their frames are opened once. */
const BATCH_ITEMS = 512;
const BATCH_BYTES = 12 * 1024 * 1024;
/** Larger items are written as a stream, past the workers. */
const LARGE = 24 * 1024 * 1024;
/** So few files do not pay for the start of a worker, which takes longer than to restore one. */
const FEW = 4;

/**
 * Gives a snapshot back into a directory: folders, files with their times and modes, links last of all, so that no file is
 * ever written through a link of the same restore. What cannot be written is named in the report; the rest goes on.
 */
export async function restoreFolder(repository: Repository, manifest: Manifest, options: RestoreFolderOptions): Promise<RestoreReport> {
  const record = await repository.entity(manifest.tag, options.signal);
  const reader = repository.itemReader(record, options.workers ?? 2, options.signal);
  try {
    return await new FolderRestore(repository, manifest, reader, options).run();
  } finally {
    await reader.close();
  }
}

interface PendingFile {
  readonly row: ItemRow;
  readonly entry: DiskEntry;
  readonly path: BinaryString;
}

class FolderRestore {
  readonly #source: SegmentSource;
  readonly #manifest: Manifest;
  readonly #reader: ItemReader;
  readonly #options: RestoreFolderOptions;
  readonly #paths: DiskPaths;
  readonly #report: RestoreReport = { ...NO_RESTORE, issues: [] };
  readonly #running = new Set<Promise<void>>();
  readonly #root = process.getuid?.() === 0;
  #files: PendingFile[] = [];
  #bytes = 0;
  #fresh = false;
  #hasLinks = false;
  #sent = false;
  #failure: unknown;

  constructor(repository: Repository, manifest: Manifest, reader: ItemReader, options: RestoreFolderOptions) {
    const { storage, keyring } = repository.context;
    this.#source = { storage, keyring, tag: manifest.tag };
    this.#manifest = manifest;
    this.#reader = reader;
    this.#options = options;
    this.#paths = new DiskPaths(Buffer.from(options.to).toString('latin1'));
  }

  async run(): Promise<RestoreReport> {
    this.#fresh = (await mkdir(this.#options.to, { recursive: true })) !== undefined || await isEmpty(this.#options.to);
    for (const row of this.#options.above ?? []) await this.#folder(row);
    for await (const row of this.#rows()) {
      if (row.kind === 'folder') await this.#folder(row);
      else if (this.#entry(row).link === undefined) await this.#file(row);
      else this.#hasLinks = true;
    }
    await this.#drain();
    await this.#finishFoldersAndLinks();
    return this.#report;
  }

  async* #rows(): AsyncGenerator<ItemRow> {
    const { prefix = '', within, signal } = this.#options;
    for await (const batch of stateRows(this.#source, this.#manifest.layers, prefix, signal)) {
      for (const row of batch) if (!within || within(row)) yield row;
      signal.throwIfAborted();
      const { written, unchanged, bytes } = this.#report;
      this.#options.progress({ type: 'progress', stage: 'restore', items: written + unchanged, bytes, totalItems: this.#manifest.counts.items });
    }
  }

  #entry(row: ItemRow): DiskEntry {
    return this.#options.descriptor.onDisk(row);
  }

  async #folder(row: ItemRow): Promise<void> {
    const path = this.#paths.folder(row, this.#entry(row).name);
    try {
      await mkdir(bytes(path), { recursive: true });
    } catch (error) {
      this.#issue(row, 'restore/not-written', `The folder could not be made (${(error as NodeJS.ErrnoException).code ?? messageOf(error)}).`);
    }
  }

  async #file(row: ItemRow): Promise<void> {
    const entry = this.#entry(row);
    const path = this.#paths.item(row, entry.name);
    if (row.content === '') {
      this.#issue(row, 'restore/no-content', row.outcome === '' ? 'The snapshot holds no content for it.' : outcomeText(row));
      return;
    }
    if (row.outcome !== '') this.#issue(row, 'restore/altered', outcomeText(row));
    if (!this.#fresh && !(await this.#mayWrite(row, entry, path))) return;
    if (row.size > LARGE) return this.#large({ row, entry, path });
    this.#files.push({ row, entry, path });
    this.#bytes += row.size;
    if (this.#files.length >= BATCH_ITEMS || this.#bytes >= BATCH_BYTES) await this.#send();
  }

  /** A second restore of the same writes nothing; whatever else stands there is left unless it is to be replaced. */
  async #mayWrite(row: ItemRow, entry: DiskEntry, path: BinaryString): Promise<boolean> {
    const there = await lstat(bytes(path), { bigint: true }).catch(() => undefined);
    if (!there) return true;
    const time = entry.modifiedNs;
    const same = there.isFile() && Number(there.size) === row.size && time !== undefined && closeTimes(there.mtimeNs, time);
    if (same) {
      this.#report.unchanged++;
      return false;
    }
    const mode = this.#options.mode ?? 'refuse';
    if (mode === 'replace' && !there.isDirectory()) return true;
    if (mode === 'skip') this.#report.skipped++;
    else this.#issue(row, 'restore/exists', 'Something else stands there already; it was left as it is.');
    return false;
  }

  async #send(): Promise<void> {
    if (this.#failure) throw this.#failure as Error;
    const files = this.#files;
    if (files.length === 0) return;
    this.#files = [];
    this.#bytes = 0;
    this.#sent = true;
    const { results } = await this.#reader.read(files.map((file) => this.#request(file)));
    const running: Promise<void> = results.then((all) => this.#settle(files, all))
      .catch((error: unknown) => { this.#failure ??= error; })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #request({ row, entry, path }: PendingFile): ItemRequest {
    const modified = entry.modifiedNs === undefined ? null : seconds(entry.modifiedNs);
    return { row, target: { path, mode: entry.mode ?? null, modified, replace: this.#options.mode === 'replace' } };
  }

  async #settle(files: readonly PendingFile[], results: readonly ReadResult[]): Promise<void> {
    for (const [i, file] of files.entries()) {
      const result = results[i] as ReadResult;
      if ('code' in result && result.code.startsWith('repository/')) await this.#large(file);
      else if ('code' in result) this.#issue(file.row, result.code, result.message);
      else {
        this.#report.written++;
        this.#report.bytes += file.row.size;
        await this.#owner(file);
      }
    }
  }

  /** One item by itself: what is too large for a worker, too few for one, and what did not come that way. */
  async #large(file: PendingFile): Promise<void> {
    const { row, entry, path } = file;
    const target = bytes(path);
    try {
      if (this.#options.mode === 'replace') await unlink(target).catch(ignoreMissing);
      await pipeline(Readable.from(this.#reader.content(row)), createWriteStream(target, { flags: 'wx', mode: entry.mode ?? 0o666 }));
      if (entry.mode !== undefined) await chmod(target, entry.mode);
      await this.#owner(file);
      await this.#times(path, entry);
      this.#report.written++;
      this.#report.bytes += row.size;
    } catch (error) {
      if (this.#options.signal.aborted) throw error;
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
        this.#issue(row, 'restore/exists', 'Something stands there already; it was left as it is.');
        return;
      }
      await unlink(target).catch(ignoreMissing);
      if (isHoldfastError(error) && error.retryClass !== 'never') throw error;
      this.#issue(row, isHoldfastError(error) ? error.code : 'restore/not-written', messageOf(error));
    }
  }

  async #drain(): Promise<void> {
    if (!this.#sent && this.#files.length <= FEW) for (const file of this.#files.splice(0)) await this.#large(file);
    await this.#send();
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#failure) throw this.#failure as Error;
  }

  /** More passes: links, then what folders get once nothing is written into them any more. */
  async #finishFoldersAndLinks(): Promise<void> {
    if (this.#hasLinks) {
      for await (const row of this.#rows()) {
        const entry = row.kind === 'folder' ? undefined : this.#entry(row);
        if (entry?.link !== undefined) await this.#link(row, entry, entry.link);
      }
    }
    for await (const row of this.#rows()) if (row.kind === 'folder') await this.#finishFolder(row, this.#entry(row));
  }

  async #finishFolder(row: ItemRow, entry: DiskEntry): Promise<void> {
    const path = this.#paths.folder(row, entry.name);
    try {
      if (entry.mode !== undefined) await chmod(bytes(path), entry.mode);
      await this.#owner({ row, entry, path });
      await this.#times(path, entry);
      this.#report.folders++;
    } catch (error) {
      this.#issue(row, 'restore/attributes', `Its mode or times could not be set (${(error as NodeJS.ErrnoException).code ?? messageOf(error)}).`);
    }
  }

  async #link(row: ItemRow, entry: DiskEntry, target: BinaryString): Promise<void> {
    const path = this.#paths.item(row, entry.name);
    try {
      if (this.#options.mode === 'replace') await unlink(bytes(path)).catch(ignoreMissing);
      await symlink(bytes(target), bytes(path));
      await this.#owner({ row, entry, path });
      await this.#times(path, entry);
      this.#report.written++;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') this.#report.unchanged++;
      else this.#issue(row, 'restore/not-written', `The link could not be made (${code ?? messageOf(error)}).`);
    }
  }

  /** Owners are given back only by root, as tar and cp do; a new file is ours already. */
  async #owner({ row, entry, path }: PendingFile): Promise<void> {
    const { uid, gid } = entry;
    if (!this.#root || uid === undefined || gid === undefined || (uid === 0 && gid === 0)) return;
    await lchown(bytes(path), uid, gid);
    // chown takes setuid and setgid away.
    if (entry.mode !== undefined && (entry.mode & 0o6000) !== 0 && row.kind !== 'link') await chmod(bytes(path), entry.mode);
  }

  async #times(path: BinaryString, entry: DiskEntry): Promise<void> {
    if (entry.modifiedNs === undefined) return;
    const time = seconds(entry.modifiedNs);
    await lutimes(bytes(path), time, time);
  }

  #issue(row: ItemRow, code: string, message: string): void {
    const issue: RestoreIssue = { item: row.name, code, message };
    if (code !== 'restore/altered') this.#report.failed++;
    if (this.#report.issues.length < 1000) this.#report.issues.push(issue);
    this.#options.progress({ type: 'warning', ...issue });
  }
}

function seconds(ns: bigint): number {
  return Number(ns) / 1e9;
}

/** Times are set through floating point seconds: a quarter of a microsecond is lost. */
function closeTimes(a: bigint, b: bigint): boolean {
  const apart = a - b;
  return apart > -1000n && apart < 1000n;
}

function bytes(path: BinaryString): Buffer {
  return Buffer.from(path, 'latin1');
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

async function isEmpty(path: string): Promise<boolean> {
  const directory = await opendir(path);
  const first = await directory.read();
  await directory.close();
  return first === null;
}

function outcomeText(row: ItemRow): string {
  try {
    return (JSON.parse(row.outcome) as { message: string }).message;
  } catch (error) {
    throw new HoldfastError('repository/damaged', 'never', `The outcome of ${row.name} cannot be read.`, { cause: error });
  }
}
