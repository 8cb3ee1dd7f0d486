import { HoldfastError } from '../domain/index.ts';
import type { TerminalStream } from './commandContext.ts';

const NO_READER = 'cli/output-closed';

/** The answer of a command on stdout: lines for a person, or exactly one JSON document. */
export class Output {
  readonly json: boolean;
  readonly #stream: TerminalStream;
  #begun = false;
  #failure: Error | undefined;

  constructor(stream: TerminalStream, json: boolean) {
    this.json = json;
    this.#stream = stream;
    stream.on('error', (error: Error) => {
      this.#failure ??= error;
    });
  }

  /** Whether something of the document is out already, so that no other can follow. */
  get begun(): boolean { return this.#begun; }

  /** A line for a person; not with `json`. */
  async line(text = ''): Promise<void> {
    if (!this.json) await this.#write(`${text}\n`);
  }

  /** The one document; only with `json`. */
  async document(value: unknown): Promise<void> {
    if (this.json) await this.#write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /**
   * A list as it comes: a JSON array with an element a line, or lines. When the source fails midway the array is left
   * open, so that nobody takes a part for the whole.
   */
  async list<T>(batches: AsyncIterable<readonly T[]>, as: { json: (item: T) => unknown; line: (item: T) => string }): Promise<number> {
    let count = 0;
    for await (const batch of batches) {
      if (batch.length === 0) continue;
      const text = this.json
        ? (count === 0 ? '[\n' : ',\n') + batch.map((item) => JSON.stringify(as.json(item))).join(',\n')
        : batch.map((item) => `${as.line(item)}\n`).join('');
      await this.#write(text);
      count += batch.length;
    }
    if (this.json) await this.#write(count === 0 ? '[]\n' : '\n]\n');
    return count;
  }

  async #write(text: string): Promise<void> {
    if (this.#failure) throw closed(this.#failure);
    this.#begun = true;
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(text, (error) => {
        if (error) reject(closed(error));
        else resolve();
      });
    });
  }
}

/** True where the reader of stdout is gone (`| head`): nobody is left to tell. */
export function isNoReader(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === NO_READER && error.data['reason'] === 'EPIPE';
}

function closed(cause: Error): HoldfastError {
  const reason = 'code' in cause ? String(cause.code) : '';
  return new HoldfastError(NO_READER, 'never', `The output cannot be written (${reason}). Check where it goes, and its free space.`,
    { data: { reason }, cause });
}
