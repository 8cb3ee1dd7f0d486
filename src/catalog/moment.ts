import { HoldfastError } from '../domain/index.ts';
import type { ItemRow } from '../domain/index.ts';
import { ROW_COLUMNS, binary, readRow } from './rowCodec.ts';
import type { Database } from './schema.ts';

/** A snapshot's ordinal, and the highest one that the catalog holds. */
export interface Moment {
  readonly ordinal: number;
  readonly newest: number;
}

export function momentOf(db: Database, snapshot: string): Moment {
  const found = db.get('select ord, (select max(ord) from snapshot) from snapshot where id = ?', snapshot);
  if (!found) {
    const text = 'The catalog does not hold this snapshot; list the snapshots again and choose one of them.';
    throw new HoldfastError('catalog/no-snapshot', 'input', text, { data: { snapshot } });
  }
  return { ordinal: found[0] as number, newest: found[1] as number };
}

/** The number that stands for a key; undefined where no version or child ever had it. */
export function itemNumber(db: Database, key: string): number | undefined {
  return db.number('select id from item where key = ?', binary(key));
}

const VERSION_AT = `
  select ${ROW_COLUMNS}, v.last, v.id, v.first from ver v
  cross join item i on i.id = v.item cross join item p on p.id = v.parent
  where v.item = ? and v.first <= ? order by v.first desc limit 1`;

export interface Version {
  readonly row: ItemRow;
  /** Row id in `ver`. */
  readonly id: number;
  readonly first: number;
}

/** The version of an item that covers an ordinal. */
export function versionAt(db: Database, item: number, ordinal: number): Version | undefined {
  const columns = db.get(VERSION_AT, item, ordinal);
  if (!columns || (columns[10] as number) < ordinal) return undefined;
  return { row: readRow(columns), id: columns[11] as number, first: columns[12] as number };
}

/** The row of an item at an ordinal. */
export function rowAt(db: Database, item: number | undefined, ordinal: number): ItemRow | undefined {
  return item === undefined ? undefined : versionAt(db, item, ordinal)?.row;
}
