import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export const LEDGER_FILE = 'locks.sqlite';
const WAIT_MS = 30_000;
const TABLES = `
  create table if not exists known (name text primary key, until integer not null) without rowid;
  create table if not exists needs (snapshot text not null, name text not null, primary key (snapshot, name)) without rowid;
  create table if not exists whole (snapshot text primary key, tag text not null) without rowid;
`;

/**
 * What this machine has read back of locks, and which objects its last snapshot of each entity needs: a local cache, so that a run asks
 * only for what it does not know. Locks of compliance cannot be shortened, so what was read once stays true; `check` trusts none of it.
 */
export class LockLedger implements Disposable {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** A file that cannot be used is made anew. */
  static open(cacheDirectory: string): LockLedger {
    mkdirSync(cacheDirectory, { recursive: true, mode: 0o700 });
    const path = join(cacheDirectory, LEDGER_FILE);
    try {
      return new LockLedger(opened(path));
    } catch {
      for (const file of [path, `${path}-journal`]) rmSync(file, { force: true });
      return new LockLedger(opened(path));
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  remember(locks: Iterable<readonly [name: string, until: number]>): void {
    const put = this.#db.prepare('insert into known values (?, ?) on conflict (name) do update set until = excluded.until');
    this.#all(() => { for (const [name, until] of locks) put.run(name, until); });
  }

  /** Begins the set of a snapshot: with all that the one before needs, where that is known. @returns whether it is. */
  begin(snapshot: string, predecessor: string | undefined): boolean {
    this.#db.prepare('delete from needs where snapshot = ?').run(snapshot);
    if (predecessor === undefined) return true;
    if (!this.#db.prepare('select 1 from whole where snapshot = ?').get(predecessor)) return false;
    this.#db.prepare('insert into needs select ?, name from needs where snapshot = ?').run(snapshot, predecessor);
    return true;
  }

  add(snapshot: string, names: Iterable<string>): void {
    const put = this.#db.prepare('insert or ignore into needs values (?, ?)');
    this.#all(() => { for (const name of names) put.run(snapshot, name); });
  }

  drop(snapshot: string, names: Iterable<string>): void {
    const drop = this.#db.prepare('delete from needs where snapshot = ? and name = ?');
    this.#all(() => { for (const name of names) drop.run(snapshot, name); });
  }

  clear(snapshot: string): void {
    this.#db.prepare('delete from needs where snapshot = ?').run(snapshot);
  }

  /** The names of the set with locks that end before a time, with 0 for those of which nothing is known. In pages, ascending. */
  short(snapshot: string, until: number, after = '', limit = 1000): { readonly name: string; readonly until: number }[] {
    return this.#db.prepare(`select n.name as name, coalesce(k.until, 0) as until from needs n left join known k on k.name = n.name
      where n.snapshot = ? and n.name > ? and coalesce(k.until, 0) < ? order by n.name limit ?`)
      .all(snapshot, after, until, limit) as { name: string; until: number }[];
  }

  /** The snapshot stands: its set is the one that the entity's next run begins with. */
  keep(snapshot: string, tag: string): void {
    this.#all(() => {
      this.#db.prepare('delete from needs where snapshot in (select snapshot from whole where tag = ? and snapshot <> ?)').run(tag, snapshot);
      this.#db.prepare('delete from whole where tag = ?').run(tag);
      this.#db.prepare('insert into whole values (?, ?)').run(snapshot, tag);
    });
  }

  #all(work: () => void): void {
    this.#db.exec('begin immediate');
    try {
      work();
      this.#db.exec('commit');
    } catch (error) {
      this.#db.exec('rollback');
      throw error;
    }
  }
}

function opened(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: WAIT_MS });
  try {
    // It is a cache: after a crash of the machine it is made anew.
    db.exec('pragma synchronous = off');
    db.exec(TABLES);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
