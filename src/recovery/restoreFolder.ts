import { opendir } from 'node:fs/promises';
import { isHoldfastError, type BinaryString, type ItemRow, type Progress } from '../domain/index.ts';
import type { Descriptor, DiskEntry } from '../connectors/contract.ts';
import type { ItemReader, ItemRequest, Manifest, ReadResult, Repository, SegmentSource } from '../repository/index.ts';
import { DiskPaths } from './diskPaths.ts';
import { closeTimes, finishFolder, makeFolder, makeLink, makeNewFolder, makeRoot, ownerOf, seconds, setOwner, setTime, standing, writeStream, type FolderMode } from './diskWrites.ts';
import { IssueLog, outcomeText } from './issueLog.ts';
import { NO_RESTORE, type RestoreReport } from './restoreReport.ts';
import { shownRows } from './shownRows.ts';

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
  const { signal, workers } = options;
  return repository.reading(manifest, { purpose: 'restore', workers, signal }, (reader) =>
    new FolderRestore(repository, manifest, reader, options).run());
}

interface PendingFile {
  readonly row: ItemRow;
  readonly entry: DiskEntry;
  readonly path: BinaryString;
  /** Something else stands there. */
  readonly replaces: boolean;
}

class FolderRestore {
  readonly #source: SegmentSource;
  readonly #manifest: Manifest;
  readonly #reader: ItemReader;
  readonly #options: RestoreFolderOptions;
  readonly #root: BinaryString;
  readonly #paths: DiskPaths;
  readonly #report: RestoreReport = { ...NO_RESTORE, issues: [] };
  readonly #log: IssueLog;
  readonly #running = new Set<Promise<void>>();
  #files: PendingFile[] = [];
  #bytes = 0;
  /** Folders that were made before their row came. */
  readonly #early = new Set<BinaryString>();
  /** Nothing stands below the root but what this restore made. */
  #fresh = false;
  #rootMade = false;
  #learnedAll = false;
  #hasLinks = false;
  #sent = false;
  #failure: unknown;

  constructor(repository: Repository, manifest: Manifest, reader: ItemReader, options: RestoreFolderOptions) {
    const { storage, keyring } = repository.context;
    this.#source = { storage, keyring, tag: manifest.tag };
    this.#manifest = manifest;
    this.#reader = reader;
    this.#options = options;
    this.#log = new IssueLog(this.#report, options.progress);
    this.#root = Buffer.from(options.to).toString('latin1');
    this.#paths = new DiskPaths(this.#root);
  }

