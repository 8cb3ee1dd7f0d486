import { createHash } from 'node:crypto';
import type { IndexedVersion, PendingGroup, PendingVersion, SearchStatus, SignedVersion } from './searchProtocol.ts';
import type { ItemRow } from '../domain/index.ts';
import { ROW_COLUMNS, ROW_WIDTH, readRow } from './rowCodec.ts';
import type { Database } from './schema.ts';
import { placeWords } from './searchQuery.ts';
import { indexedText } from './searchWords.ts';
import { placesOf } from './searchPlace.ts';

const JOINS = 'cross join item i on i.id = v.item cross join item p on p.id = v.parent';

/** Versions that ended last come first: what stands today is searched before what is gone. */
export function pendingGroup(db: Database, below: number | undefined): PendingGroup | null {
  const found = db.number(
    'select last from ver indexed by ver_pending where doc is null and leaf = 1 and last < ? order by last desc limit 1', below ?? 2 ** 31,
  );
  if (found === undefined) return null;
  const snapshot = db.get('select id from snapshot where ord <= ? order by ord desc limit 1', found);
  return { last: found, snapshot: String(snapshot?.[0]) };
}

/** Of one group, in the order in which they came in. */
export function pending(db: Database, last: number, after: number, limit: number): PendingVersion[] {
  const sql = `select ${ROW_COLUMNS}, v.id from ver v indexed by ver_pending ${JOINS}
    where v.doc is null and v.leaf = 1 and v.last = ? and v.id > ? order by v.id limit ?`;
  return db.all(sql, last, after, limit).map((columns) => ({ row: readRow(columns), version: columns[ROW_WIDTH] as number }));
}

/** Versions whose document is there already are attached to it; gives the others. One that is gone meanwhile is neither. */
export function link(db: Database, versions: readonly SignedVersion[]): number[] {
  return versions.flatMap(({ version, signature }) => {
    const item = itemOf(db, version);
    if (item === undefined) return [];
    const doc = documentOf(db, item, hashOf(signature));
    if (doc === undefined) return [version];
    attach(db, version, doc);
    return [];
  });
}

const INSERT = 'insert into search (rowid, name, authors, recipients, text, files, place) values (?, ?, ?, ?, ?, ?, ?)';

/** Takes in documents; the transaction must have begun. */
export function index(db: Database, versions: readonly IndexedVersion[]): void {
  for (const version of versions) {
    const item = itemOf(db, version.version);
    if (item === undefined) continue;
    const signature = hashOf(version.signature);
    attach(db, version.version, documentOf(db, item, signature) ?? insert(db, item, signature, version));
  }
}

function insert(db: Database, item: number, signature: Uint8Array, version: IndexedVersion): number {
  const { date, name, authors, recipients, text, files, failure } = version;
  const parent = db.number('select parent from ver where id = ?', version.version) ?? 0;
  const id = freePlace(db, date);
  db.run('insert into doc (id, item, signature, failure) values (?, ?, ?, ?)', id, item, signature, failure ?? null);
  db.run(INSERT, id, ...[name, authors, recipients, text, files].map(indexedText), placeWords(parent));
  return id;
}

/** The next free place within the second; a second that is full goes on into the next. */
function freePlace(db: Database, date: number | null): number {
  const [first, last] = placesOf(date);
  const highest = db.number('select max(id) from doc where id between ? and ?', first, last);
  let place = highest === undefined ? first : highest + 1;
  while (place > last && db.number('select 1 from doc where id = ?', place) !== undefined) place++;
  return place;
}

function documentOf(db: Database, item: number, signature: Uint8Array): number | undefined {
  return db.number('select id from doc where item = ? and signature = ?', item, signature);
}

const AHEAD = `update doc set ahead = 1 where id = ? and ahead = 0
  and id > (select reach from snapshot where ord >= (select first from ver where id = ?) order by ord limit 1)`;

function attach(db: Database, version: number, doc: number): void {
  db.run('update ver set doc = ? where id = ?', doc, version);
  db.run(AHEAD, doc, version);
}

/** Undefined where the version is gone or has its document: numbers of versions are never used twice. */
function itemOf(db: Database, version: number): number | undefined {
  return db.number('select item from ver where id = ? and doc is null', version);
}

/** Eight bytes tell the documents of one item apart. */
function hashOf(signature: string): Uint8Array {
  return createHash('sha256').update(signature).digest().subarray(0, 8);
}

/** Documents of versions that are about to go, into the temporary table `gone_doc`; see {@link forgetDocuments}. */
export function noteDocuments(db: Database, condition: string, values: readonly number[]): void {
  db.run(`insert or ignore into temp.gone_doc select doc from ver where doc is not null and (${condition})`, ...values);
}

/** Takes away the noted documents that no version has any more. */
export function forgetDocuments(db: Database): void {
  const gone = 'select doc from temp.gone_doc where not exists (select 1 from ver where ver.doc = gone_doc.doc)';
  db.exec(`delete from search where rowid in (${gone}); delete from doc where id in (${gone})`);
}

export function searchStatus(db: Database): SearchStatus {
  return {
    pending: db.number('select count(*) from ver indexed by ver_pending where doc is null and leaf = 1') ?? 0,
    failed: db.number('select count(*) from doc indexed by doc_failure where failure is not null') ?? 0,
    begun: db.number('select 1 from doc limit 1') === 1,
  };
}

/** The newest documents that lack their words. */
export function searchFailures(db: Database, limit: number): { row: ItemRow; failure: string }[] {
  const sql = `select ${ROW_COLUMNS}, newest.failure from (select id, failure from doc indexed by doc_failure where failure is not null order by id desc limit ?) newest
    cross join ver v on v.id = (select id from ver where doc = newest.id order by last desc limit 1) ${JOINS} order by newest.id desc`;
  return db.all(sql, limit).map((columns) => ({ row: readRow(columns), failure: String(columns[ROW_WIDTH]) }));
}

/** Pages of the index that one call merges at most: some tens of milliseconds. */
const MERGE_PAGES = 500;

/** A part of making few large pieces of the index out of many; gives whether there is more to do. */
export function tidy(db: Database): boolean {
  const before = db.number('select total_changes()') ?? 0;
  db.run(`insert into search (search, rank) values ('merge', ?)`, MERGE_PAGES);
  return (db.number('select total_changes()') ?? 0) - before >= 2;
}
