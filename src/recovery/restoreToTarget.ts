import { companionKey, HoldfastError, isCompanion, isHoldfastError, messageOf, type BinaryString, type ItemRow, type Progress } from '../domain/index.ts';
import type { RestoreItem, TargetSession, WriteResult } from '../connectors/contract.ts';
import { stateRows, type ItemReader, type Manifest, type ReadResult, type Repository } from '../repository/index.ts';
import { rowsOf } from './browseSnapshot.ts';
import { FolderLearner } from './folderLearner.ts';
import { NO_RESTORE, type RestoreIssue, type RestoreReport } from './restoreReport.ts';

export interface RestoreToOptions {
  /** Only these rows; folders above them are passed anyway. Undefined: all. */
  readonly within?: (row: ItemRow) => boolean;
  /** What would be done is counted; nothing is read or written. */
  readonly dryRun?: boolean;
  readonly workers?: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

const BATCH_ITEMS = 256;
const BATCH_BYTES = 8 * 1024 * 1024;
/** Larger items are read one by one. */
const LARGE = 16 * 1024 * 1024;
/** What a target takes in one piece at most. */
const LARGEST = 512 * 1024 * 1024;
/** Folders above each other: more is damage. */
const DEEPEST = 4096;

/**
 * Gives a snapshot back to a service through its target session: folders before what they hold, contents only of the items
 * that the target says it lacks. A failed item is named and the rest goes on; at the end the target confirms what it has.
 */
export async function restoreToTarget(
  repository: Repository, manifest: Manifest, target: TargetSession, options: RestoreToOptions,
): Promise<RestoreReport> {
  const { signal, workers } = options;
  return repository.reading(manifest, { purpose: 'restore', workers, signal }, (reader) =>
    new TargetRestore(repository, manifest, target, reader, options).run());
}

interface Folder {
  readonly row: ItemRow;
  passed: boolean;
}

/** An item to be written, and the row whose content is read for it. */
interface Wanted {
  readonly item: RestoreItem;
  readonly row: ItemRow;
}

class TargetRestore {
  readonly #manifest: Manifest;
  readonly #target: TargetSession;
  readonly #reader: ItemReader;
  readonly #options: RestoreToOptions;
  readonly #folders = new Map<BinaryString, Folder>();
  readonly #learner: FolderLearner;
  readonly #rows: () => AsyncIterable<readonly ItemRow[]>;
  readonly #report: RestoreReport = { ...NO_RESTORE, issues: [] };
  #batch: RestoreItem[] = [];
  #bytes = 0;
  /** Items that the target cannot be given, by the name of the folder at their top. */
  readonly #notYet = new Map<string, number>();

