import type { ItemRow } from '../domain/index.ts';
import { momentOf, rowAt } from './moment.ts';
import type { AddedCounts, DiffPage, RowDifference } from './protocol.ts';
import { MAX_PAGE } from './protocol.ts';
import { binary, fromBinary, isMove, sameRow } from './rowCodec.ts';
import type { Database } from './schema.ts';
import { STILL_THERE } from './timeTree.ts';

/** Items with a version that began in (low, high] or ended in [low, high), read from the indexes of those. */
const FEW = `
  select i.id, i.key from (
    select item from ver where first > ? and first <= ?
    union select item from ver where last >= ? and last < ? and last < ${STILL_THERE}
  ) c cross join item i on i.id = c.item where i.key > ? order by i.key limit ?`;

/** The same found by walking the keys: cheaper once so much changed that each page of FEW would read a lot of it. */
const MANY = `
  select i.id, i.key from item i where exists (
    select 1 from ver v where v.item = i.id and ((v.first > ? and v.first <= ?) or (v.last >= ? and v.last < ?))
  ) and i.key > ? order by i.key limit ?`;

/** What differs from one snapshot to the other, ascending by key. Either may be the older one. */
export function diff(db: Database, before: string, after: string, from: string | undefined, limit: number): DiffPage {
  const a = momentOf(db, before).ordinal;
  const b = momentOf(db, after).ordinal;
  return differences(db, a, b, from ?? '', Math.max(1, Math.min(MAX_PAGE, Math.floor(limit))));
}

/** Counts what differs between two ordinals. */
export function countDifferences(db: Database, a: number, b: number): AddedCounts {
  const counts = { added: 0, changed: 0, removed: 0 };
  let from: string | undefined = '';
  while (from !== undefined) {
    const found: DiffPage = differences(db, a, b, from, MAX_PAGE);
    for (const { change } of found.changes) counts[change === 'moved' ? 'changed' : change]++;
    from = found.next;
  }
  return counts;
}

function differences(db: Database, a: number, b: number, from: string, limit: number): DiffPage {
  const low = Math.min(a, b);
  const high = Math.max(a, b);
  const sql = changesMuch(db, low, high, limit) ? MANY : FEW;
  const changes: RowDifference[] = [];
  let after = from;
  // A version may have come and gone, or come back as it was, so a page of candidates can hold fewer differences.
  while (changes.length < limit) {
    const wanted = limit - changes.length;
    const candidates = db.all(sql, low, high, low, high, binary(after), wanted);
    for (const [item, key] of candidates) {
      after = fromBinary(key);
      const difference = compare(after, rowAt(db, item as number, a), rowAt(db, item as number, b));
      if (difference) changes.push(difference);
    }
    if (candidates.length < wanted) return { changes };
  }
  return { changes, next: after };
}

/**
 * All pages of FEW read changed * changed / limit candidates, all of MANY every key once; where the two are equal, the
 * page of either reads about sqrt(rows * limit).
 */
function changesMuch(db: Database, low: number, high: number, limit: number): boolean {
  const sql = 'select coalesce(sum(added + changed + removed), 0) from snapshot where ord > ? and ord <= ?';
  const changed = db.number(sql, low, high) ?? 0;
  const rows = db.number('select max(rows) from snapshot where ord in (?, ?)', low, high) ?? 0;
  return changed * changed > rows * limit;
}

function compare(key: string, before: ItemRow | undefined, after: ItemRow | undefined): RowDifference | undefined {
  if (!before) return after ? { key, change: 'added', after } : undefined;
  if (!after) return { key, change: 'removed', before };
  if (sameRow(before, after)) return undefined;
  return { key, change: isMove(before, after) ? 'moved' : 'changed', before, after };
}
