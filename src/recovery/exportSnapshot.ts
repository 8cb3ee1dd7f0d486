import { HoldfastError, messageOf, type BinaryString, type ItemRow, type Progress } from '../domain/index.ts';
import type { Descriptor } from '../connectors/contract.ts';
import type { ItemReader, Manifest, Repository, SegmentSource } from '../repository/index.ts';
import type { ObjectSink } from '../storage/objectSink.ts';
import { rowsOf } from './browseSnapshot.ts';
import { EmlFiles } from './emlFiles.ts';
import { ExportFeed } from './exportFeed.ts';
import { ExportLog, MANIFEST } from './exportLog.ts';
import { ExportPaths } from './exportPaths.ts';
import type { ExportFormat, ExportReport } from './exportReport.ts';
import type { ExportWriter, OutgoingItem } from './exportWriter.ts';
import { HeldFolders } from './heldFolders.ts';
import { folderGroups } from './folderGroups.ts';
import { FolderLearner } from './folderLearner.ts';
import { MboxFiles, MOST_OPEN, TOP_MBOX } from './mboxFiles.ts';
import { shownRows } from './shownRows.ts';
import { ZipParts, type ZipPartsOptions } from './zipParts.ts';

export interface ExportOptions {
  readonly sink: ObjectSink;
  readonly format: ExportFormat;
  readonly descriptor: Descriptor;
  /** Bytes that a file with several items has at most. */
  readonly partSize: number;
  /** Only rows that it answers true for. Undefined: all. */
  readonly within?: (row: ItemRow) => boolean;
  /** Only keys that start with it are read. */
  readonly prefix?: BinaryString;
  /** Takes along what the source keeps for legal reasons alone. What was chosen by a path is taken along anyway. */
  readonly holds?: boolean;
  /** Rows of the folders above what was chosen, top first. */
  readonly above?: readonly ItemRow[];
  /** What was chosen, as the manifest is to say it. */
  readonly path?: string | undefined;
  readonly zip?: ZipPartsOptions;
  readonly workers?: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** A mail is what is a .eml file on a disk. */
const MAIL = '.eml';

/** The formats that a service's items can be exported as. */
export function exportFormats({ kinds }: Descriptor): readonly ExportFormat[] {
  return Object.values(kinds).some(({ extension }) => extension === MAIL) ? ['eml', 'mbox', 'zip'] : ['zip'];
}

/**
 * Writes a snapshot, or what was chosen of it, as files for other programs into an empty place, with a manifest that gets
 * its name last. What cannot be read is named and the rest goes on; an export that does not reach its end takes away what it
 * wrote. Memory is flat: pieces of contents, the folders, and the list of entries of one ZIP.
 */
export async function exportSnapshot(repository: Repository, manifest: Manifest, options: ExportOptions): Promise<ExportReport> {
  const { sink, signal, workers } = options;
  if (!exportFormats(options.descriptor).includes(options.format)) throw wrongFormat(options);
  await sink.claim({ signal });
  try {
    return await repository.reading(manifest, { purpose: 'export', workers, signal }, (reader) =>
      new SnapshotExport(rowsOf(repository, manifest), manifest, reader, options).run());
  } catch (error) {
    await sink.discard().catch((left: unknown) => options.progress({
      type: 'warning', item: sink.location, code: 'export/not-discarded', message: `What was written could not be taken away; delete it. ${messageOf(left)}`,
    }));
    throw error;
  }
}

class SnapshotExport {
  readonly #source: SegmentSource;
  readonly #manifest: Manifest;
  readonly #reader: ItemReader;
  readonly #options: ExportOptions;
  readonly #paths: ExportPaths;
  readonly #learner: FolderLearner;
  /** Folders that the writer was told of. */
  readonly #made = new Set<BinaryString>();
  readonly #held: HeldFolders;

