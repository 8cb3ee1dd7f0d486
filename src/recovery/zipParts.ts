import { createHash, hash } from 'node:crypto';
import type { DiskEntry } from '../connectors/contract.ts';
import type { ItemRow } from '../domain/index.ts';
import { packContent, ZipWriter, type PackedContent, type ZipEntry } from '../formats/index.ts';
import type { ExportLog } from './exportLog.ts';
import type { ExportTarget } from './exportTarget.ts';
import { isLarge, type ExportWriter, type LargeContent, type Outgoing, type OutgoingItem } from './exportWriter.ts';
import { HashedFile } from './hashedFile.ts';
import { PartFile } from './partFile.ts';

/** A part is full with so many entries, too: their list is held in memory until its end, some 150 bytes each. */
const MOST_ENTRIES = 250_000;

export interface ZipPartsOptions {
  readonly forceZip64?: boolean;
  readonly mostEntries?: number;
}

/** `export-0001.zip`, `export-0002.zip` …, none larger than a part unless one item alone is. */
export class ZipParts implements ExportWriter {
  readonly #target: ExportTarget;
  readonly #log: ExportLog;
  readonly #options: ZipPartsOptions;
  #number = 0;
  #open: { readonly part: PartFile; readonly zip: ZipWriter } | undefined;

  constructor(target: ExportTarget, log: ExportLog, options: ZipPartsOptions) {
    this.#target = target;
    this.#log = log;
    this.#options = options;
  }

  async folder(row: ItemRow, disk: DiskEntry, path: string): Promise<void> {
    if (path === '') return;
    const entry = zipEntry(row, disk, path, 'folder');
    const { zip } = await this.#partFor(ZipWriter.mostAdded(entry, 0, 0));
    await zip.folder(entry);
  }

  /** The batch is deflated together, on several threads, and written in its order. */
  async items(batch: readonly Outgoing[]): Promise<void> {
    const packed = batch.map(({ content }) => (isLarge(content) ? undefined : packContent(content)));
    for (const one of packed) one?.catch(() => undefined);
    for (const [i, { item, content }] of batch.entries()) {
      this.#target.signal.throwIfAborted();
      if (isLarge(content)) await this.#stream(item, content);
      else await this.#whole(item, content, (await packed[i]) as PackedContent);
    }
  }

  async #whole(item: OutgoingItem, bytes: Uint8Array, packed: PackedContent): Promise<void> {
    const entry = entryOf(item);
    const { part, zip } = await this.#partFor(ZipWriter.mostAdded(entry, bytes.length, packed.bytes.length));
    await zip.content(entry, packed);
    await this.#written(item, part, { size: bytes.length, sha256: hash('sha256', bytes, 'hex') });
  }

  /** Read twice: once to prove it, since what stands in a part cannot be taken back. */
  async #stream(item: OutgoingItem, content: LargeContent): Promise<void> {
    const sum = createHash('sha256');
    let size = 0;
    try {
      for await (const piece of content.pieces()) {
        sum.update(piece);
        size += piece.length;
      }
    } catch (error) {
      await this.#log.failed(item.row, error);
      return;
    }
    const entry = entryOf(item);
    const { part, zip } = await this.#partFor(ZipWriter.mostAdded(entry, size));
    await zip.stream(entry, size, content.pieces());
    await this.#written(item, part, { size, sha256: sum.digest('hex') });
  }

  async #written({ row, path }: OutgoingItem, part: PartFile, place: { size: number; sha256: string }): Promise<void> {
    part.items++;
    await this.#log.written(row, { file: part.file.name, entry: path, ...place });
  }

  async #partFor(bytes: number): Promise<{ readonly part: PartFile; readonly zip: ZipWriter }> {
    const open = this.#open;
    const { mostEntries = MOST_ENTRIES } = this.#options;
    if (open && (open.zip.entries === 0 || (open.zip.length + bytes <= this.#target.partSize && open.zip.entries < mostEntries))) return open;
    await this.#close();
    return this.#begin();
  }

  async #begin(): Promise<{ readonly part: PartFile; readonly zip: ZipWriter }> {
    const name = `export-${String(++this.#number).padStart(4, '0')}.zip`;
    const file = await HashedFile.open(this.#target.sink, name, this.#target.signal);
    const zip = new ZipWriter((bytes) => file.write(bytes), { forceZip64: this.#options.forceZip64 ?? false });
    this.#open = { part: new PartFile(file), zip };
    return this.#open;
  }

  async #close(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    await open.zip.finish();
    await open.part.finish(this.#log);
    this.#open = undefined;
  }

  /** There is always a first part, if an empty one. */
  async finish(): Promise<void> {
    if (this.#number === 0) await this.#begin();
    await this.#close();
  }

  async abandon(): Promise<void> {
    await this.#open?.part.file.abandon();
  }
}

function entryOf({ row, entry, path }: OutgoingItem): ZipEntry {
  return zipEntry(row, entry, path, entry.link === undefined ? 'file' : 'link');
}

function zipEntry(row: ItemRow, { mode, modifiedNs }: DiskEntry, name: string, kind: ZipEntry['kind']): ZipEntry {
  const modified = modifiedNs === undefined ? row.modified : Number(modifiedNs / 1_000_000n);
  return { name, kind, modified, mode: kind === 'link' ? undefined : mode };
}
