import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { LockMode } from '../storage/index.ts';

export const LEDGER_FILE = 'locks.sqlite';
const WAIT_MS = 30_000;
const TABLES = `
  create table if not exists held (name text not null, mode text not null, until integer not null, primary key (name, mode)) without rowid;
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

  /** Locks of this mode, or of compliance, which does for either. */
  remember(locks: Iterable<readonly [name: string, until: number]>, mode: LockMode): void {
    const put = this.#db.prepare('insert into held values (?, ?, ?) on conflict (name, mode) do update set until = excluded.until');
    this.#all(() => { for (const [name, until] of locks) put.run(name, mode, until); });
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

  /** The names of the set with locks (of a mode at least) that end before a time, with 0 for those of which nothing is known. In pages, ascending. */
  short(
    snapshot: string, { until, mode, after = '', limit = 1000 }: { readonly until: number; readonly mode: LockMode; readonly after?: string; readonly limit?: number },
  ): { readonly name: string; readonly until: number }[] {
    return this.#db.prepare(`select name, held as until from
      (select n.name as name, coalesce((select max(until) from held h where h.name = n.name and h.mode in ('compliance', ?)), 0) as held
        from needs n where n.snapshot = ? and n.name > ?)
      where held < ? order by name limit ?`)
      .all(mode, snapshot, after, until, limit) as { name: string; until: number }[];
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