  constructor(repository: Repository, manifest: Manifest, target: TargetSession, reader: ItemReader, options: RestoreToOptions) {
    this.#manifest = manifest;
    this.#target = target;
    this.#reader = reader;
    this.#options = options;
    this.#rows = () => stateRows(rowsOf(repository, manifest), manifest.layers, '', options.signal);
    this.#learner = new FolderLearner(this.#rows, {
      knows: (key) => this.#folders.has(key), learn: (row) => this.#folders.set(row.key, { row, passed: false }),
    });
  }

  async run(): Promise<RestoreReport> {
    const { signal, within } = this.#options;
    for await (const rows of this.#rows()) {
      for (const row of rows) {
        if (row.kind === 'folder') await this.#learner.learn(row);
        if (isCompanion(row)) this.#accompany(row);
        else if (!within || within(row)) await this.#take(row);
      }
      signal.throwIfAborted();
      const { written, replaced, unchanged, skipped, bytes } = this.#report;
      this.#options.progress({
        type: 'progress', stage: 'restore', items: written + replaced + unchanged + skipped, bytes, totalItems: this.#manifest.counts.items,
      });
    }
    await this.#flush();
    this.#tellNotYet();
    if (this.#options.dryRun !== true) await this.#target.finish(signal);
    return this.#report;
  }

  /** Names of the folders above, top first. */
  #pathOf(row: ItemRow): readonly string[] {
    const path: string[] = [];
    for (let above = this.#folders.get(row.parent); above; above = this.#folders.get(above.row.parent)) {
      path.unshift(above.row.name);
      if (path.length > DEEPEST) throw new HoldfastError('restore/no-folder', 'never', `The folders of the snapshot above ${row.name} lie in each other.`);
    }
    return path;
  }

  async #take(row: ItemRow): Promise<void> {
    const scope = this.#target.scope?.(row) ?? 'given';
    if (scope !== 'given') {
      if (scope === 'not-yet' && row.kind !== 'folder') this.#leave(row);
      return;
    }
    if (row.kind === 'folder') {
      await this.#passFolder(row.key);
      return;
    }
    // The last one's companion has come by now.
    if (this.#batch.length >= BATCH_ITEMS || this.#bytes >= BATCH_BYTES) await this.#flush();
    await this.#passFolder(row.parent);
    this.#batch.push({ row, path: this.#pathOf(row) });
    this.#bytes += row.size;
  }

  /** Goes with its item, if that is given back. One that is not whole as of this snapshot is of no use. */
  #accompany(row: ItemRow): void {
    const item = this.#batch.at(-1);
    if (item && row.key === companionKey(item.row.key) && row.content !== '' && row.outcome === '') this.#batch[this.#batch.length - 1] = { ...item, companion: row };
  }

  #leave(row: ItemRow): void {
    const [top = row.name] = this.#pathOf(row);
    this.#notYet.set(top, (this.#notYet.get(top) ?? 0) + 1);
    this.#report.failed++;
  }

  /** One sentence for each part: there may be many thousand items. */
  #tellNotYet(): void {
    for (const [item, count] of this.#notYet) {
      const items = count === 1 ? '1 item' : `${count} items`;
      this.#tell({ item, code: 'restore/not-yet', message: `${items} of this kind cannot be given back to the service so far. Restore them into a folder, or export them.` });
    }
  }

  /** A folder and those above it, each once, top first. */
  async #passFolder(key: BinaryString): Promise<void> {
    const folder = this.#folders.get(key);
    if (!folder || folder.passed) return;
    folder.passed = true;
    await this.#passFolder(folder.row.parent);
    const item = { row: folder.row, path: this.#pathOf(folder.row) };
    const { signal, dryRun } = this.#options;
    const result = dryRun === true ? (await this.#target.plan([item], signal))[0] : await this.#target.folder(item, signal);
    if (result?.result === 'written') this.#report.folders++;
    if (result) this.#outcome(item, result);
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#bytes = 0;
    const { signal, dryRun } = this.#options;
    const withContent = batch.filter((item) => this.#hasContent(item));
    const planned = await this.#target.plan(withContent, signal);
    const wanted: RestoreItem[] = [];
    planned.forEach((result, i) => {
      const item = withContent[i] as RestoreItem;
      const write = result.result === 'written' || result.result === 'replaced';
      if (write && dryRun !== true) wanted.push(item);
      else this.#count(item, result);
    });
    await this.#write(wanted);
  }

  #hasContent(item: RestoreItem): boolean {
    if (item.row.content !== '' || item.companion) return true;
    this.#issue(item, 'restore/no-content', item.row.outcome === '' ? 'The snapshot holds no content for it.' : outcomeText(item.row));
    this.#report.failed++;
    return false;
  }

  async #write(items: readonly RestoreItem[]): Promise<void> {
    const read: Wanted[] = [];
    for (const item of items) read.push({ item, row: await this.#target.reads?.(item, this.#options.signal) ?? item.row });
    const small = read.filter(({ row }) => row.size <= LARGE && row.content !== '');
    const { results } = await this.#reader.read(small.map(({ row }) => ({ row })));
    const given = await results;
    const waiting = [...small.entries()].reverse();
    const worker = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await this.#writeOne(next[1], given[next[0]]);
    };
    const { parallel = 1 } = this.#target;
    await allEnded(Array.from({ length: Math.min(parallel, small.length) }, worker));
    for (const one of read) if (!small.includes(one)) await this.#writeOne(one, undefined);
  }

  async #writeOne({ item, row }: Wanted, given: ReadResult | undefined): Promise<void> {
    const { signal } = this.#options;
    let bytes: Uint8Array;
    try {
      bytes = given && 'bytes' in given ? given.bytes : await this.#whole(row);
    } catch (error) {
      if (!isHoldfastError(error) || error.retryClass !== 'never') throw error;
      this.#issue(item, error.code, messageOf(error));
      this.#report.failed++;
      return;
    }
    const result = await this.#target.write(item, bytes, signal, async (other) => await this.#whole(other));
    if (result.result === 'written' || result.result === 'replaced' || result.result === 'altered') this.#report.bytes += bytes.length;
    this.#count(item, result);
    if (item.row.outcome !== '') this.#issue(item, 'restore/altered', outcomeText(item.row));
  }

  async #whole(row: ItemRow): Promise<Buffer> {
    if (row.content === '') return Buffer.alloc(0);
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of this.#reader.content(row)) {
      length += part.length;
      if (length > LARGEST) throw new HoldfastError('restore/too-large', 'never', 'It is larger than one item may be here; restore it into a folder instead.');
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  #count(item: RestoreItem, result: WriteResult): void {
    if (result.result === 'altered') this.#report.written++;
    else this.#report[result.result]++;
    this.#outcome(item, result);
  }

  #outcome(item: RestoreItem, result: WriteResult): void {
    if ('outcome' in result) this.#issue(item, `restore/${result.outcome.code}`, result.outcome.message);
  }

  #issue({ row, path }: RestoreItem, code: string, message: string): void {
    this.#tell({ item: [...path, row.name].join('/'), code, message });
  }

  #tell(issue: RestoreIssue): void {
    if (this.#report.issues.length < 1000) this.#report.issues.push(issue);
    this.#options.progress({ type: 'warning', ...issue });
  }
}

/** Throws the first error, but not before everything has ended: nothing is written behind the back of who tidies up. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(work);
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

function outcomeText(row: ItemRow): string {
  return (JSON.parse(row.outcome) as { message: string }).message;
}
