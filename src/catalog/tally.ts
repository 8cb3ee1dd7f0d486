import type { ItemRow } from '../domain/index.ts';
import { isFolder, NO_TIME } from './rowCodec.ts';
import type { Database } from './schema.ts';

interface Sums {
  folders: number;
  items: number;
  bytes: number;
  /** Of what was added. */
  newest: number;
}

const MOST_PENDING = 20_000;
const LATEST = 'select folders, items, bytes, newest from tally where parent = ? order by ord desc limit 1';
const WRITE = 'insert or replace into tally (parent, ord, folders, items, bytes, newest) values (?, ?, ?, ?, ?, ?)';

/** Keeps the sums of each folder while rows of one snapshot come in; pending ones are bounded. */
export class Tally {
  readonly #db: Database;
  readonly #ordinal: number;
  readonly #pending = new Map<number, Sums>();

  constructor(db: Database, ordinal: number) {
    this.#db = db;
    this.#ordinal = ordinal;
  }

  add(parent: number, row: ItemRow): void {
    this.#change(parent, row, 1);
  }

  remove(parent: number, row: ItemRow): void {
    this.#change(parent, row, -1);
  }

  flush(): void {
    for (const [parent, sums] of this.#pending) {
      const latest = (this.#db.get(LATEST, parent) ?? [0, 0, 0, NO_TIME]) as [number, number, number, number];
      const [folders, items, bytes, newest] = latest;
      const values = [folders + sums.folders, items + sums.items, bytes + sums.bytes, Math.max(newest, sums.newest)];
      this.#db.run(WRITE, parent, this.#ordinal, ...values);
    }
    this.#pending.clear();
  }

  #change(parent: number, row: ItemRow, sign: 1 | -1): void {
    let sums = this.#pending.get(parent);
    if (!sums) {
      if (this.#pending.size >= MOST_PENDING) this.flush();
      sums = { folders: 0, items: 0, bytes: 0, newest: NO_TIME };
      this.#pending.set(parent, sums);
    }
    if (sign === 1) sums.newest = Math.max(sums.newest, row.modified ?? NO_TIME);
    if (isFolder(row)) sums.folders += sign;
    else {
      sums.items += sign;
      sums.bytes += sign * row.size;
    }
  }
}
