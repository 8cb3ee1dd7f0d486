import { IdTable } from './idTable.ts';

/** Blobs that one run has claimed: those it stores itself and those it found. Emptied at each checkpoint, when the segments know them. */
export class ClaimTable {
  #table = new IdTable();

  has(ids: Buffer, at: number): boolean { return this.#table.get(ids, at) !== -1; }
  add(ids: Buffer, at: number): void { this.#table.set(ids, at, 1); }
  get size(): number { return this.#table.size; }
  clear(): void { this.#table = new IdTable(); }
}
