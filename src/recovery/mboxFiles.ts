import { createHash, hash } from 'node:crypto';
import type { DiskEntry } from '../connectors/contract.ts';
import type { ItemRow } from '../domain/index.ts';
import { mboxFromLine, MboxrdQuoter } from '../formats/index.ts';
import type { ExportLog } from './exportLog.ts';
import type { ExportTarget } from './exportTarget.ts';
import { isLarge, type ExportWriter, type LargeContent, type Outgoing, type OutgoingItem } from './exportWriter.ts';
import { HashedFile } from './hashedFile.ts';
import { PartFile } from './partFile.ts';

/** What items without a folder go to. */
export const TOP_MBOX = 'mails';

/** Files open at once: a bucket holds some MiB in memory for each. */
export const MOST_OPEN = 16;

/**
 * A file for each folder, `Work/2024.mbox`, of the kind mboxrd; one that would become larger than a part goes on in
 * `Work/2024.part2.mbox`. Of more folders than may be open at once the items are to come a few folders after another; else a
 * folder whose file had to be closed for another's goes on in its next one.
 */
export class MboxFiles implements ExportWriter {
  readonly #target: ExportTarget;
  readonly #log: ExportLog;
  readonly #pathOf: (folder: string) => string;
  /** Files begun, by folder. */
  readonly #begun = new Map<string, number>();
  /** By folder, the one used last at the end. */
  readonly #open = new Map<string, PartFile>();

  /** `pathOf`: where a folder goes, by its key. */
  constructor(target: ExportTarget, log: ExportLog, pathOf: (folder: string) => string) {
    this.#target = target;
    this.#log = log;
    this.#pathOf = pathOf;
  }

  /** Those that get no mail become empty files at the end. */
  async folder(row: ItemRow, _entry: DiskEntry, path: string): Promise<void> {
    if (path !== '' && !this.#begun.has(row.key)) this.#begun.set(row.key, 0);
  }

  async items(batch: readonly Outgoing[]): Promise<void> {
    for (const { item, content } of batch) {
      this.#target.signal.throwIfAborted();
      if (isLarge(content)) await this.#stream(item, content);
      else await this.#whole(item, content);
    }
  }

  async #whole(item: OutgoingItem, bytes: Uint8Array): Promise<void> {
    const quoter = new MboxrdQuoter();
    const pieces = [mboxFromLine(bytes, item.row.modified), quoter.push(bytes), quoter.end()];
    const part = await this.#partFor(item, pieces.reduce((sum, { length }) => sum + length, 0));
    const offset = part.file.length;
    for (const piece of pieces) await part.file.write(piece);
    await this.#written(item, part, { offset, size: bytes.length, sha256: hash('sha256', bytes, 'hex') });
  }

  /** Read twice: once to prove it and to know its length, since what stands in a file that others read cannot be taken back. */
  async #stream(item: OutgoingItem, content: LargeContent): Promise<void> {
    let length = 0;
    const sum = createHash('sha256');
    let size = 0;
    try {
      for await (const piece of mboxPieces(item, content)) length += piece.length;
    } catch (error) {
      await this.#log.failed(item.row, error);
      return;
    }
    const part = await this.#partFor(item, length);
    const offset = part.file.length;
    const seen = (piece: Uint8Array): void => {
      sum.update(piece);
      size += piece.length;
    };
    for await (const piece of mboxPieces(item, content, seen)) await part.file.write(piece);
    await this.#written(item, part, { offset, size, sha256: sum.digest('hex') });
  }

  async #written({ row }: OutgoingItem, part: PartFile, place: { offset: number; size: number; sha256: string }): Promise<void> {
    part.items++;
    await this.#log.written(row, { file: part.file.name, ...place });
  }

  async #partFor({ folder }: OutgoingItem, bytes: number): Promise<PartFile> {
    const open = this.#open.get(folder);
    if (open && (open.items === 0 || open.file.length + bytes <= this.#target.partSize)) {
      this.#open.delete(folder);
      this.#open.set(folder, open);
      return open;
    }
    if (open) await this.#close(folder, open);
    return this.#begin(folder);
  }

  async #begin(folder: string): Promise<PartFile> {
    const [longest] = this.#open;
    if (longest && this.#open.size >= MOST_OPEN) await this.#close(...longest);
    const number = (this.#begun.get(folder) ?? 0) + 1;
    this.#begun.set(folder, number);
    const path = this.#pathOf(folder) || TOP_MBOX;
    const { sink, signal } = this.#target;
    const part = new PartFile(await HashedFile.open(sink, `${path}${number === 1 ? '' : `.part${number}`}.mbox`, signal));
    this.#open.set(folder, part);
    return part;
  }

  async #close(folder: string, part: PartFile): Promise<void> {
    await part.finish(this.#log);
    this.#open.delete(folder);
  }

  async finish(): Promise<void> {
    for (const [folder, part] of this.#open) await this.#close(folder, part);
    for (const [folder, number] of this.#begun) if (number === 0) await this.#close(folder, await this.#begin(folder));
  }

  async abandon(): Promise<void> {
    for (const part of this.#open.values()) await part.file.abandon();
  }
}

async function* mboxPieces({ row }: OutgoingItem, content: LargeContent, see?: (piece: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  const quoter = new MboxrdQuoter();
  let begun = false;
  for await (const piece of content.pieces()) {
    see?.(piece);
    // The header is in the first piece: pieces have some MiB.
    if (!begun) yield mboxFromLine(piece, row.modified);
    begun = true;
    yield quoter.push(piece);
  }
  yield quoter.end();
}
