import type { ItemRow } from '../domain/index.ts';
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
const COLUMNS = rowColumns('null');

/**
 * One merge of as many sorted index ranges as the moment has forks; no range is sorted or read beyond the limit.
 * `indexed by` makes a plan without the index an error instead of a slow answer.
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
    select ${COLUMNS}, v.${column} as sorted, v.item as number
    from ver v indexed by ver_${query.order} cross join item i on i.id = v.item
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
  const rows = db.all(childrenSql(query, forks.length), ...childrenValues(query, moment.ordinal, forks));
  if (rows.length === 0) return [];
  const key = db.get('select key from item where id = ?', query.parent)?.[0];
  return rows.map((columns) => ({
    row: readRow(columns.with(PARENT, key)),
    sort: columns[ROW_WIDTH] as SqlValue,
    item: columns[ROW_WIDTH + 1] as number,
  }));
}
