import { createHash } from 'node:crypto';
import type { ObjectSink, ObjectWriter } from '../storage/objectSink.ts';

/** A file of an export: counts and sums up what is written to it. */
export class HashedFile {
  readonly name: string;
  readonly #writer: ObjectWriter;
  readonly #hash = createHash('sha256');
  #length = 0;

  private constructor(name: string, writer: ObjectWriter) {
    this.name = name;
    this.#writer = writer;
  }

  static async open(sink: ObjectSink, name: string, signal: AbortSignal): Promise<HashedFile> {
    return new HashedFile(name, await sink.open(name, { signal }));
  }

  get length(): number { return this.#length; }

  async write(bytes: Uint8Array): Promise<void> {
    this.#length += bytes.length;
    this.#hash.update(bytes);
    await this.#writer.write(bytes);
  }

  /** Hex digits of the SHA-256 of the whole file. */
  async finish(): Promise<string> {
    await this.#writer.finish();
    return this.#hash.digest('hex');
  }

  abandon(): Promise<void> {
    return this.#writer.abandon();
  }
}
