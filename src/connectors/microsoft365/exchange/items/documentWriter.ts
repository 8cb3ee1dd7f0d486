import { open, rm, type FileHandle } from 'node:fs/promises';

/** Larger contents go to a file. */
const IN_MEMORY = 8 << 20;

/** A content that is written piece by piece: in memory, and in a file once it is too large for that. */
export class DocumentWriter {
  length = 0;
  readonly #path: string;
  #pieces: Buffer[] = [];
  #file: FileHandle | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    this.length += bytes.length;
    if (this.#file !== undefined) {
      await this.#file.writeFile(bytes);
      return;
    }
    this.#pieces.push(bytes);
    if (this.length <= IN_MEMORY) return;
    this.#file = await open(this.#path, 'w', 0o600);
    for (const piece of this.#pieces) await this.#file.writeFile(piece);
    this.#pieces = [];
  }

  async finish(): Promise<{ readonly bytes: Buffer } | { readonly file: string }> {
    if (this.#file === undefined) return { bytes: Buffer.concat(this.#pieces) };
    await this.#file.close();
    return { file: this.#path };
  }

  /** What was written is not wanted. */
  async abandon(): Promise<void> {
    this.#pieces = [];
    if (this.#file === undefined) return;
    await this.#file.close();
    await rm(this.#path, { force: true });
  }
}
