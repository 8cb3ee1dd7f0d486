import type { ItemRow } from '../domain/index.ts';
import { childrenAt } from './children.ts';
import { itemNumber, momentOf, rowAt } from './moment.ts';
import type { ChildCount, DayCount, KeyPage, RowVersion } from './protocol.ts';
import { ROW_COLUMNS, binary, readRow, sameRow } from './rowCodec.ts';
import type { Database } from './schema.ts';

export function snapshots(db: Database): string[] {
  return db.all('select id from snapshot order by ord').map((columns) => String(columns[0]));
}

export function item(db: Database, snapshot: string, key: string): ItemRow | null {
  const { ordinal } = momentOf(db, snapshot);
  return rowAt(db, itemNumber(db, key), ordinal) ?? null;
}

/** The folders above a key, top first; ends early below a folder that the snapshot does not show. */
export function path(db: Database, snapshot: string, key: string): ItemRow[] {
  const { ordinal } = momentOf(db, snapshot);
  const above: ItemRow[] = [];
  const seen = new Set([key]);
  let row = rowAt(db, itemNumber(db, key), ordinal);
  while (row && row.parent !== '' && !seen.has(row.parent)) {
    seen.add(row.parent);
    row = rowAt(db, itemNumber(db, row.parent), ordinal);
    if (row) above.push(row);
  }
  return above.reverse();
}

/** All rows that can be reached by these names from the top, at most `limit` at each step. */
export function resolve(db: Database, snapshot: string, names: readonly string[], limit: number): ItemRow[] {
  const moment = momentOf(db, snapshot);
  let parents = [''];
  let found: ItemRow[] = [];
  for (const name of names) {
    found = [];
    for (const parentKey of parents) {
      const parent = itemNumber(db, parentKey);
      if (parent === undefined) continue;
      for (const leaf of [0, 1] as const) {
        const wanted = { parent, leaf, order: 'name', direction: 'ascending', name, limit } as const;
        for (const child of childrenAt(db, moment, wanted)) found.push(child.row);
      }
      if (found.length >= limit) break;
    }
    parents = found.map((row) => row.key);
  }
  return found.slice(0, limit);
}

export function childCount(db: Database, snapshot: string, parentKey: string): ChildCount {
  const { ordinal } = momentOf(db, snapshot);
  const parent = itemNumber(db, parentKey);
  const sql = 'select folders, items, bytes from tally where parent = ? and ord <= ? order by ord desc limit 1';
  const found = parent === undefined ? undefined : db.get(sql, parent, ordinal);
  if (!found) return { folders: 0, items: 0, bytes: 0 };
  return { folders: found[0] as number, items: found[1] as number, bytes: found[2] as number };
}

/** Days without a snapshot are left out. Both ends belong to it. */
export function countsPerDay(db: Database, fromDay: string, toDay: string): DayCount[] {
  const sql = `select day, count(*), sum(added), sum(changed), sum(removed) from snapshot
    where day between ? and ? group by day order by day`;
  return db.all(sql, fromDay, toDay).map(([day, count, added, changed, removed]) => ({
    day: String(day),
    snapshots: Number(count),
    added: Number(added),
    changed: Number(changed),
    removed: Number(removed),
  }));
}

const HISTORY = `
  select ${ROW_COLUMNS}, (select min(ord) from snapshot where ord >= v.first),
    (select max(ord) from snapshot where ord <= v.last)
  from ver v cross join item i on i.id = v.item cross join item p on p.id = v.parent
  where v.item = ? order by v.first`;

/** Oldest first. Versions that only dropped snapshots told apart are one. */
export function history(db: Database, key: string): RowVersion[] {
  const number = itemNumber(db, key);
  if (number === undefined) return [];
  const versions: { row: ItemRow; first: number; last: number }[] = [];
  for (const columns of db.all(HISTORY, number)) {
    const next = { row: readRow(columns), first: columns[10] as number, last: columns[11] as number };
    const previous = versions.at(-1);
    const goesOn = previous && sameRow(previous.row, next.row) && follows(db, previous.last, next.first);
    if (goesOn) previous.last = next.last;
    else versions.push(next);
  }
  return versions.map(({ row, first, last }) => ({ row, first: idOf(db, first), last: idOf(db, last) }));
}

function follows(db: Database, last: number, first: number): boolean {
  return db.number('select min(ord) from snapshot where ord > ?', last) === first;
}

function idOf(db: Database, ordinal: number): string {
  return String(db.get('select id from snapshot where ord = ?', ordinal)?.[0]);
}

const ROWS = `
  select ${ROW_COLUMNS} from item i
  cross join ver v on v.item = i.id and v.first <= ? and v.last >= ? cross join item p on p.id = v.parent
  where i.key > ? order by i.key limit ?`;

/** All rows of a snapshot, ascending by key. */
export function rows(db: Database, snapshot: string, after: string | undefined, limit: number): KeyPage {
  const { ordinal } = momentOf(db, snapshot);
  const found = db.all(ROWS, ordinal, ordinal, binary(after ?? ''), limit).map((columns) => readRow(columns));
  const last = found.at(-1);
  return found.length === limit && last ? { rows: found, next: last.key } : { rows: found };
}
