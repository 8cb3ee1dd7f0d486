import type { BinaryString, ItemRow } from '../domain/index.ts';
import type { StateCursor, StoreSession } from '../repository/index.ts';

/** Rows of the state before, asked for by key; cheap while the keys ascend. */
export class PreviousRows {
  readonly #session: StoreSession;
  readonly #signal: AbortSignal;
  #cursor: StateCursor | undefined;
  #last: BinaryString = '';

  constructor(session: StoreSession, signal: AbortSignal) {
    this.#session = session;
    this.#signal = signal;
  }

  async row(key: BinaryString): Promise<ItemRow | undefined> {
    if (!this.#cursor || key < this.#last) this.#cursor = this.#session.previous(this.#signal);
    this.#last = key;
    await this.#cursor.seek(key);
    return this.#cursor.key === key ? this.#cursor.row : undefined;
  }
}
