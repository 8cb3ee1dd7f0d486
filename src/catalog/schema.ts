import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { damagedError } from './failures.ts';
import type { SqlValue } from './rowCodec.ts';

/** Raised with every change of the tables; a cache of another version is thrown away and filled again. */
const SCHEMA_VERSION = 4;
const APPLICATION_ID = 0x48464361;

/**
 * `ord` numbers snapshots in time order; the numbers of dropped ones stay unused gaps. A version covers the ordinals
 * first..last, and `fork` files it for questions about a moment (see timeTree.ts). Versions of one item never overlap.
 * `tally` holds, for each folder touched at an ordinal, what lies in it from then on, and the latest `modified` of all that
 * it ever held until then: an earlier moment's page, newest first, begins there and passes over nothing that came later.
 *
 * `search` knows the words of documents: what versions of one item that say the same have in common. Its text is not kept, and
 * the number of a document is its place in time (see searchPlace.ts). A version without a document is not searched yet.
 *
 * `reach` is the last place of the second in which the snapshot began, or that of an earlier snapshot where clocks went back: what it shows
 * lies no further, but for documents that are `ahead` (dated later than the first snapshot that shows them). So a search at an
 * early snapshot passes over all that came later.
 */
const TABLES = `
  create table snapshot (
    ord integer primary key, id text not null unique, day text not null, rows integer not null,
    added integer not null, changed integer not null, removed integer not null, reach integer not null
  );
  create table item (id integer primary key, key blob not null unique);
  create table ver (
    id integer primary key autoincrement, item integer not null, first integer not null, last integer not null,
    fork integer not null, parent integer not null, leaf integer not null, sort blob not null,
    name text not null, kind text not null, size integer not null, modified real not null, change blob not null,
    meta text not null, outcome text not null, content blob not null, doc integer
  );
  create index ver_item on ver (item, first, last);
  create index ver_first on ver (first);
  create index ver_last on ver (last) where last < 2147483647;
  create index ver_folder on ver (parent) where leaf = 0;
  create index ver_pending on ver (last, leaf, doc) where doc is null and leaf = 1;
  create index ver_doc on ver (doc, last) where doc is not null;
  create table doc (
    id integer primary key, item integer not null, signature blob not null, failure text, ahead integer not null default 0,
    unique (item, signature)
  );
  create index doc_ahead on doc (id) where ahead = 1;
  create index doc_failure on doc (id) where failure is not null;
  create virtual table search using fts5 (
    name, authors, recipients, text, files, place,
    content = '', contentless_delete = 1, detail = full, tokenize = 'ascii', prefix = '1 2 3 4'
  );
  insert into search (search, rank) values ('hashsize', 8388608);
  create table tally (
    parent integer not null, ord integer not null, folders integer not null, items integer not null,
    bytes integer not null, newest real not null, primary key (parent, ord)
  ) without rowid;
`;

/** Filling an empty catalog is faster when these are made at its end. */
export const PAGE_INDEXES = {
  create: `
    create index ver_name on ver (parent, fork, leaf, sort, item, first, last);
    create index ver_modified on ver (parent, fork, leaf, modified, item, first, last);
    create index ver_size on ver (parent, fork, leaf, size, item, first, last);
  `,
  drop: 'drop index ver_name; drop index ver_modified; drop index ver_size;',
};

const READ_CACHE_KIB = 16 * 1024;
const WRITE_CACHE_KIB = 16 * 1024;
/** Short: another process's writer is waited for outside (Catalog.addSnapshot), so that questions go on meanwhile. */
const BUSY_MS = 2000;

/** One connection and its prepared statements; rows come as arrays. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  all(sql: string, ...values: SqlValue[]): unknown[][] {
    // setReturnArrays changes what all() gives, which its type cannot say.
    return this.#prepare(sql).all(...values) as unknown as unknown[][];
  }

  get(sql: string, ...values: SqlValue[]): unknown[] | undefined {
    return this.#prepare(sql).get(...values) as unknown as unknown[] | undefined;
  }

  /** The first column of the first row as a number. */
  number(sql: string, ...values: SqlValue[]): number | undefined {
    const value = this.get(sql, ...values)?.[0];
    return typeof value === 'number' ? value : undefined;
  }

  /** Gives the row id of what was inserted. */
  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid);
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function connect(path: string, cacheKib: number): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  db.exec(`pragma synchronous = normal; pragma cache_size = -${cacheKib}; pragma journal_size_limit = 67108864`);
  return db;
}

/** Makes the tables in a file that exists and is empty. */
export function createTables(path: string): void {
  const db = connect(path, READ_CACHE_KIB);
  try {
    db.exec(`
      pragma journal_mode = wal;
      begin immediate; ${TABLES} ${PAGE_INDEXES.create}
      pragma application_id = ${APPLICATION_ID}; pragma user_version = ${SCHEMA_VERSION}; commit;
    `);
  } finally {
    db.close();
  }
}

/** Opens for questions. A file that is not a whole catalog of this version is told as damage. */
export function openReader(path: string): Database {
  const db = connect(path, READ_CACHE_KIB);
  try {
    const reader = new Database(db);
    const ours = [APPLICATION_ID, SCHEMA_VERSION];
    const found = [reader.number('pragma application_id'), reader.number('pragma user_version')];
    if (found[0] !== ours[0] || found[1] !== ours[1]) throw damagedError();
    reader.get('select * from snapshot, item, ver, tally, doc limit 1');
    reader.get(`select rowid from search where search match '"all"' limit 1`);
    db.exec('pragma query_only = on');
    return reader;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens for changes, with a cache that pays for many of them. */
export function openWriter(path: string): Database {
  return new Database(connect(path, WRITE_CACHE_KIB));
}
