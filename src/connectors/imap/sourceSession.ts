import { messageOf, type BinaryString, type Entity, type ItemRow } from '../../domain/index.ts';
import type { EnumerateContext, FetchContext, Fetched, SourceChange, SourceItem, SourceSession } from '../contract.ts';
import { BodyFetcher } from './bodyFetcher.ts';
import type { ConnectionPool } from './connectionPool.ts';
import { parseCursor, type FolderState } from './cursorState.ts';
import { deltaFolder, mergeFolder, unreadNotice, type FolderResult } from './folderChanges.ts';
import { describedState, folderItem, folderName, statesFromRows } from './folderItem.ts';
import { listFolders, type FolderStatus, type ListedFolder } from './folderListing.ts';
import { matchFolders, withParents, type FolderMatch, type Matching } from './folderMatching.ts';
import { FolderReader } from './folderReader.ts';
import { isLocalTrouble } from './imapErrors.ts';
import { FOLDER_PREFIX, folderKey, messageNumbers, messagesPrefix } from './itemKeys.ts';
import { listedIdentity } from './messageItem.ts';
import { PreviousMessages } from './previousMessages.ts';
import { renumberedFolder } from './renumberedFolder.ts';

/** Mails that are looked at before a folder of another name is believed to be the same one. */
const SAMPLES = 5;

/** Reads one mailbox. The cursor holds every folder's counters as of the moment before its messages were listed. */
export class ImapSource implements SourceSession {
  readonly entity: Entity;
  readonly #pool: ConnectionPool;
  readonly #bodies: BodyFetcher;
  readonly #states = new Map<number, FolderState>();
  #nextNumber = 1;
  #ended = false;

  constructor(entity: Entity, pool: ConnectionPool) {
    this.entity = entity;
    this.#pool = pool;
    this.#bodies = new BodyFetcher(pool, (folder) => this.#states.get(folder)?.path);
  }

  async *enumerate(context: EnumerateContext): AsyncGenerator<readonly SourceChange[]> {
    const { signal } = context;
    this.#ended = false;
    this.#states.clear();
    const listing = await this.#pool.useAgain(undefined, signal, (connection) => listFolders(connection, signal));
    const listed = withParents(listing);
    const totalItems = listed.reduce((sum, folder) => sum + (folder.status?.messages ?? 0), 0);
    context.progress({ type: 'progress', stage: 'scan', items: 0, bytes: 0, totalItems });
    const cursor = parseCursor(context.cursor);
    const known = cursor?.folders ?? await knownFolders(context);
    const first = cursor?.nextNumber ?? known.reduce((most, folder) => Math.max(most, folder.number), 0) + 1;
    const matching = await matchFolders(known, listed, first,
      (before, now) => this.#isSame(before, now, context));
    this.#nextNumber = matching.nextNumber;
    for (const match of matching.matches) {
      this.#states.set(match.number, { ...describedState(match), ...untouched(match.before) });
    }
    const changes = folderRows(known, matching);
    if (changes.length > 0) yield changes;
    yield* this.#messages(matching, context);
    this.#ended = true;
  }

  async *#messages(matching: Matching, context: EnumerateContext): AsyncGenerator<readonly SourceChange[]> {
    const work = [
      ...matching.matches.map((match) => ({ number: match.number, match })),
      ...matching.gone.map((folder) => ({ number: folder.number, match: undefined })),
    ].sort((a, b) => a.number - b.number);
    for (const { number, match } of work) {
      context.signal.throwIfAborted();
      if (match === undefined) yield [{ type: 'removedPrefix', prefix: messagesPrefix(number) }];
      else yield* this.#folder(match, context);
    }
  }

  async *#folder(match: FolderMatch, context: EnumerateContext): AsyncGenerator<readonly SourceChange[]> {
    const { number, now, before } = match;
    const described = describedState(match);
    const shortcut = withoutLooking(match);
    if (shortcut !== undefined) {
      this.#states.set(number, { ...described, ...shortcut.counters });
      if (shortcut.changes.length > 0) yield shortcut.changes;
      return;
    }
    const reader = new FolderReader(this.#pool, now.path, context.signal);
    let emitted = false;
    // The notice of the last run goes when the folder could be read this time.
    let late: readonly SourceChange[] = before?.unread === true
      ? [{ type: 'removed', key: messagesPrefix(number) }] : [];
    try {
      const batches = changesOfFolder(reader, match, context);
      for (;;) {
        const step = await batches.next();
        if (step.done === true) {
          this.#states.set(number, { ...described, ...withModseq(step.value) });
          if (late.length > 0) yield late;
          return;
        }
        emitted = true;
        yield [...late, ...step.value];
        late = [];
      }
    } catch (error) {
      // Once some of its messages are out, their keys may not be gone back behind: the run as a whole fails then.
      if (emitted || !isLocalTrouble(error)) throw error;
      this.#states.set(number, { ...described, ...untouched(before), unread: true });
      yield [unreadNotice(number, folderName(now), messageOf(error))];
    }
  }

  /** Compares a few stored mails of `before` with those that stand under the same UIDs in `now`. */
  async #isSame(before: FolderState, now: ListedFolder, context: EnumerateContext): Promise<boolean> {
    if (now.status?.messages === 0) return before.count === 0 && before.uidNext === now.status.uidNext;
    const samples = new Map<number, string>();
    const step = Math.max(1, Math.floor(before.count / SAMPLES));
    let index = 0;
    for await (const row of new PreviousMessages(context.previous, before.number).all(before.uidValidity)) {
      const identity = listedIdentity(row);
      if (index++ % step === 0 && identity !== undefined) samples.set(messageNumbers(row.key).uid, identity);
    }
    if (samples.size === 0) return false;
    const reader = new FolderReader(this.#pool, now.path, context.signal);
    try {
      const found = await reader.identities(before.uidValidity, [...samples.keys()]);
      return found.size > 0 && [...found].every(([uid, { identity }]) => samples.get(uid) === identity);
    } catch (error) {
      if (!isLocalTrouble(error)) throw error;
      return false;
    }
  }

