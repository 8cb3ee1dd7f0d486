import type { ItemRow } from '../domain/index.ts';
import type { ItemReader, ReadResult } from '../repository/index.ts';
import type { Outgoing, OutgoingItem } from './exportWriter.ts';

const BATCH_ITEMS = 256;
const BATCH_BYTES = 8 * 1024 * 1024;
/** Larger contents are streams. */
const LARGE = 24 * 1024 * 1024;

/** Items with their contents, and those whose content could not be read. */
export interface ReadBatch {
  readonly read: readonly Outgoing[];
  readonly failed: readonly { readonly row: ItemRow; readonly error: unknown }[];
}

/**
 * Reads the contents of items in the order of the items, a batch ahead of whoever takes them. Memory: two batches, or
 * pieces of one large content.
 */
export class ExportFeed {
  readonly #reader: ItemReader;

  constructor(reader: ItemReader) {
    this.#reader = reader;
  }

  async* contents(items: AsyncIterable<OutgoingItem>): AsyncGenerator<ReadBatch> {
    let ahead: Promise<ReadBatch> | undefined;
    for await (const batch of batches(items)) {
      // Only whoever takes it waits for it: one that fails before that is no unhandled one.
      const next = this.#read(batch);
      next.catch(() => undefined);
      if (ahead) yield await ahead;
      ahead = next;
    }
    if (ahead) yield await ahead;
  }

  async #read(batch: readonly OutgoingItem[]): Promise<ReadBatch> {
    const small = batch.filter(({ row, bytes }) => bytes === undefined && row.size <= LARGE);
    const { results } = await this.#reader.read(small.map(({ row }) => ({ row })));
    const given = await results;
    const byItem = new Map(small.map((item, i) => [item, given[i]]));
    const read: Outgoing[] = [];
    const failed: { row: ItemRow; error: unknown }[] = [];
    for (const item of batch) {
      try {
        read.push({ item, content: await this.#content(item, byItem.get(item)) });
      } catch (error) {
        failed.push({ row: item.row, error });
      }
    }
    return { read, failed };
  }

  async #content({ row, bytes }: OutgoingItem, given: ReadResult | undefined): Promise<Outgoing['content']> {
    if (bytes) return bytes;
    if (row.size > LARGE) return { pieces: () => this.#reader.content(row) };
    // What did not come with its batch is read by itself.
    return given && 'bytes' in given ? given.bytes : this.#whole(row);
  }

  async #whole(row: ItemRow): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.#reader.content(row)) parts.push(part);
    return Buffer.concat(parts);
  }
}

/** A large item is a batch of its own. */
async function* batches(items: AsyncIterable<OutgoingItem>): AsyncGenerator<OutgoingItem[]> {
  let batch: OutgoingItem[] = [];
  let bytes = 0;
  for await (const item of items) {
    const { size } = item.row;
    if (batch.length > 0 && (batch.length >= BATCH_ITEMS || bytes + size > BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

