import { createHash } from 'node:crypto';
import { HoldfastError } from '../domain/index.ts';
import type { ItemRow, RowChange } from '../domain/index.ts';
import { sleep, systemClock, systemRandom } from '../runtime/index.ts';
import type { Clock, RandomBytes } from '../runtime/index.ts';
import type {
  AddedCounts, CatalogSnapshot, ChildCount, DayCount, DiffPage, Page, PageOptions, RowVersion, WalkState,
} from './protocol.ts';
import { CatalogSearch } from './catalogSearch.ts';
import { WorkerLink } from './workerLink.ts';

export interface CatalogOptions {
  /** Directory of all caches; made with mode 0700. */
  readonly directory: string;
  /** The entity's id. */
  readonly entity: string;
  /** Raised at erasure or a change of keys: caches of another one are deleted unread. At most 64 of A-Z a-z 0-9 _ -. */
  readonly generation: string;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
}

export interface AddOptions {
  /** The snapshot that the changes are against: the last one in the catalog, undefined when it is empty. */
  readonly base: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `present`: the catalog had the snapshot already, no change was read. */
export type AddResult = ({ readonly state: 'added' } & AddedCounts) | { readonly state: 'present' };

const BATCH_ROWS = 1000;
const BATCHES_IN_FLIGHT = 3;
const ROWS_AT_ONCE = 500;
const BUSY_POLL_MS = 100;
const BUSY_LIMIT_MS = 15 * 60_000;
const GENERATION = /^[\w-]{1,64}$/;
const MOST_NAMESAKES = 1000;

/**
 * What one entity held at any point in time: a local cache in a worker thread, filled by its caller and thrown away
 * without loss. Any call may throw `catalog/damaged` (retry) once when the file turns out to be broken; the catalog is
 * empty then and is filled again. A snapshot that it does not hold is `catalog/no-snapshot` (input).
 */
export class Catalog {
  readonly search: CatalogSearch;
  readonly #link: WorkerLink;
  readonly #clock: Clock;
  #writes: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(link: WorkerLink, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
    this.search = new CatalogSearch(link, clock, (ask, signal) => this.#exclusively(() => this.#whenFree(ask, signal)));
  }

  /** Opens the entity's cache in the directory, or an empty one. */
  static async open(options: CatalogOptions, signal?: AbortSignal): Promise<Catalog> {
    const { directory, entity, generation, clock = systemClock, random = systemRandom } = options;
    if (!GENERATION.test(generation)) {
      const text = 'A catalog generation is made of up to 64 letters, digits, "_" and "-".';
      throw new HoldfastError('catalog/bad-generation', 'never', text, { data: { generation } });
    }
    signal?.throwIfAborted();
    const entityHash = createHash('sha256').update(entity).digest('hex');
    const workerId = random(8).toString('hex');
    const place = { directory, entityHash, generation, workerId, usedAtMs: clock.now() };
    const link = new WorkerLink({ task: 'serve', place });
    try {
      await link.started(signal);
      return new Catalog(link, clock);
    } catch (error) {
      await link.stop();
      throw error;
    }
  }

  /** Ids of the snapshots it holds, in time order. */
  snapshots(): Promise<string[]> {
    return this.#link.call('snapshots', []);
  }

  /**
   * Adds one snapshot after the last. Changes ascend by key; those that change nothing are ignored. An error, an abort
   * or a crash leaves the catalog as it was. `catalog/moved-on` (retry): `base` is not the last snapshot any longer.
   */
  addSnapshot(
    info: CatalogSnapshot,
    changes: AsyncIterable<readonly RowChange[]>,
    options: AddOptions,
  ): Promise<AddResult> {
    return this.#exclusively(() => this.#add(info, changes, options));
  }

