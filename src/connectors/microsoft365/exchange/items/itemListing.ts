import { isHoldfastError } from '../../../../domain/index.ts';
import { releaseMemory } from '../../../../runtime/index.ts';
import { batch } from '../../graph/batch.ts';
import { deltaRound, PAGE_SIZE } from '../../graph/deltaRound.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, isRemoved, pages, type Entry } from '../../graph/pages.ts';
import { assertMailbox } from '../assertMailbox.ts';
import type { SortedSpool } from '../sortedSpool.ts';
import type { MailboxAccess, SubServiceContext } from '../subService.ts';
import type { FolderRound, ItemRecord, ItemSource, ListedFolder } from './itemSource.ts';

/** Looks at the folders, at most, until what left one folder was found in another. */
const MOST_PASSES = 3;
/** Entries between two collections of garbage: dead pages would pile up to several times what is alive. */
const ENTRIES_A_COLLECTION = 2000;

export interface ItemListingOptions {
  readonly access: MailboxAccess;
  readonly context: SubServiceContext;
  readonly source: ItemSource;
  readonly spool: SortedSpool;
  readonly base: string;
  /** Folders in the order in which they are read: those into which items move most come last. */
  readonly folders: readonly ListedFolder[];
}

/**
 * Reads every folder into a spool. What leaves one folder may have arrived in another that was read before: such folders are read once more, so that
 * an item on its way is not taken for deleted.
 */
export class ItemListing {
  readonly rounds = new Map<string, FolderRound>();
  readonly #options: ItemListingOptions;
  readonly #total: number;
  #lastRemoval = 0;
  #listed = 0;
  #collectAt = ENTRIES_A_COLLECTION;

  constructor(options: ItemListingOptions) {
    this.#options = options;
    this.#total = options.folders.reduce((sum, { count = 0 }) => sum + count, 0);
  }

  /** Some folder was not found though it is listed: the next run lists all folders, and sees whether it is there. */
  get hasMissedFolder(): boolean { return [...this.rounds.values()].some(({ isMissing }) => isMissing === true); }

  /** Where the next rounds begin, by folder. */
  get links(): Record<string, string> {
    return Object.fromEntries([...this.rounds].flatMap(([id, { link }]) => (link === undefined ? [] : [[id, link]])));
  }

  /** `links`: where the rounds begin. */
  async run(links: Readonly<Record<string, string>>): Promise<void> {
    let todo = this.#options.folders;
    for (const { id } of todo) this.rounds.set(id, { from: links[id], link: links[id], state: 'read', full: false, epoch: 0, startedAt: 0 });
    for (let pass = 0; pass < MOST_PASSES && todo.length > 0; pass++) {
      await this.#readAll(todo);
      todo = todo.filter(({ id }) => {
        const round = this.rounds.get(id);
        return round?.state === 'read' && round.startedAt < this.#lastRemoval;
      });
    }
  }

  /** Reads the folders once more. What either reading told is there: pages of a list shift while items go, and a moving item may escape one reading. */
  async again(): Promise<void> {
    await this.#readAll(this.#options.folders.filter(({ id }) => this.rounds.get(id)?.state === 'read'));
  }

