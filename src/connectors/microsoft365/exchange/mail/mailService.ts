import { isHoldfastError, type Outcome } from '../../../../domain/index.ts';
import { isConnectionError } from '../../../../rest/index.ts';
import type { FetchContext, Fetched, PreviousState, SourceChange, SourceItem } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { SortedSpool } from '../sortedSpool.ts';
import type { MailboxAccess, SubService, SubServiceContext } from '../subService.ts';
import { parseMailCursor, type MailCursor } from './mailCursor.ts';
import { MailFolders, type MailFolder } from './mailFolders.ts';
import { folderKey, NAME, noticeKey, NOTICES } from './mailKeys.ts';
import { messageChanges } from './messageChanges.ts';
import { messageContent } from './messageContent.ts';
import { MessageListing } from './messageListing.ts';

const VANISHED: Outcome = { state: 'skipped', code: 'vanished', message: 'The mail was deleted while the run went on.' };
/** Contents in a row that the network would not give, or that were not permitted: then it is not about these mails. */
const MOST_IN_A_ROW = 12;

/** Mail: folders, messages in MIME form with what is known of them besides, and Recoverable Items as far as the service shows it. */
export class MailService implements SubService {
  readonly name = NAME;
  readonly title = 'Mail';
  readonly kind = 'mail';
  readonly #access: MailboxAccess;
  #cursor: MailCursor | undefined;
  #hasFailed = false;
  #inARow = 0;

  constructor(access: MailboxAccess) {
    this.#access = access;
  }

  async *enumerate(context: SubServiceContext): AsyncGenerator<readonly SourceChange[]> {
    this.#hasFailed = false;
    this.#cursor = undefined;
    const before = parseMailCursor(context.cursor);
    const folders = await MailFolders.sync(this.#access, context, before);
    // What a search folder shows lies in other folders.
    const read = [...folders.all].filter(({ search }) => search === undefined);
    const spool = new SortedSpool(context.scratch, NAME);
    const listing = new MessageListing(this.#access, context, spool, read);
    await listing.run(read, before?.messages ?? {});
    for (const [id, { state }] of listing.rounds) if (state === 'gone') folders.drop(id);
    const changes = await folders.changes(context.previous);
    if (changes.length > 0) yield changes;
    const isRelisted = [...listing.rounds].some(([id, round]) => round.full && folders.wasKnown(id));
    const retry = before?.retry ?? true;
    yield* messageChanges(spool, { previous: context.previous, rounds: listing.rounds, retry, scan: isRelisted || folders.someGone || retry });
    await spool.remove();
    const notices = await noticeChanges(read, listing, context.previous);
    if (notices.length > 0) yield notices;
    this.#cursor = cursorOf(folders, listing);
  }

  cursor(): MailCursor | undefined {
    return this.#cursor === undefined ? undefined : { ...this.#cursor, retry: this.#hasFailed };
  }

  async fetch(item: SourceItem, context: FetchContext): Promise<Fetched> {
    try {
      const fetched = await messageContent(this.#access, item, context);
      this.#inARow = 0;
      return fetched;
    } catch (error) {
      context.signal.throwIfAborted();
      return { item, outcome: this.#outcomeOf(error) };
    }
  }

  /** What concerns this mail alone; any other error is thrown. */
  #outcomeOf(error: unknown): Outcome {
    if (hasCode(error, 'not-found')) return VANISHED;
    const isOfItem = hasCode(error, 'refused', 'unavailable', 'odd-answer') || (isHoldfastError(error) && error.code === 'http/too-large');
    if (!isOfItem && !isConnectionError(error) && !hasCode(error, 'no-permission')) throw error;
    if (!isOfItem && ++this.#inARow > MOST_IN_A_ROW) throw error;
    this.#hasFailed = true;
    return { state: 'failed', code: 'unreadable', message: `Microsoft 365 does not give this mail: ${isHoldfastError(error) ? error.message : ''}` };
  }
}

function cursorOf(folders: MailFolders, { rounds }: MessageListing): MailCursor {
  const messages: Record<string, string> = {};
  for (const [id, { link, state }] of rounds) if (link !== undefined && state !== 'gone') messages[id] = link;
  return { folders: folders.link, root: folders.rootId, messages, retry: false };
}

/** Notices that stand in for the messages of folders that could not be read; those of the last run go where the folder could be read this time. */
async function noticeChanges(folders: readonly MailFolder[], { rounds }: MessageListing, previous: PreviousState): Promise<SourceChange[]> {
  const changes = new Map<string, SourceChange>();
  for await (const rows of previous.rows(NOTICES)) for (const { key } of rows) changes.set(key, { type: 'removed', key });
  for (const { id, name } of folders) {
    const round = rounds.get(id);
    if (round?.state !== 'unread') continue;
    const key = noticeKey(id);
    changes.set(key, {
      type: 'exception',
      item: { key, parent: folderKey(id), name: `All mails of ${name}`, kind: 'mail', size: 0, modified: null, change: '', meta: '' },
      outcome: { state: 'failed', code: 'folder-unreadable', message: round.error?.message ?? 'The folder could not be read.' },
    });
  }
  return [...changes.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
}