  /** Forgets pruned snapshots; ids that it does not hold are ignored. */
  dropSnapshots(ids: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#exclusively(async () => {
      await this.#whenFree(() => this.#link.call('drop', [ids], signal), signal);
    });
  }

  /**
   * A page of what lies directly in a folder ('' for the top): subfolders first, then items, by name ascending where
   * nothing else is asked for. `catalog/bad-cursor` (input) when `after` belongs to another order.
   */
  page(snapshot: string, parent: string, options: PageOptions): Promise<Page> {
    return this.#link.call('page', [snapshot, parent, options]);
  }

  async item(snapshot: string, key: string): Promise<ItemRow | undefined> {
    return (await this.#link.call('item', [snapshot, key])) ?? undefined;
  }

  /** Names of the folders above a key, top first, its own left out. */
  async path(snapshot: string, key: string): Promise<string[]> {
    const above = await this.#link.call('path', [snapshot, key]);
    return above.map((row) => row.name);
  }

  /** Rows that these names lead to from the top; several where names repeat, at most 1000. */
  resolve(snapshot: string, path: readonly string[]): Promise<ItemRow[]> {
    return this.#link.call('resolve', [snapshot, path, MOST_NAMESAKES]);
  }

  childCount(snapshot: string, parent: string): Promise<ChildCount> {
    return this.#link.call('childCount', [snapshot, parent]);
  }

  /** Days as 'YYYY-MM-DD', UTC, both included; those without a snapshot are left out. */
  countsPerDay(fromDay: string, toDay: string): Promise<DayCount[]> {
    return this.#link.call('countsPerDay', [fromDay, toDay]);
  }

  /** What differs between two snapshots, ascending by key; either may be the older. At most 1000 a page. */
  diff(before: string, after: string, options: { after?: string | undefined; limit: number }): Promise<DiffPage> {
    return this.#link.call('diff', [before, after, options.after, options.limit]);
  }

  /** All versions of a key that kept snapshots show, oldest first. */
  history(key: string): Promise<RowVersion[]> {
    return this.#link.call('history', [key]);
  }

  /** All rows of a snapshot ascending by key, in batches; `after` is a key to go on from. */
  async *rows(snapshot: string, options: { after?: string; signal?: AbortSignal } = {}): AsyncGenerator<ItemRow[]> {
    let after = options.after;
    do {
      const part = await this.#link.call('rows', [snapshot, after, ROWS_AT_ONCE], options.signal);
      if (part.rows.length > 0) yield part.rows;
      after = part.next;
    } while (after !== undefined);
  }

  /** All rows below a folder ('' for all that hangs together with the top), each folder before what it holds. */
  async *below(snapshot: string, folder: string, options: { signal?: AbortSignal } = {}): AsyncGenerator<ItemRow[]> {
    let from: string | WalkState | undefined = folder;
    while (from !== undefined) {
      const part: { rows: ItemRow[]; next?: WalkState } = await this.#link.call(
        'walk', [snapshot, from, ROWS_AT_ONCE], options.signal,
      );
      if (part.rows.length > 0) yield part.rows;
      from = part.next;
    }
  }

  /** Waits for what is being added, then ends the worker. May be called again. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#writes;
    try {
      await this.#link.call('close', []);
    } finally {
      await this.#link.stop();
    }
  }

  async #add(
    info: CatalogSnapshot,
    changes: AsyncIterable<readonly RowChange[]>,
    { base, signal }: AddOptions,
  ): Promise<AddResult> {
    const { id, startedAt } = info;
    const begin = () => this.#link.call('begin', [{ id, startedAt }, base], signal);
    try {
      const answer = await this.#whenFree(begin, signal);
      if (answer === 'present') return { state: 'present' };
      if (answer === 'moved-on') throw movedOn(id);
      await this.#send(changes, signal);
      return { state: 'added', ...(await this.#link.call('commit', [], signal)) };
    } catch (error) {
      await this.#link.call('rollback', []).catch(() => undefined);
      throw error;
    }
  }

  /** A few batches are under way at once; the first failure ends the sending. */
  async #send(changes: AsyncIterable<readonly RowChange[]>, signal: AbortSignal | undefined): Promise<void> {
    const underWay: Promise<null>[] = [];
    try {
      for await (const batch of changes) {
        for (let start = 0; start < batch.length; start += BATCH_ROWS) {
          const sent = this.#link.call('batch', [batch.slice(start, start + BATCH_ROWS)], signal);
          sent.catch(() => undefined);
          underWay.push(sent);
          if (underWay.length >= BATCHES_IN_FLIGHT) await underWay.shift();
        }
      }
      await Promise.all(underWay);
    } finally {
      await Promise.allSettled(underWay);
    }
  }

  /** One writer a machine: asks again while another process fills the same cache. */
  async #whenFree<T>(ask: () => Promise<T | 'busy'>, signal: AbortSignal | undefined): Promise<T> {
    const start = this.#clock.monotonic();
    for (;;) {
      const answer = await ask();
      if (answer !== 'busy') return answer;
      if (this.#clock.monotonic() - start > BUSY_LIMIT_MS) throw stillBusy();
      await sleep(BUSY_POLL_MS, signal);
    }
  }

  #exclusively<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#writes.then(action);
    this.#writes = result.catch(() => undefined);
    return result;
  }
}

function movedOn(snapshot: string): HoldfastError {
  const text = 'The catalog was filled further meanwhile; list its snapshots and add what is missing.';
  return new HoldfastError('catalog/moved-on', 'retry', text, { data: { snapshot } });
}

function stillBusy(): HoldfastError {
  const text = 'Another process has been filling this catalog for a long time; try again when it is done.';
  return new HoldfastError('catalog/busy', 'retry', text);
}
