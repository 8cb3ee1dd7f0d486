import { HoldfastError } from '../domain/index.ts';
import { removeCacheFile } from './cacheFiles.ts';
import type { OpenCache } from './cacheFiles.ts';
import { diff } from './difference.ts';
import { dropSnapshots } from './drop.ts';
import { damagedError, isBusy, isDamage } from './failures.ts';
import { Ingest } from './ingest.ts';
import { page } from './pageQuery.ts';
import type { Arguments, BeginAnswer, CatalogSnapshot, OperationName, Result } from './protocol.ts';
import * as queries from './queries.ts';
import { openWriter } from './schema.ts';
import { search } from './searchHits.ts';
import * as indexing from './searchIndex.ts';
import type { SearchOperations } from './searchProtocol.ts';
import { IndexingClaim } from './indexingClaim.ts';
import type { Database } from './schema.ts';
import { walk } from './walk.ts';

type Changes = 'begin' | 'batch' | 'commit' | 'rollback' | 'drop' | 'close' | 'link' | 'index' | 'tidy' | 'claimIndexing' | 'releaseIndexing';
type Questions = Exclude<OperationName, Changes>;

const QUESTIONS: { [K in Questions]: (db: Database, ...args: Arguments<K>) => Result<K> } = {
  snapshots: queries.snapshots,
  item: queries.item,
  path: queries.path,
  resolve: queries.resolve,
  childCount: queries.childCount,
  countsPerDay: queries.countsPerDay,
  history: queries.history,
  rows: queries.rows,
  page,
  walk,
  diff,
  search,
  pendingGroup: indexing.pendingGroup,
  pending: indexing.pending,
  searchStatus: indexing.searchStatus,
  searchFailures: indexing.searchFailures,
};

interface Writing {
  readonly db: Database;
  readonly ingest: Ingest;
}

/**
 * Answers inside the worker. Questions are read on a connection of their own, so that they see nothing of a snapshot
 * that is still coming in. A damaged file is replaced by an empty one.
 */
export class CatalogServer {
  readonly #open: () => OpenCache;
  #cache: OpenCache;
  #writing: Writing | undefined;
  readonly #claim: IndexingClaim;

  constructor(open: () => OpenCache) {
    this.#open = open;
    this.#cache = open();
    this.#claim = new IndexingClaim(this.#cache.path);
  }

  /** Throws `catalog/damaged` once when damage is met; afterwards the catalog is empty. */
  answer(operation: OperationName, args: readonly unknown[]): unknown {
    try {
      return this.#dispatch(operation, args);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#startAnew();
      if (operation === 'snapshots') return this.#dispatch(operation, args);
      throw damagedError(error);
    }
  }

  #dispatch(operation: OperationName, args: readonly unknown[]): unknown {
    switch (operation) {
      case 'begin':
        return this.#begin(...(args as Arguments<'begin'>));
      case 'batch':
        this.#current().ingest.apply(...(args as Arguments<'batch'>));
        return null;
      case 'commit':
        return this.#commit();
      case 'rollback':
        this.#stopWriting();
        return null;
      case 'drop':
        return this.#drop(...(args as Arguments<'drop'>));
      case 'close':
        this.#close();
        this.#claim.release();
        return null;
      case 'claimIndexing':
        return this.#claim.take();
      case 'releaseIndexing':
        this.#claim.release();
        return null;
      case 'link':
      case 'index':
      case 'tidy':
        return this.#index(operation, args);
      default:
        return this.#question(operation, args);
    }
  }

  /** Everything that one question reads belongs to one state of the catalog. */
  #question(operation: Questions, args: readonly unknown[]): unknown {
    const { reader } = this.#cache;
    const question = QUESTIONS[operation] as (db: Database, ...args: readonly unknown[]) => unknown;
    reader.exec('begin');
    try {
      return question(reader, ...args);
    } finally {
      reader.exec('rollback');
    }
  }

  #begin(info: CatalogSnapshot, base: string | undefined): BeginAnswer {
    if (this.#writing) throw new Error('a snapshot is already coming in');
    const db = this.#beginWriting();
    if (!db) return 'busy';
    try {
      const ingest = Ingest.begin(db, info, base);
      if (ingest instanceof Ingest) {
        this.#writing = { db, ingest };
        return 'ready';
      }
      return ingest;
    } finally {
      if (!this.#writing) db.close();
    }
  }

  #commit(): Result<'commit'> {
    const { db, ingest } = this.#current();
    const counts = ingest.finish();
    db.exec('commit');
    this.#stopWriting();
    return counts;
  }

  #drop(ids: readonly string[]): Result<'drop'> {
    return this.#change((db) => {
      dropSnapshots(db, ids);
      return 'done' as const;
    });
  }

  #index(operation: 'link' | 'index' | 'tidy', args: readonly unknown[]): SearchOperations['link' | 'index' | 'tidy']['result'] {
    return this.#change((db) => {
      if (operation === 'link') return indexing.link(db, ...(args as Arguments<'link'>));
      if (operation === 'tidy') return indexing.tidy(db) ? 'more' as const : 'done' as const;
      indexing.index(db, ...(args as Arguments<'index'>));
      return 'done' as const;
    });
  }

  /** One transaction; closing rolls back what was not committed. */
  #change<T>(action: (db: Database) => T): T | 'busy' {
    const db = this.#beginWriting();
    if (!db) return 'busy';
    try {
      const result = action(db);
      db.exec('commit');
      return result;
    } finally {
      db.close();
    }
  }

  #beginWriting(): Database | undefined {
    const db = openWriter(this.#cache.path);
    try {
      db.exec('begin immediate');
      return db;
    } catch (error) {
      db.close();
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  #current(): Writing {
    if (this.#writing) return this.#writing;
    throw new HoldfastError('catalog/not-adding', 'retry', 'No snapshot is being added to the catalog; start again.');
  }

  /** Closing rolls back what was not committed. */
  #stopWriting(): void {
    this.#writing?.db.close();
    this.#writing = undefined;
  }

  #close(): void {
    this.#stopWriting();
    this.#cache.reader.close();
  }

  #startAnew(): void {
    this.#close();
    removeCacheFile(this.#cache.path);
    this.#cache = this.#open();
  }
}
