import { HoldfastError, type BinaryString, type Effort, type ItemRow, type Outcome, type Progress } from '../domain/index.ts';
import type { Clock } from '../runtime/index.ts';
import { makeScratch } from '../runtime/index.ts';
import type { SourceChange, SourceItem, SourceSession } from '../connectors/contract.ts';
import { isPrunedUnderRun, stateRows, type Manifest, type Profile, type Repository, type StateCursor, type StoreSession } from '../repository/index.ts';
import { ContentBatches, rowOf } from './contentBatches.ts';
import { PreviousRows } from './previousRows.ts';
import { RowQueue } from './rowQueue.ts';
import { NO_COUNTS, Tally } from './tally.ts';

export interface BackupOptions {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly clock: Clock;
  readonly profile?: Profile['name'];
  readonly workers?: number;
  /** New packed bytes after which what the run has is made durable; 256 MiB unless told. */
  readonly checkpointBytes?: number;
  /** Contents that a killed run asks for again, at most; 1000 unless told. A quarter of them is asked for at once; what came is made durable after three quarters. */
  readonly page?: number;
}

/** As many as the longest page of a listing of mail services. It does not grow with the run: what a kill costs is known beforehand. */
const PAGE = 1000;

/** Rows that wait for the content of an earlier one: a huge item must not let all that follows pile up. */
const MOST_WAITING = 16_384;

/** Runs that lost a race with a prune are started anew so many times. */
const ATTEMPTS = 3;

/**
 * Backs up one entity: what changed since its newest snapshot becomes a new one. Returns its sealed manifest.
 * Throws without having changed any snapshot; a later run goes on from the last checkpoint.
 */