  cursor(): string | undefined {
    if (!this.#ended) return undefined;
    const { failedIn } = this.#bodies;
    const folders = [...this.#states.values()]
      .map((state) => (failedIn.has(state.number) ? { ...state, retry: true } : state));
    return JSON.stringify({ version: 1, nextNumber: this.#nextNumber, folders });
  }

  fetch(items: readonly SourceItem[], context: FetchContext): AsyncIterable<Fetched> {
    return this.#bodies.fetch(items, context);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

type Counters = Pick<FolderState, 'uidValidity' | 'uidNext' | 'count' | 'modseq' | 'unread' | 'retry'>;

/** The counters of the last run, for a folder whose messages are not looked at. */
function untouched(before: FolderState | undefined): Counters {
  if (before === undefined) return { uidValidity: 0, uidNext: 0, count: 0 };
  const { uidValidity, uidNext, count } = before;
  return {
    uidValidity, uidNext, count, ...(before.modseq === undefined ? {} : { modseq: before.modseq }),
    ...(before.unread === true ? { unread: true } : {}), ...(before.retry === true ? { retry: true } : {}),
  };
}

function emptyCounters({ uidValidity, uidNext, modseq }: FolderStatus): Counters {
  return withModseq({ uidValidity, uidNext, modseq, count: 0 });
}

function withModseq(result: FolderResult): Counters {
  const { modseq, ...rest } = result;
  return modseq === undefined ? rest : { ...rest, modseq };
}

/** Folders whose messages need no look: unchanged or unreadable, new and empty, or now without messages of its own. */
function withoutLooking(match: FolderMatch): { counters: Counters; changes: readonly SourceChange[] } | undefined {
  const { now: { container, status }, before, number } = match;
  const nothing = { uidValidity: 0, uidNext: 0, count: 0 };
  if (container && before !== undefined && before.uidValidity !== 0) {
    return { counters: nothing, changes: [{ type: 'removedPrefix', prefix: messagesPrefix(number) }] };
  }
  if (status === undefined || isUnchanged(match)) return { counters: untouched(before), changes: [] };
  if (before === undefined && status.messages === 0) return { counters: emptyCounters(status), changes: [] };
  return undefined;
}

/** By the counters alone, without opening it. Without mod-sequences only an empty folder can be told. */
function isUnchanged({ now: { status }, before }: FolderMatch): boolean {
  if (status === undefined || before === undefined || before.retry === true || before.unread === true) return false;
  if (status.uidValidity !== before.uidValidity || status.messages !== before.count) return false;
  if (status.messages === 0) return true;
  return status.modseq !== undefined && status.modseq === before.modseq && status.uidNext === before.uidNext;
}

async function* changesOfFolder(
  reader: FolderReader, { number, now, before }: FolderMatch, context: EnumerateContext,
): AsyncGenerator<readonly SourceChange[], FolderResult> {
  const previous = new PreviousMessages(context.previous, number);
  if (before === undefined) return yield* mergeFolder(reader, number, previous, true);
  if (before.uidValidity !== 0 && before.uidValidity !== now.status?.uidValidity) {
    return yield* renumberedFolder(reader, number, previous);
  }
  if (before.modseq !== undefined && before.retry !== true && before.unread !== true) {
    const result = yield* deltaFolder(reader, number, previous, before, before.modseq);
    if (result !== undefined) return result;
  }
  if (before.uidValidity === 0 && !await hasRowsOf(previous, now.status?.uidValidity)) {
    return yield* renumberedFolder(reader, number, previous);
  }
  return yield* mergeFolder(reader, number, previous, false);
}

/** With a lost cursor the rows tell which numbering they are of. */
async function hasRowsOf(previous: PreviousMessages, uidValidity: number | undefined): Promise<boolean> {
  for await (const _row of previous.all(uidValidity)) return true;
  return false;
}

/** Rows of folders that are new, changed, unreadable or gone; nothing for one that is as it was. */
function folderRows(known: readonly FolderState[], { matches, gone }: Matching): SourceChange[] {
  const numbersBefore = new Map(known.map((folder) => [folder.path, folder.number]));
  const numbersNow = new Map(matches.map(({ now, number }) => [now.path, number]));
  const changes: (readonly [key: BinaryString, change: SourceChange])[] = gone.map(({ number }) =>
    [folderKey(number), { type: 'removed', key: folderKey(number) }]);
  for (const { number, now, before } of matches) {
    const item = folderItem(number, now, numbersNow);
    if (now.trouble !== undefined) {
      const outcome = { state: 'failed', code: 'folder-unreadable', message: now.trouble } as const;
      changes.push([item.key, { type: 'exception', item, outcome }]);
    } else if (before === undefined || before.troubled === true
      || folderItem(number, before, numbersBefore).change !== item.change) {
      changes.push([item.key, { type: 'item', item, content: { from: 'none' } }]);
    }
  }
  return changes.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
}

async function knownFolders(context: EnumerateContext): Promise<FolderState[]> {
  const rows: ItemRow[] = [];
  for await (const batch of context.previous.rows(FOLDER_PREFIX)) rows.push(...batch);
  return statesFromRows(rows);
}
