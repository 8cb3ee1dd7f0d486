import { isHoldfastError, type HoldfastError } from '../../../../domain/index.ts';
import type { SourceItem } from '../../../contract.ts';
import { batch } from '../../graph/batch.ts';
import { deltaRound, type DeltaEnd } from '../../graph/deltaRound.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, isRemoved, type Entry } from '../../graph/pages.ts';
import type { SortedSpool } from '../sortedSpool.ts';
import type { MailboxAccess, SubServiceContext } from '../subService.ts';
import { MAIL_PURPOSE, type MailFolder } from './mailFolders.ts';
import { isWholeMessage, listedMessage, MESSAGE_OPTIONS } from './messageItem.ts';

/** Looks at the folders, at most, until what left one folder was found in another. */
const MOST_PASSES = 3;
/** Folders into which mail moves most are read after those that it comes from. */
const LAST = ['archive', 'deleteditems', ...['deletions', 'purges', 'versions', 'discoveryholds'].map((name) => `recoverableitems${name}`)];

/** How far a folder was read. */
export interface FolderRound {
  /** Where the next round begins; undefined: with all messages. */
  link: string | undefined;
  /** `unread`: it could not be read, and nothing is known of its messages. */
  state: 'read' | 'gone' | 'unread';
  /** All its messages were told, so what was not told is not there. */
  full: boolean;
  /** Grows when a round begins anew: what was told before counts no longer. */
  epoch: number;
  error?: HoldfastError;
  /** Records of the spool when its latest round began. */
  startedAt: number;
}

/** A record of the spool: folder, epoch, and the message, or null where it left the folder. */
export type MessageRecord = readonly [folderId: string, epoch: number, item: SourceItem | null];

/**
 * Reads the delta of every folder into a spool. What leaves one folder may have arrived in another that was read before: such folders are read once
 * more, so that a message on its way is not taken for deleted.
 */
export class MessageListing {
  readonly rounds = new Map<string, FolderRound>();
  readonly #access: MailboxAccess;
  readonly #context: SubServiceContext;
  readonly #spool: SortedSpool;
  readonly #total: number;
  #lastRemoval = 0;
  #listed = 0;

  constructor(access: MailboxAccess, context: SubServiceContext, spool: SortedSpool, folders: readonly MailFolder[]) {
    this.#access = access;
    this.#context = context;
    this.#spool = spool;
    this.#total = folders.reduce((sum, { count = 0 }) => sum + count, 0);
  }

  /** `links`: where the rounds begin. */
  async run(folders: readonly MailFolder[], links: Readonly<Record<string, string>>): Promise<void> {
    const order = ({ wellKnown = '' }: MailFolder): number => LAST.indexOf(wellKnown);
    let todo = [...folders].sort((a, b) => order(a) - order(b));
    for (const { id } of todo) this.rounds.set(id, { link: links[id], state: 'read', full: false, epoch: 0, startedAt: 0 });
    for (let pass = 0; pass < MOST_PASSES && todo.length > 0; pass++) {
      await this.#readAll(todo);
      todo = todo.filter(({ id }) => {
        const round = this.rounds.get(id);
        return round?.state === 'read' && round.startedAt < this.#lastRemoval;
      });
    }
  }

  async #readAll(folders: readonly MailFolder[]): Promise<void> {
    const waiting = [...folders].reverse();
    const worker = async (): Promise<void> => {
      for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) await this.#readOne(folder);
    };
    await Promise.all(Array.from({ length: Math.min(this.#access.budget.concurrent, folders.length) }, worker));
  }

  async #readOne({ id }: MailFolder): Promise<void> {
    const round = this.rounds.get(id);
    if (round === undefined) throw new TypeError('a folder is read that has no round');
    round.startedAt = this.#spool.length;
    try {
      const end = await this.#readRound(id, round);
      round.link = end.link;
      round.full ||= end.full;
    } catch (error) {
      if (hasCode(error, 'not-found')) round.state = 'gone';
      else if (isOfFolder(error)) Object.assign(round, { state: 'unread', error });
      else throw error;
    }
  }

  async #readRound(id: string, round: FolderRound): Promise<DeltaEnd> {
    const { graph, path, budget, runtime } = this.#access;
    const { signal } = this.#context;
    const events = deltaRound(graph, {
      start: `${path}/mailFolders/${encodeURIComponent(id)}/messages/delta?${MESSAGE_OPTIONS}`, link: round.link, pageSize: runtime.pageSize, purpose: MAIL_PURPOSE, budget, signal,
    });
    for (;;) {
      const step = await events.next();
      if (step.done === true) return step.value;
      if (step.value.type === 'restart') round.epoch++;
      else await this.#spoolPage(id, round, step.value.entries);
    }
  }

  async #spoolPage(folderId: string, round: FolderRound, entries: readonly Entry[]): Promise<void> {
    for (const entry of await this.#complete(entries)) {
      const item = isRemoved(entry) ? null : listedMessage(entry, folderId);
      await this.#spool.add(idOf(entry), JSON.stringify([folderId, round.epoch, item] satisfies MessageRecord));
      if (item === null) this.#lastRemoval = this.#spool.length;
    }
    this.#listed += entries.length;
    this.#context.progress({ type: 'progress', stage: 'scan', items: this.#listed, bytes: 0, ...(this.#total > this.#listed ? { totalItems: this.#total } : {}) });
  }

  /** Messages that were told in part, with all that is missing; those that are gone by now are left out: their removal will be told. */
  async #complete(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const parts = entries.filter((entry) => !isRemoved(entry) && !isWholeMessage(entry));
    if (parts.length === 0) return entries;
    const { graph, path, budget, runtime } = this.#access;
    const requests = parts.map((entry) => ({ path: `${path}/messages/${encodeURIComponent(idOf(entry))}?${MESSAGE_OPTIONS}` }));
    const results = await batch(graph, requests, {
      purpose: MAIL_PURPOSE, budget, signal: this.#context.signal, random: runtime.random, sleep: runtime.sleep, attempts: runtime.attempts,
    });
    const whole = new Map<Entry, Entry | undefined>();
    for (const [place, part] of parts.entries()) {
      const result = results[place];
      if (result !== undefined && 'error' in result && !hasCode(result.error, 'not-found')) throw result.error;
      whole.set(part, result !== undefined && 'document' in result ? result.document : undefined);
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