  async run(): Promise<RestoreReport> {
    this.#rootMade = await makeRoot(this.#options.to);
    this.#fresh = this.#rootMade || await isEmpty(this.#options.to);
    for (const row of this.#options.above ?? []) await this.#folder(row);
    for await (const row of this.#rows()) {
      if (row.kind === 'folder') {
        await this.#folder(row);
        continue;
      }
      const entry = this.#entry(row);
      if (entry.link === undefined) await this.#file(row, entry);
      else this.#hasLinks = true;
    }
    await this.#drain();
    await this.#finishFoldersAndLinks();
    return this.#report;
  }

  async* #rows(kind?: 'folder'): AsyncGenerator<ItemRow> {
    const { prefix = '', within, signal } = this.#options;
    for await (const batch of shownRows(this.#source, this.#manifest.layers, prefix, signal, kind)) {
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
    if (this.#early.delete(row.key)) return;
    if (row.parent !== '' && !this.#paths.knows(row.parent) && !this.#learnedAll) {
      await this.#learnAll();
      if (this.#early.delete(row.key)) return;
    }
    await this.#make(row);
  }

  /** A folder may lie in one whose key comes later: then all are learned first, and made from the top. */
  async #learnAll(): Promise<void> {
    this.#learnedAll = true;
    const waiting = new Map<BinaryString, ItemRow>();
    for await (const row of this.#rows('folder')) if (!this.#paths.knows(row.key)) waiting.set(row.key, row);
    const make = async (row: ItemRow): Promise<void> => {
      if (!waiting.delete(row.key)) return;
      const above = waiting.get(row.parent);
      if (above) await make(above);
      await this.#make(row);
      this.#early.add(row.key);
    };
    for (const row of waiting.values()) await make(row);
  }

  async #make(row: ItemRow): Promise<void> {
    this.#paths.learn(row, this.#entry(row).name);
    try {
      const path = this.#paths.folder(row.key);
      const make = this.#fresh ? makeNewFolder : makeFolder;
      if (path !== this.#root && await make(path, this.#options.mode === 'replace')) this.#paths.made(row.key);
    } catch (error) {
      this.#paths.refuse(row.key);
      this.#log.failed(row, error, 'The folder could not be made');
    }
  }

  async #file(row: ItemRow, entry: DiskEntry): Promise<void> {
    const path = this.#place(row, entry);
    if (path === undefined) return;
    if (row.content === '') {
      this.#log.issue(row, 'restore/no-content', row.outcome === '' ? 'The snapshot holds no content for it.' : outcomeText(row));
      return;
    }
    const replaces = this.#fresh ? false : await this.#mayWrite(row, entry, path);
    if (replaces === undefined) return;
    if (row.outcome !== '') this.#log.issue(row, 'restore/altered', outcomeText(row));
    const file = { row, entry, path, replaces };
    if (row.size > LARGE) return this.#large(file);
    this.#files.push(file);
    this.#bytes += row.size;
    if (this.#files.length >= BATCH_ITEMS || this.#bytes >= BATCH_BYTES) await this.#send();
  }

  #place(row: ItemRow, entry: DiskEntry): BinaryString | undefined {
    try {
      return this.#paths.item(row, entry.name);
    } catch (error) {
      this.#log.failed(row, error, '');
      return undefined;
    }
  }

  /**
   * Whether something is replaced by writing; undefined: nothing is to be written. A second restore of the same writes
   * nothing; whatever else stands there is left unless it is to be replaced.
   */
  async #mayWrite(row: ItemRow, entry: DiskEntry, path: BinaryString): Promise<boolean | undefined> {
    try {
      const there = await standing(path);
      if (!there) return false;
      const time = entry.modifiedNs;
      if (there.isFile() && Number(there.size) === row.size && time !== undefined && closeTimes(there.mtimeNs, time)) {
        this.#report.unchanged++;
        return undefined;
      }
      if (this.#options.mode === 'replace' && !there.isDirectory()) return true;
      if (this.#options.mode === 'skip') this.#report.skipped++;
      else this.#log.issue(row, 'restore/exists', 'Something else stands there already; it was left as it is.');
    } catch (error) {
      this.#log.failed(row, error, 'What stands there could not be looked at');
    }
    return undefined;
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

  #request({ row, entry, path, replaces }: PendingFile): ItemRequest {
    const modified = entry.modifiedNs === undefined ? null : seconds(entry.modifiedNs);
    const owner = ownerOf(entry);
    return { row, target: { path, mode: entry.mode ?? null, modified, replace: replaces, ...(owner ? { owner } : {}) } };
  }

  async #settle(files: readonly PendingFile[], results: readonly ReadResult[]): Promise<void> {
    for (const [i, file] of files.entries()) {
      const result = results[i] as ReadResult;
      if ('code' in result && result.code.startsWith('repository/')) await this.#large(file);
      else if ('code' in result) this.#log.issue(file.row, result.code, result.message);
      else this.#count(file);
    }
  }

  #count({ row, replaces }: PendingFile): void {
    this.#report[replaces ? 'replaced' : 'written']++;
    this.#report.bytes += row.size;
  }

  /** One item by itself: what is too large for a worker, too few for one, and what did not come that way. */
  async #large(file: PendingFile): Promise<void> {
    const { row, entry, path, replaces } = file;
    try {
      await writeStream(path, this.#reader.content(row), entry, replaces);
      this.#count(file);
    } catch (error) {
      if (this.#options.signal.aborted) throw error;
      this.#log.failed(row, error, 'The file could not be written');
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
    for await (const row of this.#rows('folder')) await this.#finishFolder(row, this.#entry(row));
    if (this.#rootMade) await finishFolder(this.#root, { name: '.' }, true);
  }

  async #finishFolder(row: ItemRow, entry: DiskEntry): Promise<void> {
    try {
      const path = this.#paths.folder(row.key);
      const isRoot = path === this.#root;
      await finishFolder(path, entry, isRoot ? this.#rootMade : this.#paths.wasMade(row.key));
      if (isRoot) this.#rootMade = false;
      this.#report.folders++;
    } catch (error) {
      // That it was not made is named already.
      if (isHoldfastError(error)) return;
      this.#log.failed(row, error, 'Its mode or times could not be set', 'restore/attributes');
    }
  }

  async #link(row: ItemRow, entry: DiskEntry, target: BinaryString): Promise<void> {
    const path = this.#place(row, entry);
    if (path === undefined) return;
    try {
      const result = await makeLink(path, target, this.#options.mode ?? 'refuse');
      this.#report[result]++;
      if (result !== 'written' && result !== 'replaced') return;
      await setOwner(path, entry);
      await setTime(path, entry);
    } catch (error) {
      this.#log.failed(row, error, 'The link could not be made');
    }
  }
}

async function isEmpty(path: string): Promise<boolean> {
  const directory = await opendir(path);
  const first = await directory.read();
  await directory.close();
  return first === null;
}
