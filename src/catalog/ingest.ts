import type { ItemRow, RowChange } from '../domain/index.ts';
import { HoldfastError } from '../domain/index.ts';
import { itemNumber, versionAt } from './moment.ts';
import type { Version } from './moment.ts';
import type { AddedCounts, BeginAnswer, CatalogSnapshot } from './protocol.ts';
import { badRow, binary, rowValues, sameRow } from './rowCodec.ts';
import { PAGE_INDEXES } from './schema.ts';
import type { Database } from './schema.ts';
import { placesOf } from './searchPlace.ts';
import { Tally } from './tally.ts';
import { CURRENT_FORK, STILL_THERE, forkOf } from './timeTree.ts';

const MOST_PARENTS = 20_000;
const INSERT = `
  insert into ver (last, fork, item, first, parent,
    leaf, sort, name, kind, size, modified, change, meta, outcome, content)
  values (${STILL_THERE}, ${CURRENT_FORK}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

type Refusal = Exclude<BeginAnswer, 'ready' | 'busy'>;

interface Last {
  readonly ordinal: number;
  readonly id: string;
  readonly rows: number;
}

/** Takes in one snapshot within one transaction, so that a crash or an error leaves the catalog as it was. */
export class Ingest {
  readonly #db: Database;
  readonly #info: CatalogSnapshot;
  readonly #last: Last | undefined;
  readonly #ordinal: number;
  readonly #tally: Tally;
  readonly #parents = new Map<string, number>();
  readonly #counts = { added: 0, changed: 0, removed: 0 };
  #key = '';

  private constructor(db: Database, info: CatalogSnapshot, last: Last | undefined) {
    this.#db = db;
    this.#info = info;
    this.#last = last;
    this.#ordinal = (last?.ordinal ?? 0) + 1;
    this.#tally = new Tally(db, this.#ordinal);
  }

  /** The transaction must have begun. `base` is the snapshot that the changes are against, undefined for none. */
  static begin(db: Database, info: CatalogSnapshot, base: string | undefined): Ingest | Refusal {
    if (db.get('select 1 from snapshot where id = ?', info.id)) return 'present';
    const found = db.get('select ord, id, rows from snapshot order by ord desc limit 1');
    const last = found && { ordinal: found[0] as number, id: String(found[1]), rows: found[2] as number };
    if (last?.id !== base) return 'moved-on';
    const ingest = new Ingest(db, info, last);
    if (!last) db.exec(PAGE_INDEXES.drop);
    return ingest;
  }

  /** Changes that change nothing are ignored. Throws `catalog/bad-row` when keys do not ascend. */
  apply(changes: readonly RowChange[]): void {
    for (const change of changes) {
      const key = 'row' in change ? change.row.key : change.removed;
      if (key <= this.#key) throw badRow('Changes must come in ascending order of their keys, each key once.');
      this.#key = key;
      if ('row' in change) this.#put(change.row);
      else this.#remove(key);
    }
  }

  /** Leaves the transaction open. */
  finish(): AddedCounts {
    this.#tally.flush();
    if (!this.#last) this.#db.exec(PAGE_INDEXES.create);
    const { added, changed, removed } = this.#counts;
    const rows = (this.#last?.rows ?? 0) + added - removed;
    const insert = `insert into snapshot (ord, id, day, rows, added, changed, removed, reach)
      select ?, ?, ?, ?, ?, ?, ?, max(?, coalesce(max(reach), 0)) from snapshot`;
    const start = startOf(this.#info);
    const day = start.toISOString().slice(0, 10);
    this.#db.run(insert, this.#ordinal, this.#info.id, day, rows, added, changed, removed, placesOf(start.getTime())[1]);
    return this.#counts;
  }

  #put(row: ItemRow): void {
    const known = this.#numberOf(row.key);
    const current = known === undefined ? undefined : this.#current(known);
    if (current && sameRow(current.row, row)) return;
    const item = known ?? this.#newItem(row.key);
    if (current) this.#end(current);
    const parent = this.#parentNumber(row.parent);
    this.#db.run(INSERT, item, this.#ordinal, parent, ...rowValues(row));
    this.#tally.add(parent, row);
    this.#counts[current ? 'changed' : 'added']++;
  }

  #remove(key: string): void {
    const item = this.#numberOf(key);
    const current = item === undefined ? undefined : this.#current(item);
    if (!current) return;
    this.#end(current);
    this.#counts.removed++;
  }

  #current(item: number): Version | undefined {
    return this.#last && versionAt(this.#db, item, this.#ordinal);
  }

  /** A version ends with the snapshot before this one. */
  #end(version: Version): void {
    const last = this.#ordinal - 1;
    this.#db.run('update ver set last = ?, fork = ? where id = ?', last, forkOf(version.first, last), version.id);
    this.#tally.remove(this.#parentNumber(version.row.parent), version.row);
  }

  #parentNumber(key: string): number {
    let number = this.#parents.get(key);
    if (number === undefined) {
      number = this.#numberOf(key) ?? this.#newItem(key);
      if (this.#parents.size >= MOST_PARENTS) this.#parents.clear();
      this.#parents.set(key, number);
    }
    return number;
  }

  #numberOf(key: string): number | undefined {
    return itemNumber(this.#db, key);
  }

  #newItem(key: string): number {
    return this.#db.run('insert into item (key) values (?)', binary(key));
  }
}

function startOf(info: CatalogSnapshot): Date {
  const time = new Date(info.startedAt);
  if (!Number.isNaN(time.getTime())) return time;
  const text = 'The time of a snapshot cannot be read; it must be written as ISO 8601.';
  throw new HoldfastError('catalog/bad-time', 'never', text, { data: { snapshot: info.id } });
}
