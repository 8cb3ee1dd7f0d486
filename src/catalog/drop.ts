import { countDifferences } from './difference.ts';
import type { Database } from './schema.ts';
import { forgetDocuments, noteDocuments } from './searchIndex.ts';
import { CURRENT_FORK, STILL_THERE } from './timeTree.ts';

/** A run of dropped ordinals between two kept ones; 0 or STILL_THERE where there is none on that side. */
interface Gap {
  readonly before: number;
  readonly after: number;
}

/**
 * Forgets snapshots: versions that no kept one shows go, and those that ended after what is now the newest stand again.
 * What remains answers as if it had been filled with the kept snapshots alone. The transaction must have begun.
 */
export function dropSnapshots(db: Database, ids: readonly string[]): void {
  const dropped = new Set<number>();
  for (const id of ids) {
    const ordinal = db.number('select ord from snapshot where id = ?', id);
    if (ordinal !== undefined) dropped.add(ordinal);
  }
  if (dropped.size === 0) return;
  const gaps = gapsOf(db, dropped);
  for (const ordinal of dropped) db.run('delete from snapshot where ord = ?', ordinal);
  db.exec('create temp table gone (item integer primary key); create temp table gone_doc (doc integer primary key)');
  for (const gap of gaps) closeGap(db, gap);
  forgetDocuments(db);
  forgetItems(db);
  db.exec('drop table temp.gone; drop table temp.gone_doc');
  // Of the sums that a folder got in one gap only the last is asked for.
  db.exec(`delete from tally where exists (select 1 from tally later where later.parent = tally.parent
    and later.ord > tally.ord and later.ord <= (select min(ord) from snapshot where ord >= tally.ord))`);
  for (const gap of gaps) recount(db, gap);
}

function gapsOf(db: Database, dropped: ReadonlySet<number>): Gap[] {
  const gaps: Gap[] = [];
  let before = 0;
  let open = false;
  for (const [value] of db.all('select ord from snapshot order by ord')) {
    const ordinal = value as number;
    if (dropped.has(ordinal)) open = true;
    else {
      if (open) gaps.push({ before, after: ordinal });
      before = ordinal;
      open = false;
    }
  }
  if (open) gaps.push({ before, after: STILL_THERE });
  return gaps;
}

function closeGap(db: Database, { before, after }: Gap): void {
  const newest = after === STILL_THERE;
  // The ends of the catalog are written out so that each can use the index of first or last.
  if (newest) deleteVersions(db, 'first > ?', before);
  else if (before === 0) deleteVersions(db, `last < ? and last < ${STILL_THERE}`, after);
  else deleteVersions(db, 'first > ? and first < ? and last < ?', before, after, after);
  if (!newest) return;
  const stands = `last = ${STILL_THERE}, fork = ${CURRENT_FORK}`;
  db.run(`update ver set ${stands} where last >= ? and last < ${STILL_THERE}`, before);
  db.run('delete from tally where ord > ?', before);
}

function deleteVersions(db: Database, condition: string, ...values: number[]): void {
  noteDocuments(db, condition, values);
  db.run(`insert or ignore into temp.gone select item from ver where ${condition}`, ...values);
  db.run(`insert or ignore into temp.gone select parent from ver where ${condition}`, ...values);
  db.run(`delete from ver where ${condition}`, ...values);
}

/** Keys that neither a version nor a child's parent nor a sum needs any more. */
function forgetItems(db: Database): void {
  db.exec(`delete from tally where parent in temp.gone
    and not exists (select 1 from ver where ver.parent = tally.parent)`);
  db.exec(`delete from item where id in temp.gone
    and not exists (select 1 from ver where ver.item = item.id)
    and not exists (select 1 from ver where ver.parent = item.id)`);
}

/** The kept snapshot after a gap is now counted against the kept one before it; the first one is all new. */
function recount(db: Database, { before, after }: Gap): void {
  if (after === STILL_THERE) return;
  const rows = db.number('select rows from snapshot where ord = ?', after) ?? 0;
  const none = { added: rows, changed: 0, removed: 0 };
  const { added, changed, removed } = before === 0 ? none : countDifferences(db, before, after);
  db.run('update snapshot set added = ?, changed = ?, removed = ? where ord = ?', added, changed, removed, after);
}