  constructor(source: SegmentSource, manifest: Manifest, reader: ItemReader, options: ExportOptions) {
    this.#source = source;
    this.#manifest = manifest;
    this.#reader = reader;
    this.#options = options;
    this.#held = new HeldFolders(options.descriptor);
    const exact = options.format === 'zip' && !exportFormats(options.descriptor).includes('eml');
    const paths = new ExportPaths(exact ? 'exact' : 'safe', [MANIFEST, TOP_MBOX]);
    this.#paths = paths;
    this.#learner = new FolderLearner(() => shownRows(source, manifest.layers, '', options.signal), {
      knows: (key) => paths.knows(key), learn: (row) => paths.learn(row, options.descriptor.onDisk(row).name),
    });
  }

  async run(): Promise<ExportReport> {
    const { sink, signal } = this.#options;
    const log = await this.#log();
    const writer = this.#writer(log);
    try {
      for (const row of this.#options.above ?? []) await this.#above(row, writer);
      const feed = new ExportFeed(this.#reader);
      for await (const { read, failed } of feed.contents(this.#items(log, writer))) {
        for (const { row, error } of failed) await log.failed(row, error);
        await writer.items(read);
        log.tell();
      }
      await writer.finish();
      // The manifest says that all is there: so it has to be.
      await sink.settle();
      signal.throwIfAborted();
      await log.finish();
      await sink.settle();
      return log.report;
    } catch (error) {
      // If these fail too, the first error is the one to tell; what they leave is discarded with the rest.
      await Promise.allSettled([writer.abandon(), log.abandon()]);
      throw error;
    }
  }

  #log(): Promise<ExportLog> {
    const { sink, format, path, within, signal, progress } = this.#options;
    const { id, entity, startedAt, counts } = this.#manifest;
    return ExportLog.begin(sink, {
      head: { format, snapshot: id, service: entity.service, entity: entity.id, startedAt, ...(path === undefined ? {} : { path }) },
      shown: (row) => this.#paths.shown(row), totals: within ? {} : { totalItems: counts.items, totalBytes: counts.bytes }, progress, signal,
    });
  }

  #writer(log: ExportLog): ExportWriter {
    const { format, sink, signal, zip = {} } = this.#options;
    if (format === 'eml') return new EmlFiles(sink, log, signal);
    if (format === 'mbox') return new MboxFiles(this.#options, log, (folder) => this.#paths.folder(folder));
    return new ZipParts(this.#options, log, zip);
  }

  /** All that was chosen; for a file a folder, in as many passes over the rows as keep the number of open files small. */
  async* #items(log: ExportLog, writer: ExportWriter): AsyncGenerator<OutgoingItem> {
    const { format, within } = this.#options;
    const groups = format === 'mbox' ? await folderGroups(this.#rows(), MOST_OPEN, within) : undefined;
    if (!groups) yield* this.#pass(log, writer);
    for (const group of groups ?? []) yield* this.#pass(log, writer, group);
  }

  #rows(): AsyncGenerator<readonly ItemRow[]> {
    return shownRows(this.#source, this.#manifest.layers, this.#options.prefix ?? '', this.#options.signal);
  }

  /** Folders are made as they come, a batch or two before what they hold is written. `group`: only the items of these. */
  async* #pass(log: ExportLog, writer: ExportWriter, group?: ReadonlySet<BinaryString>): AsyncGenerator<OutgoingItem> {
    const { within, signal } = this.#options;
    for await (const batch of this.#rows()) {
      for (const row of batch) {
        if (row.kind === 'folder') {
          await this.#learner.learn(row);
          this.#held.learn(row);
        }
        if (within && !within(row)) continue;
        if (row.kind === 'folder') {
          await this.#folder(row, log, writer);
          continue;
        }
        const item = !group || group.has(row.parent) ? await this.#item(row, log) : undefined;
        if (item) yield item;
      }
      signal.throwIfAborted();
    }
  }

  async #item(row: ItemRow, log: ExportLog): Promise<OutgoingItem | undefined> {
    const { descriptor, format } = this.#options;
    const kind = descriptor.kinds[row.kind]?.title ?? row.kind;
    if (this.#isHeld(row.parent)) {
      await log.leftOut(row, { code: 'export/on-hold', kind, message: 'Only a legal hold of the source keeps it. `--holds` takes it along.' });
      return undefined;
    }
    if (format !== 'zip' && descriptor.kinds[row.kind]?.extension !== MAIL) {
      await log.leftOut(row, { code: 'export/other-kind', kind, message: `It is no mail, and ${format} holds mails alone. \`--format zip\` takes it along; \`--path\` chooses the mail alone.` });
      return undefined;
    }
    const entry = descriptor.onDisk(row);
    const item = { row, entry, path: this.#paths.item(row, entry.name), folder: row.parent };
    if (entry.link !== undefined) return { ...item, bytes: Buffer.from(entry.link, 'latin1') };
    if (row.content !== '') return item;
    await log.noContent(row);
    return undefined;
  }

  /** A folder that was not chosen itself is there for its place alone: it becomes no mailbox file. */
  async #above(row: ItemRow, writer: ExportWriter): Promise<void> {
    const entry = this.#options.descriptor.onDisk(row);
    this.#paths.learn(row, entry.name);
    if (this.#options.format !== 'mbox') await writer.folder(row, entry, this.#paths.folder(row.key));
  }

  #isHeld(folder: BinaryString): boolean {
    const { holds, within } = this.#options;
    return holds !== true && within === undefined && this.#held.holds(folder);
  }

  async #folder(row: ItemRow, log: ExportLog, writer: ExportWriter): Promise<void> {
    if (this.#isHeld(row.key)) return;
    const entry = this.#options.descriptor.onDisk(row);
    const path = this.#paths.folder(row.key);
    if (this.#made.has(row.key)) return;
    this.#made.add(row.key);
    if (path !== '') log.report.folders++;
    await writer.folder(row, entry, path);
  }
}

function wrongFormat({ format, descriptor }: ExportOptions): HoldfastError {
  const formats = exportFormats(descriptor);
  return new HoldfastError('export/no-format', 'input',
    `A snapshot of this kind (${descriptor.title}) cannot be exported as ${format}. Use --format ${formats.join(' or ')}.`, { data: { format } });
}