export async function runBackup(repository: Repository, source: SourceSession, options: BackupOptions): Promise<Manifest> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptBackup(repository, source, options);
    } catch (error) {
      if (!isPrunedUnderRun(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

async function attemptBackup(repository: Repository, source: SourceSession, options: BackupOptions): Promise<Manifest> {
  const { signal, profile, workers, checkpointBytes } = options;
  await using scratch = await makeScratch('backup');
  const store = await repository.begin(source.entity, {
    signal, ...(profile ? { profile } : {}), ...(workers === undefined ? {} : { workers }),
    ...(checkpointBytes === undefined ? {} : { checkpointBytes }),
  });
  try {
    const run = new BackupRun(store, source, scratch.path, options);
    return await run.run();
  } catch (error) {
    throw await store.failed(error);
  } finally {
    await store.close();
  }
}

/** Merges what the source tells with the state before, in one pass over both. */
class BackupRun {
  readonly #store: StoreSession;
  readonly #source: SourceSession;
  readonly #options: BackupOptions;
  readonly #startedAt: string;
  readonly #before: StateCursor;
  readonly #lookup: PreviousRows;
  readonly #contents: ContentBatches;
  readonly #rows = new RowQueue();
  readonly #tally: Tally;
  #listing: BinaryString | undefined;
  #lastKey: BinaryString | undefined;
  #lastRow: BinaryString = '';
  #scanned = 0;
  /** Of them, those whose content is on its way. */
  #open = 0;
  #expected: number | undefined;
  #effort: Effort | undefined;
  readonly #fetchItems: number;
  readonly #checkpointItems: number;
  /** Contents that the source gave by the last checkpoint. */
  #durable = 0;
  #seenBytes = 0;
  #unknown = 0;

  constructor(store: StoreSession, source: SourceSession, scratch: string, options: BackupOptions) {
    this.#store = store;
    this.#source = source;
    this.#options = options;
    this.#startedAt = new Date(options.clock.now()).toISOString();
    this.#before = store.previous(options.signal);
    this.#lookup = new PreviousRows(store, options.signal);
    const { page = PAGE } = options;
    this.#fetchItems = Math.max(1, Math.floor(page / 4));
    this.#checkpointItems = Math.max(1, page - this.#fetchItems);
    this.#contents = new ContentBatches(store, source, scratch, { signal: options.signal, fetchItems: this.#fetchItems });
    this.#tally = new Tally(store.previousCounts ?? NO_COUNTS, store.resumes);
  }

  async run(): Promise<Manifest> {
    const { signal, progress } = this.#options;
    await this.#before.seek('');
    const previous = { rows: (prefix: BinaryString) => stateRows(this.#store.source, this.#store.previousLayers, prefix, signal) };
    // What an unfinished run took over is beyond the cursor: then all is listed, and nothing fetched that it holds.
    const cursor = this.#store.resumes ? undefined : (this.#store.predecessor?.manifest.cursor ?? undefined);
    const expect = (items: number): void => { this.#expected = items; };
    const effort = (told: Effort): void => {
      this.#effort = told;
      this.#report('store');
    };
    for await (const batch of this.#source.enumerate({ cursor, previous, signal, progress, expect, effort })) {
      for (const change of batch) if (!this.#quick(change)) await this.#apply(change);
      await this.#writeRows();
      if (this.#rows.length > MOST_WAITING) await this.#catchUp();
      this.#report('store');
      signal.throwIfAborted();
    }
    if (this.#listing !== undefined) throw this.#broken('ended in the middle of a listing');
    await this.#contents.drain();
    await this.#writeRows();
    if (this.#expected !== undefined) this.#expected = this.#scanned;
    this.#report('seal');
    const { counts, warnings } = this.#tally;
    const partial = counts.failed > 0 || this.#unknown > 0;
    return this.#store.commit({
      startedAt: this.#startedAt, status: partial ? 'partial' : 'complete', counts, warnings,
      // Connectors keep in it what they could not give; of what got lost behind their back they know nothing.
      cursor: this.#contents.lost ? null : (this.#source.cursor() ?? null),
    }, signal);
  }

  /** The short path of a listing: an item that is as it was. True when nothing more is to be done. */
  #quick(change: SourceChange): boolean {
    if (change.type !== 'item' || this.#listing === undefined) return false;
    const { item } = change;
    const before = this.#before;
    if (before.key !== item.key || before.changeKey !== item.change || !before.sound) return false;
    this.#order(item.key);
    this.#scanned++;
    return before.step();
  }

  async #apply(change: SourceChange): Promise<void> {
    switch (change.type) {
      case 'listing':
        if (this.#listing !== undefined) throw this.#broken('began a listing inside of another');
        this.#order(change.prefix);
        await this.#before.seek(change.prefix);
        this.#listing = change.prefix;
        return;
      case 'listed':
        if (this.#listing !== change.prefix) throw this.#broken('ended a listing that it had not begun');
        await this.#removeThrough((key) => key.startsWith(change.prefix));
        this.#listing = undefined;
        return;
      case 'unknown':
        if (this.#listing === undefined) throw this.#broken('left out a part of a listing that it had not begun');
        this.#order(change.prefix);
        await this.#leaveAlone(change.prefix);
        return;
      case 'removed':
        this.#order(change.key);
        await this.#passTo(change.key);
        await this.#removeThrough((key) => key === change.key);
        return;
      case 'removedPrefix':
        this.#order(change.prefix);
        await this.#passTo(change.prefix);
        await this.#removeThrough((key) => key.startsWith(change.prefix));
        return;
      case 'exception':
        await this.#item(change.item, false, (before) => this.#exception(change.item, change.outcome, before));
        return;
      case 'item':
        await this.#item(change.item, true, (before) => this.#changed(change, before));
    }
  }

  /** Keys must ascend: the merge would otherwise lose items without a word. */
  #order(key: BinaryString): void {
    if (this.#lastKey !== undefined && key <= this.#lastKey) throw this.#broken('gave items out of order');
    if (this.#listing !== undefined && !key.startsWith(this.#listing)) throw this.#broken('left the prefix that it lists');
    this.#lastKey = key;
  }

  #broken(what: string): HoldfastError {
    return new HoldfastError('connector/order', 'never',
      `The connector for ${this.#source.entity.service} ${what}; no snapshot was made. Report this as a fault of Holdfast.`);
  }

  /** Inside a listing whatever is passed over is gone. */
  async #passTo(key: BinaryString): Promise<void> {
    if (this.#listing === undefined) await this.#before.seek(key);
    else await this.#removeThrough((before) => before < key);
  }

  /** `skipEqual`: what is stored whole under the same change key needs no look. */
  async #item(item: SourceItem, skipEqual: boolean, then: (before: ItemRow | undefined) => Promise<void>): Promise<void> {
    // `quick` may have moved on from exactly this key, with the next block still to be loaded.
    if (this.#lastKey === item.key && this.#before.key === item.key) {
      await this.#before.finish();
      return;
    }
    this.#order(item.key);
    this.#scanned++;
    await this.#passTo(item.key);
    const known = this.#before.key === item.key;
    if (skipEqual && known && this.#before.changeKey === item.change && this.#before.sound) {
      await this.#before.next();
      return;
    }
    await then(known ? this.#before.row : undefined);
    if (known) await this.#before.next();
  }

  async #changed(change: Extract<SourceChange, { type: 'item' }>, before: ItemRow | undefined): Promise<void> {
    const { item, content } = change;
    if (content.from === 'none') return this.#give(before, { row: { ...plain(item), outcome: '', content: '' } });
    if (content.from === 'kept' || content.from === 'previous') {
      const source = content.from === 'kept' ? before : await this.#lookup.row(content.key);
      if (source && source.content !== '') {
        return this.#give(before, { row: { ...plain(item), size: source.size, outcome: source.outcome, content: source.content } });
      }
    }
    const settle = this.#rows.reserve();
    this.#open++;
    const wanted = {
      item, before,
      settle: (given: SourceItem, result: Parameters<typeof rowOf>[1]) => {
        const row = rowOf(given, result, before);
        settle(this.#count(before, row) ? row : undefined);
        this.#open--;
        this.#report('store');
      },
    };
    if (content.from === 'file') {
      if (this.#contents.file(content.path, wanted)) await this.#send();
    } else if (this.#contents.fetch(wanted)) {
      await this.#contents.fetchAll();
      await this.#writeRows();
    }
  }

  async #exception(item: SourceItem, outcome: Outcome, before: ItemRow | undefined): Promise<void> {
    this.#give(before, rowOf(item, { content: '', size: item.size, outcome }, before));
  }

  async #send(): Promise<void> {
    await this.#contents.send();
    await this.#writeRows();
  }

  #give(before: ItemRow | undefined, change: { readonly row: ItemRow }): void {
    if (this.#count(before, change)) this.#rows.ready(change);
  }

  /** False where the row is as it was: an item that fails again for the same reason is named, but no new version. */
  #count(before: ItemRow | undefined, { row }: { readonly row: ItemRow }): boolean {
    this.#seenBytes += row.size;
    const same = before !== undefined && isSame(before, row);
    if (same) this.#tally.again(row);
    else if (before) this.#tally.changed(before, row);
    else this.#tally.added(row);
    if (row.outcome !== '') {
      const outcome = JSON.parse(row.outcome) as Outcome;
      this.#options.progress({ type: 'warning', item: row.name, code: outcome.code, message: outcome.message });
    }
    return !same;
  }

  async #removeThrough(gone: (key: BinaryString) => boolean): Promise<void> {
    const before = this.#before;
    while (before.key !== undefined && gone(before.key)) {
      this.#tally.removed(before.row);
      this.#rows.ready({ removed: before.ownKey });
      if (!before.step()) await before.finish();
    }
  }

  async #leaveAlone(prefix: BinaryString): Promise<void> {
    await this.#passTo(prefix);
    const before = this.#before;
    while (before.key !== undefined && before.key.startsWith(prefix)) if (!before.step()) await before.finish();
    this.#unknown++;
  }

  /** Rows whose contents are stored go to the catalog layer, in order. */
  async #writeRows(): Promise<void> {
    for (let change = this.#rows.take(); change; change = this.#rows.take()) {
      this.#lastRow = 'row' in change ? change.row.key : change.removed;
      if (!this.#store.row(change)) await this.#store.settle(this.#options.signal);
    }
    if (!this.#store.checkpointDue && !this.#pageDue) return;
    await this.#catchUp();
    this.#durable = this.#contents.fetched;
    await this.#store.checkpoint({ ...this.#tally.counts }, this.#lastRow, this.#options.signal);
  }

  /** What a source gives may have cost far more than its bytes: a run that is killed asks for no more than a page of it again. */
  get #pageDue(): boolean {
    return this.#contents.fetched - this.#durable >= this.#checkpointItems;
  }

  /** Waits for all contents that were asked for, and takes their rows. */
  async #catchUp(): Promise<void> {
    await this.#contents.drain();
    for (let change = this.#rows.take(); change; change = this.#rows.take()) {
      this.#lastRow = 'row' in change ? change.row.key : change.removed;
      if (!this.#store.row(change)) await this.#store.settle(this.#options.signal);
    }
  }

  #report(stage: string): void {
    const total = this.#expected === undefined ? {} : { totalItems: Math.max(this.#expected, this.#scanned) };
    this.#options.progress({ type: 'progress', stage, items: this.#scanned - this.#open, bytes: this.#seenBytes, ...total, ...(this.#effort === undefined ? {} : { effort: this.#effort }) });
  }
}

/** The item's fields as values: a source may give objects that work them out when asked. */
function plain(item: SourceItem): SourceItem {
  const { key, parent, name, kind, size, modified, change, meta } = item;
  return { key, parent, name, kind, size, modified, change, meta };
}

function isSame(before: ItemRow, after: ItemRow): boolean {
  const keys = ['parent', 'name', 'kind', 'size', 'modified', 'change', 'meta', 'outcome', 'content'] as const;
  return keys.every((key) => before[key] === after[key]);
}
