import type { ItemRow } from '../domain/index.ts';
import { damagedError } from './failures.ts';
import { PARENT, ROW_WIDTH, readRow, rowColumns, sortKey, storedText } from './rowCodec.ts';
import type { SqlValue } from './rowCodec.ts';
import type { Database } from './schema.ts';
import type { Moment } from './moment.ts';
import { forksCovering } from './timeTree.ts';
import type { Direction, PageOrder } from './protocol.ts';

/** A row and its place in the folder's order: the value sorted by, then the item's number. */
export interface Child {
  readonly row: ItemRow;
  readonly sort: SqlValue;
  readonly item: number;
}

export interface ChildQuery {
  /** Number of the folder's item. */
  readonly parent: number;
  /** 0: its subfolders, 1: its items. */
  readonly leaf: 0 | 1;
  readonly order: PageOrder;
  readonly direction: Direction;
  /** Begin after this place. */
  readonly after?: { readonly sort: SqlValue; readonly item: number } | undefined;
  /** Only rows of exactly this name; for the order by name. */
  readonly name?: string | undefined;
  readonly kind?: string | undefined;
  readonly limit: number;
}

const COLUMN: Record<PageOrder, string> = { name: 'sort', modified: 'modified', size: 'size' };

/** All rows have one parent, whose key is looked up once. */
const ROWS = `
  select ${rowColumns('null')}, v.id from json_each(?) place cross join ver v on v.id = place.value cross join item i on i.id = v.item`;

/**
 * Places of rows: one merge of as many sorted index ranges as the moment has forks; no range is sorted or read beyond the
 * limit. What the rows hold is not carried through the merge, which has a step for each fork. `indexed by` makes a plan without the index an error instead of a slow answer.
 */
export function childrenSql(query: ChildQuery, forks: number): string {
  const column = COLUMN[query.order];
  const compare = query.direction === 'ascending' ? '>' : '<';
  const sqlDirection = query.direction === 'ascending' ? 'asc' : 'desc';
  const conditions = [
    query.after ? `and (v.${column}, v.item) ${compare} (?, ?)` : '',
    query.name === undefined ? '' : 'and v.sort = ? and v.name = ?',
    query.kind === undefined ? '' : 'and v.kind = ?',
  ].join(' ');
  const arm = `
    select v.id, v.${column} as sorted, v.item as number from ver v indexed by ver_${query.order}
    where v.parent = ? and v.fork = ? and v.leaf = ? and v.first <= ? and v.last >= ? ${conditions}`;
  const arms = Array.from({ length: forks }, () => arm).join(' union all ');
  return `${arms} order by sorted ${sqlDirection}, number ${sqlDirection} limit ?`;
}

/** The values for {@link childrenSql}. */
export function childrenValues(query: ChildQuery, ordinal: number, forks: readonly number[]): SqlValue[] {
  const values: SqlValue[] = [];
  for (const fork of forks) {
    values.push(query.parent, fork, query.leaf, ordinal, ordinal);
    if (query.after) values.push(query.after.sort, query.after.item);
    if (query.name !== undefined) values.push(sortKey(query.name), storedText(query.name));
    if (query.kind !== undefined) values.push(query.kind);
  }
  values.push(query.limit);
  return values;
}

/** The folder's rows at the moment, in order. */
export function childrenAt(db: Database, moment: Moment, query: ChildQuery): Child[] {
  const forks = forksCovering(moment.ordinal, moment.newest);
  const places = db.all(childrenSql(query, forks.length), ...childrenValues(query, moment.ordinal, forks)) as [id: number, sort: SqlValue, item: number][];
  if (places.length === 0) return [];
  const parent = db.get('select key from item where id = ?', query.parent)?.[0];
  const rows = new Map(db.all(ROWS, JSON.stringify(places.map(([id]) => id))).map((columns) => [columns[ROW_WIDTH] as number, columns]));
  return places.map(([id, sort, item]) => {
    const columns = rows.get(id);
    if (!columns) throw damagedError();
    return { row: readRow(columns.with(PARENT, parent)), sort, item };
  });
}
