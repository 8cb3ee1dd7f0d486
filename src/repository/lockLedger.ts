import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Lock, LockMode } from '../storage/index.ts';

const PREFIX = 'locks-';
const WAIT_MS = 30_000;
const DAY = 86_400_000;
/** Sets of runs that died are kept for so long: no run takes longer to be sealed. */
const LEAST_KEPT_MS = 30 * DAY;
const TABLES = `
  create table if not exists place (setting text not null);
  create table if not exists held (name text not null, mode text not null, until integer not null, primary key (name, mode)) without rowid;
  create table if not exists needs (snapshot text not null, name text not null, primary key (snapshot, name)) without rowid;
  create table if not exists whole (snapshot text primary key, tag text not null) without rowid;
`;
const PACKS = "name >= 'packs/' and name < 'packs0'";

/** Whose locks they are. */
export interface LedgerPlace {
  readonly location: string;
  /** The record of the setting, as the version of it that stands there: no other place has that, and no other bucket of the same address. */
  readonly setting: string;
}

/**
 * What this machine has read back of locks in one place, and which objects its last snapshot of each entity needs: a local cache, so that a run asks
 * only for what it does not know. Locks of compliance cannot be shortened, so what was read once stays true; `check` trusts none of it.
 */
export class LockLedger implements Disposable {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync, { setting }: LedgerPlace) {
    this.#db = db;
    this.#all(() => {
      if ((db.prepare('select setting from place').get() as { setting: string } | undefined)?.setting === setting) return;
      for (const table of ['place', 'held', 'needs', 'whole']) db.exec(`delete from ${table}`);
      db.prepare('insert into place values (?)').run(setting);
    });
  }

  /** A file that cannot be used is made anew. */
  static open(cacheDirectory: string, place: LedgerPlace): LockLedger {
    mkdirSync(cacheDirectory, { recursive: true, mode: 0o700 });
    const path = join(cacheDirectory, `${PREFIX}${hash('sha256', place.location).slice(0, 16)}.sqlite`);
    try {
      return new LockLedger(opened(path), place);
    } catch {
      for (const file of [path, `${path}-journal`]) rmSync(file, { force: true });
      return new LockLedger(opened(path), place);
    }
  }

  /** Forgets everything, of all places. */
  static forget(cacheDirectory: string): void {
    if (!existsSync(cacheDirectory)) return;
    for (const file of readdirSync(cacheDirectory)) if (file.startsWith(PREFIX)) rmSync(join(cacheDirectory, file), { force: true });
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** None is ever made shorter: what was asked for later may have been asked of an older version. */
  remember(locks: Iterable<readonly [name: string, lock: Lock]>): void {
    const put = this.#db.prepare('insert into held values (?, ?, ?) on conflict (name, mode) do update set until = max(until, excluded.until)');
    this.#all(() => { for (const [name, { mode, until }] of locks) put.run(name, mode, until); });
  }

  /** Begins the set of a snapshot: with all packs that the one before needs, where that is known. @returns whether it is. */
  begin(snapshot: string, predecessor: string | undefined): boolean {
    this.#db.prepare('delete from needs where snapshot = ?').run(snapshot);
    if (predecessor === undefined) return true;
    if (!this.#db.prepare('select 1 from whole where snapshot = ?').get(predecessor)) return false;
    this.#db.prepare(`insert into needs select ?, name from needs where snapshot = ? and ${PACKS}`).run(snapshot, predecessor);
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

  clearPacks(snapshot: string): void {
    this.#db.prepare(`delete from needs where snapshot = ? and ${PACKS}`).run(snapshot);
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

  /** Whether any of them is under a prefix. */
  isShort(snapshot: string, { until, mode, under = '' }: { readonly until: number; readonly mode: LockMode; readonly under?: string }): boolean {
    return this.short(snapshot, { until, mode, after: under, limit: 1 }).some(({ name }) => name.startsWith(under));
  }

  /** The snapshot stands: its set is the one that the entity's next run begins with. What has ended is forgotten: locks, and sets whose locks all have (`lockMs`: how long they are). */
  keep(snapshot: string, tag: string, { now, lockMs }: { readonly now: number; readonly lockMs: number }): void {
    const oldest = timeOrderedStart(now - Math.max(lockMs, LEAST_KEPT_MS));
    this.#all(() => {
      this.#db.prepare('delete from needs where snapshot in (select snapshot from whole where tag = ? and snapshot <> ?)').run(tag, snapshot);
      this.#db.prepare('delete from whole where tag = ?').run(tag);
      this.#db.prepare('insert into whole values (?, ?)').run(snapshot, tag);
      this.#db.prepare('delete from needs where snapshot < ?').run(oldest);
      this.#db.prepare('delete from whole where snapshot < ?').run(oldest);
      this.#db.prepare('delete from held where until < ?').run(now);
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

/** What sorts before the ids of all snapshots that were made at that time or later. */
function timeOrderedStart(ms: number): string {
  return Math.max(0, ms).toString(16).padStart(12, '0');
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
