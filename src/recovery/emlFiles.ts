import { hash } from 'node:crypto';
import type { DiskEntry } from '../connectors/contract.ts';
import type { ItemRow } from '../domain/index.ts';
import type { ObjectSink } from '../storage/objectSink.ts';
import type { ExportLog } from './exportLog.ts';
import { isLarge, type ExportWriter, type Outgoing, type OutgoingItem } from './exportWriter.ts';
import { HashedFile } from './hashedFile.ts';

/** Files that are written at once: each waits for the disk. */
const AT_ONCE = 16;

/** Each mail as a file of its own, byte for byte, in the tree of folders. */
export class EmlFiles implements ExportWriter {
  readonly #sink: ObjectSink;
  readonly #log: ExportLog;
  readonly #signal: AbortSignal;

  constructor(sink: ObjectSink, log: ExportLog, signal: AbortSignal) {
    this.#sink = sink;
    this.#log = log;
    this.#signal = signal;
  }

  folder(_row: ItemRow, _entry: DiskEntry, path: string): Promise<void> {
    return path === '' ? Promise.resolve() : this.#sink.folder(path);
  }

  async items(batch: readonly Outgoing[]): Promise<void> {
    for (let start = 0; start < batch.length; start += AT_ONCE) {
      this.#signal.throwIfAborted();
      const some = batch.slice(start, start + AT_ONCE);
      // All have ended before an error goes on upwards: what is written is then taken away.
      const ended = await Promise.allSettled(some.map((one) => this.#write(one)));
      for (const [i, end] of ended.entries()) {
        const { row } = (some[i] as Outgoing).item;
        if (end.status === 'fulfilled') await this.#log.single(row, end.value);
        else await this.#log.failed(row, end.reason);
      }
    }
  }

  async #write({ item, content }: Outgoing): Promise<{ file: string; size: number; sha256: string }> {
    return isLarge(content) ? this.#stream(item, content.pieces()) : this.#whole(item, content);
  }

  async #whole({ path }: OutgoingItem, bytes: Uint8Array): Promise<{ file: string; size: number; sha256: string }> {
    const writer = await this.#sink.open(path, { signal: this.#signal });
    try {
      await writer.write(bytes);
      await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    return { file: path, size: bytes.length, sha256: hash('sha256', bytes, 'hex') };
  }

  async #stream({ path }: OutgoingItem, pieces: AsyncIterable<Uint8Array>): Promise<{ file: string; size: number; sha256: string }> {
    const file = await HashedFile.open(this.#sink, path, this.#signal);
    try {
      for await (const piece of pieces) await file.write(piece);
      return { file: path, size: file.length, sha256: await file.finish() };
    } catch (error) {
      await file.abandon();
      throw error;
    }
  }

  async finish(): Promise<void> {
    // Every file was finished as it was written.
  }

  async abandon(): Promise<void> {
    // Nothing stays open between two calls.
  }
}
