import type { HoldfastError } from '../../../../domain/index.ts';
import type { FetchContext, Fetched, SourceChange, SourceItem } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { SortedSpool } from '../sortedSpool.ts';
import type { MailboxAccess, SubService, SubServiceContext } from '../subService.ts';
import { ContentOutcomes } from './contentOutcomes.ts';
import { fetchTogether } from './fetchTogether.ts';
import { Folders, type FolderSource } from './folders.ts';
import { hasMissing } from './itemChanges.ts';
import { ItemListing } from './itemListing.ts';
import type { ItemSource } from './itemSource.ts';
import { partChanges } from './partChanges.ts';
import { parseSyncCursor, type SyncCursor } from './syncCursor.ts';

/** How a content is read: the mailbox, and what the paths of its requests begin with. */
export interface ContentAccess {
  readonly access: MailboxAccess;
  readonly base: string;
}

/** What one sub-service with folders brings: everything else is the same for all of them. */
export interface FolderedPlan {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  /** One item and several, in sentences. */
  readonly nouns: readonly [one: string, many: string];
  readonly folders: FolderSource;
  readonly items: ItemSource;
  /** What lists the items needs another permission than their content. */
  readonly isListedApart?: boolean;
  /** As in {@link SubService}. */
  readonly isOfSomeClouds?: boolean;
  /** As in {@link SubService}. */
  readonly requests?: number;
  /** What the paths of all requests begin with; the path of the mailbox unless told. Asked for once, then kept in the cursor. */
  base?(access: MailboxAccess, signal: AbortSignal): Promise<string>;
  /** Throws what the service or the network answers instead. */
  content(from: ContentAccess, item: SourceItem, context: FetchContext): Promise<Fetched>;
  /** Where the service gives several contents at once: so many at most, each or the error that concerns it alone; undefined: ask for it alone. Throws what concerns all of them. */
  readonly together?: {
    readonly most: number;
    contents(from: ContentAccess, items: readonly SourceItem[], context: FetchContext): Promise<readonly (Fetched | HoldfastError | undefined)[]>;
  };
}

/** A sub-service whose items lie in folders and are documents of Graph: calendars, contacts, tasks, notes. */
export class FolderedService implements SubService {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  readonly isOfSomeClouds: boolean;
  readonly requests: number;
  readonly #access: MailboxAccess;
  readonly #plan: FolderedPlan;
  #base = '';
  #cursor: SyncCursor | undefined;
  #outcomes: ContentOutcomes;

  constructor(access: MailboxAccess, plan: FolderedPlan) {
    ({ name: this.name, title: this.title, kind: this.kind } = plan);
    this.isOfSomeClouds = plan.isOfSomeClouds === true;
    this.requests = plan.requests ?? 1;
    this.#access = access;
    this.#plan = plan;
    this.#outcomes = new ContentOutcomes(access, plan.nouns[0], plan.isListedApart);
  }

  async *enumerate(context: SubServiceContext): AsyncGenerator<readonly SourceChange[]> {
    const { items: source, nouns: [one, noun] } = this.#plan;
    this.#outcomes = new ContentOutcomes(this.#access, one, this.#plan.isListedApart);
    this.#cursor = undefined;
    const access = this.#access;
    const { previous, scratch, expect } = context;
    const { before, base, folders } = await this.#open(context);
    this.#base = base;
    const spool = new SortedSpool(scratch, this.name);
    const read = folders.all;
    const listing = new ItemListing({ access, context, source, spool, base, folders: read });
    await listing.run(before?.items ?? {});
    const { rounds } = listing;
    if (source.mode === 'list' && await hasMissing(spool, { source, previous, rounds })) await listing.again();
    const retry = before?.retry ?? true;
    yield* partChanges({
      source, folders, read, rounds, spool, previous, retry, outcomes: this.#outcomes, expect, names: { noun, kind: this.kind },
      streams: access.streams, reached: before?.fidelity, signal: context.signal,
    });
    const fidelity = access.streams?.reached ?? 'mime';
    this.#cursor = { base, folders: listing.hasMissedFolder ? '' : folders.link, items: listing.links, retry: false, fidelity };
  }

  /** The folders, from where the last run ended. A path that leads nowhere any more is asked for anew, and everything listed. */
  async #open(context: SubServiceContext): Promise<{ readonly before: SyncCursor | undefined; readonly base: string; readonly folders: Folders }> {
    const { folders: source, base: findBase } = this.#plan;
    const access = this.#access;
    const before = parseSyncCursor(context.cursor);
    if (before !== undefined) {
      try {
        return { before, base: before.base, folders: await Folders.sync(access, context, source, { base: before.base, link: before.folders }) };
      } catch (error) {
        if (findBase === undefined || !hasCode(error, 'not-found', 'no-mailbox')) throw error;
      }
    }
    const base = await findBase?.(access, context.signal) ?? access.path;
    return { before: undefined, base, folders: await Folders.sync(access, context, source, { base, link: undefined }) };
  }

  cursor(): SyncCursor | undefined {
    if (this.#cursor === undefined) return undefined;
    return { ...this.#cursor, retry: this.#outcomes.hasFailed || this.#access.streams?.haveFailed(this.name) === true };
  }

  async fetch(item: SourceItem, context: FetchContext): Promise<Fetched> {
    return await this.#outcomes.of(item, context, async () => await this.#content(item, context));
  }

  get together(): number { return this.#plan.together?.most ?? 1; }

  async fetchTogether(items: readonly SourceItem[], context: FetchContext): Promise<readonly Fetched[]> {
    const { together } = this.#plan;
    return await fetchTogether(items, context, {
      outcomes: this.#outcomes, content: async (item, asking) => await this.#content(item, asking),
      ...(together === undefined ? {} : { contents: async (some, asking) => await together.contents({ access: this.#access, base: this.#base }, some, asking) }),
    });
  }

  async #content(item: SourceItem, context: FetchContext): Promise<Fetched> {
    return await this.#plan.content({ access: this.#access, base: this.#base }, item, context);
  }
}
