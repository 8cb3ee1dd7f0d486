import type { BinaryString } from '../domain/index.ts';
import type { Chunker } from './chunker.ts';
import { encodeOps, encodeRecipe, INLINE_OPS, type BlobRef } from './recipe.ts';

/** Chunks of one step, some 4 GiB of content; a file of more has several steps. */
const STEP_BLOBS = 65_536;

/**
 * Collects the chunks of a large file and gives its recipe. Steps are encoded and handed to `name`, which makes a blob of
 * each piece, while the file is still read: a list of all chunks of a file of terabytes would not fit into a worker.
 */
export class FileSteps {
  readonly #chunker: Chunker;
  readonly #name: (bytes: Uint8Array) => BlobRef;
  readonly #stored: BlobRef[] = [];
  #blobs: BlobRef[] = [];
  /** Encoded steps that are not yet enough for a chunk of their own. */
  #waiting = Buffer.alloc(0);

  constructor(chunker: Chunker, name: (bytes: Uint8Array) => BlobRef) {
    this.#chunker = chunker;
    this.#name = name;
  }

  add(blob: BlobRef): void {
    this.#blobs.push(blob);
  }

  /** Between two windows of the file: stores the steps that are complete. Uses the chunker's window. */
  settle(): void {
    if (this.#blobs.length < STEP_BLOBS) return;
    this.#encode();
    this.#cut(this.#chunker.pieceCuts(this.#waiting, false));
  }

  recipe(sha256: BinaryString): BinaryString {
    const ops = [{ blobs: this.#blobs }];
    const first = this.#stored.length === 0 && this.#waiting.length === 0;
    if (first && encodeOps(ops).length <= INLINE_OPS) return encodeRecipe({ type: 'ops', sha256, ops });
    this.#encode();
    this.#cut(first ? this.#chunker.cuts(this.#waiting) : this.#chunker.pieceCuts(this.#waiting, true));
    return encodeRecipe({ type: 'stored', sha256, ops: this.#stored });
  }

  #encode(): void {
    if (this.#blobs.length === 0) return;
    this.#waiting = Buffer.concat([this.#waiting, Buffer.from(encodeOps([{ blobs: this.#blobs }]), 'latin1')]);
    this.#blobs = [];
  }

  #cut(ends: readonly number[]): void {
    let start = 0;
    for (const end of ends) {
      this.#stored.push(this.#name(this.#waiting.subarray(start, end)));
      start = end;
    }
    this.#waiting = this.#waiting.subarray(start);
  }
}
