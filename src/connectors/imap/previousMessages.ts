import type { BinaryString, ItemRow } from '../../domain/index.ts';
import type { PreviousState } from '../contract.ts';
import { messageKey, messageNumbers, messagesPrefix, uidBlockPrefix } from './itemKeys.ts';

/** UIDs that share a block come with one look. */
export const BLOCK = 256;

async function* inBatches(previous: PreviousState, prefix: BinaryString): AsyncGenerator<ItemRow> {
  for await (const batch of previous.rows(prefix)) yield* batch;
}

/** The rows that the previous snapshot has of one folder. */
export class PreviousMessages {
  readonly #previous: PreviousState;
  readonly #folder: number;
  #block: { readonly prefix: BinaryString; readonly rows: ReadonlyMap<BinaryString, ItemRow> } | undefined;

  constructor(previous: PreviousState, folder: number) {
    this.#previous = previous;
    this.#folder = folder;
  }

  /** All messages, ascending; without the notice of an unreadable folder. */
  async *all(uidValidity?: number): AsyncGenerator<ItemRow> {
    const prefix = uidValidity === undefined ? messagesPrefix(this.#folder)
      : messageKey(this.#folder, uidValidity, 0).slice(0, 9);
    for await (const row of inBatches(this.#previous, prefix)) if (row.key.length === 13) yield row;
  }

  /** One message. Cheap when asked in ascending order: its block is read once. */
  async get(key: BinaryString): Promise<ItemRow | undefined> {
    const { folder, uidValidity, uid } = messageNumbers(key);
    const prefix = uidBlockPrefix(folder, uidValidity, uid);
    if (this.#block?.prefix !== prefix) {
      const rows = new Map<BinaryString, ItemRow>();
      for await (const row of inBatches(this.#previous, prefix)) rows.set(row.key, row);
      this.#block = { prefix, rows };
    }
    return this.#block.rows.get(key);
  }
}
