import type { FetchContext, Fetched, SourceChange, SourceItem } from '../../../contract.ts';
import { ContentOutcomes } from '../items/contentOutcomes.ts';
import { ItemListing } from '../items/itemListing.ts';
import { partChanges } from '../items/partChanges.ts';
import { SortedSpool } from '../sortedSpool.ts';
import type { MailboxAccess, SubService, SubServiceContext } from '../subService.ts';
import { HELD } from './heldFolders.ts';
import { parseMailCursor, type MailCursor } from './mailCursor.ts';
import { MailFolders, type MailFolder } from './mailFolders.ts';
import { NAME } from './mailKeys.ts';
import { messageContent } from './messageContent.ts';
import { messageSource } from './messageSource.ts';

/** Folders into which mail moves most are read after those that it comes from. */
const LAST = ['archive', 'deleteditems', 'recoverableitemsdeletions', ...HELD];

/** Mail: folders, messages in MIME form with what is known of them besides, and Recoverable Items as far as the service shows it. */
export class MailService implements SubService {
  readonly name = NAME;
  readonly title = 'Mail';
  readonly kind = 'mail';
  readonly #access: MailboxAccess;
  #cursor: MailCursor | undefined;
  #outcomes: ContentOutcomes;

  constructor(access: MailboxAccess) {
    this.#access = access;
    this.#outcomes = new ContentOutcomes(access, 'mail');
  }

  async *enumerate(context: SubServiceContext): AsyncGenerator<readonly SourceChange[]> {
    this.#outcomes = new ContentOutcomes(this.#access, 'mail');
    this.#cursor = undefined;
    const access = this.#access;
    const { previous, expect } = context;
    const before = parseMailCursor(context.cursor);
    const folders = await MailFolders.sync(access, context, before);
    // What a search folder shows lies in other folders.
    const read = [...folders.all].filter(({ search }) => search === undefined).sort((a, b) => placeOf(a) - placeOf(b));
    const spool = new SortedSpool(context.scratch, NAME);
    const listing = new ItemListing({ access, context, source: messageSource, spool, base: access.path, folders: read });
    await listing.run(before?.messages ?? {});
    const { rounds } = listing;
    const retry = before?.retry ?? true;
    yield* partChanges({
      source: messageSource, folders, read, rounds, spool, previous, retry, outcomes: this.#outcomes, expect, names: { noun: 'mails', kind: this.kind },
      streams: access.streams, reached: before?.fidelity, tellsStreams: true, signal: context.signal,
    });
    const fidelity = access.streams?.reached ?? 'mime';
    this.#cursor = { folders: listing.hasMissedFolder ? '' : folders.link, root: folders.rootId, messages: listing.links, retry: false, fidelity };
  }

  cursor(): MailCursor | undefined {
    if (this.#cursor === undefined) return undefined;
    return { ...this.#cursor, retry: this.#outcomes.hasFailed || this.#access.streams?.haveFailed(this.name) === true };
  }

  async fetch(item: SourceItem, context: FetchContext): Promise<Fetched> {
    return await this.#outcomes.of(item, context, async () => await messageContent(this.#access, item, context));
  }
}

function placeOf({ wellKnown = '' }: MailFolder): number {
  return LAST.indexOf(wellKnown);
}