  async #readAll(folders: readonly ListedFolder[]): Promise<void> {
    const waiting = [...folders].reverse();
    const worker = async (): Promise<void> => {
      for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) await this.#readOne(folder);
    };
    await Promise.all(Array.from({ length: Math.min(this.#options.access.budget.concurrent, folders.length) }, worker));
  }

  async #readOne(folder: ListedFolder): Promise<void> {
    const round = this.rounds.get(folder.id);
    if (round === undefined) throw new TypeError('a folder is read that has no round');
    round.startedAt = this.#options.spool.length;
    try {
      await this.#readTwice(folder, round);
    } catch (error) {
      const isMissing = hasCode(error, 'not-found');
      const isForeign = folder.isForeign === true && hasCode(error, 'not-found', 'no-permission', 'no-mailbox');
      if (!isMissing && !isForeign && !isOfFolder(error)) throw error;
      // What an earlier reading of this run told of removals is not believed, so it must be told again.
      Object.assign(round, { state: 'unread', link: round.from, error, isForeign, isMissing });
    }
  }

  /** A folder that is not found is asked for twice, if the mailbox is. */
  async #readTwice({ id, isForeign }: ListedFolder, round: FolderRound): Promise<void> {
    const { access, context: { signal }, source } = this.#options;
    const read = async (): Promise<void> => await (source.mode === 'delta' ? this.#readDelta(id, round) : this.#readList(id, round));
    try {
      await read();
    } catch (error) {
      if (isForeign === true || !hasCode(error, 'not-found')) throw error;
      await assertMailbox(access, signal);
      await read();
    }
  }

  async #readDelta(id: string, round: FolderRound): Promise<void> {
    const { access: { graph, budget, runtime }, context: { signal }, source, base } = this.#options;
    const events = deltaRound(graph, { start: source.start(base, id), link: round.link, pageSize: runtime.pageSize, purpose: source.purpose, budget, signal });
    let notFound = 0;
    for (;;) {
      const step = await events.next();
      if (step.done === true) {
        // Where the service knew a change, but not the item, the next run is told of both again.
        round.link = notFound === 0 ? step.value.link : round.from;
        round.notFound = notFound;
        round.full ||= step.value.full;
        return;
      }
      if (step.value.type === 'restart') round.epoch++;
      else notFound += await this.#spoolPage(id, round, step.value.entries);
    }
  }

  async #readList(id: string, round: FolderRound): Promise<void> {
    const { access: { graph, budget, runtime }, context: { signal }, source, base } = this.#options;
    const start = source.start(base, id);
    const path = `${start}${start.includes('?') ? '&' : '?'}$top=${runtime.pageSize ?? PAGE_SIZE}`;
    for await (const entries of pages(graph, path, { purpose: source.purpose, budget, signal })) await this.#spoolPage(id, round, entries);
    round.full = true;
  }

  /** How many items were not found. */
  async #spoolPage(folderId: string, round: FolderRound, entries: readonly Entry[]): Promise<number> {
    const { source, spool, context } = this.#options;
    const complete = await this.#complete(folderId, entries);
    for (const entry of complete) {
      const item = isRemoved(entry) ? null : source.listed(entry, folderId);
      await spool.add(idOf(entry), JSON.stringify([folderId, round.epoch, item] satisfies ItemRecord));
      if (item === null) this.#lastRemoval = spool.length;
    }
    this.#listed += entries.length;
    if (this.#listed >= this.#collectAt) {
      this.#collectAt = this.#listed + ENTRIES_A_COLLECTION;
      releaseMemory();
    }
    context.progress({ type: 'progress', stage: 'scan', items: this.#listed, bytes: 0, ...(this.#total > this.#listed ? { totalItems: this.#total } : {}) });
    return entries.length - complete.length;
  }

  /** Items that were told in part, with all that is missing; those that are not found are left out. */
  async #complete(folderId: string, entries: readonly Entry[]): Promise<readonly Entry[]> {
    const { access: { graph, budget, runtime }, context: { signal }, source, base } = this.#options;
    const parts = entries.flatMap((entry) => {
      const path = isRemoved(entry) ? undefined : source.restOf?.(base, folderId, entry);
      return path === undefined ? [] : [{ entry, path }];
    });
    if (parts.length === 0) return entries;
    const results = await batch(graph, parts, { purpose: source.purpose, budget, signal, random: runtime.random, sleep: runtime.sleep, attempts: runtime.attempts });
    const whole = new Map<Entry, Entry | undefined>();
    for (const [place, { entry }] of parts.entries()) {
      const result = results[place];
      if (result !== undefined && 'error' in result && !hasCode(result.error, 'not-found')) throw result.error;
      whole.set(entry, result !== undefined && 'document' in result ? result.document : undefined);
    }
    return entries.flatMap((entry): readonly Entry[] => {
      const complete = whole.has(entry) ? whole.get(entry) : entry;
      return complete === undefined ? [] : [complete];
    });
  }
}

/** Errors that concern one folder alone; any other ends the run. */
function isOfFolder(error: unknown): boolean {
  return isHoldfastError(error) && hasCode(error, 'unavailable', 'refused', 'odd-answer');
}
