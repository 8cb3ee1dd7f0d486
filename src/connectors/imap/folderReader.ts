import type { SourceChange } from '../contract.ts';
import type { ConnectionPool } from './connectionPool.ts';
import type { FetchRow } from './fetchRow.ts';
import type { ImapConnection } from './imapConnection.ts';
import { allUids, ensureMailbox, existingUids, openMailbox, uidFetch, type MailboxState } from './mailboxCommands.ts';
import { fingerprint, identityOf } from './messageItem.ts';
import { fetchPatiently } from './patientFetch.ts';
import { parseInternalDate } from './internalDate.ts';
import { formatUidSet, type UidRange } from './uidSet.ts';
import { UidList } from './uidList.ts';

export type ChangeBatches = AsyncGenerator<readonly SourceChange[]>;

/** UIDs in one command: bounds the answer that is held, and the length of the line. */
export const CHUNK = 500;

const LISTED = ['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE'];

/** What is gone and what is new or changed since a mod-sequence. */
export interface Delta {
  readonly state: MailboxState;
  /** Changed and new messages, sorted. */
  readonly changed: UidList;
  /** Undefined where the server can not tell (no QRESYNC). */
  readonly vanished: readonly UidRange[] | undefined;
}

export interface Identified {
  readonly identity: string;
  readonly flags: string;
}

/** All reading commands of one folder; each borrows a connection only while it runs, and is tried again when that breaks. */
export class FolderReader {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool, path: string, signal: AbortSignal) {
    this.#pool = pool;
    this.path = path;
    this.signal = signal;
  }

  async #run<T>(work: (connection: ImapConnection) => Promise<T>): Promise<T> {
    return await this.#pool.useAgain(this.path, this.signal, work);
  }

  async open(): Promise<MailboxState> {
    return await this.#run((connection) => openMailbox(connection, this.path, this.signal));
  }

  /** State and flags of all messages below `state.uidNext`, from one connection. */
  async flags(): Promise<{ readonly state: MailboxState; readonly list: UidList }> {
    return await this.#run(async (connection) => {
      const state = await openMailbox(connection, this.path, this.signal);
      const list = new UidList();
      if (state.exists > 0) {
        await uidFetch(connection, '1:*', ['UID', 'FLAGS'], (row) => this.#note(list, row, state), this.signal);
      }
      list.sort();
      // A row that could not be parsed is dropped without a word: absence is believed only from a search.
      if (list.length < state.exists) {
        for (const uid of await allUids(connection, this.signal)) if (!list.has(uid)) list.add(uid, undefined);
      }
      return { state, list: list.sort() };
    });
  }

  /** State and UIDs of all messages, flags unknown. */
  async uids(): Promise<{ readonly state: MailboxState; readonly list: UidList }> {
    return await this.#run(async (connection) => {
      const state = await openMailbox(connection, this.path, this.signal);
      const list = new UidList();
      const uids = state.exists === 0 ? [] : await allUids(connection, this.signal);
      for (const uid of uids) if (below(uid, state)) list.add(uid, undefined);
      return { state, list };
    });
  }

  async delta(uidValidity: number, modseq: string): Promise<Delta> {
    return await this.#run(async (connection) => {
      const changed = new UidList();
      const rows: FetchRow[] = [];
      const quick = connection.can('QRESYNC') && connection.can('ENABLE');
      const vanished: UidRange[] | undefined = quick ? [] : undefined;
      const note = (row: FetchRow): void => {
        rows.push(row);
      };
      const state = await openMailbox(connection, this.path, this.signal, quick
        ? { since: { uidValidity, modseq }, onRow: note, onVanished: (range) => vanished?.push(range) } : {});
      if (!quick && state.exists > 0) {
        await uidFetch(connection, '1:*', ['UID', 'FLAGS'], note, this.signal, { modseq });
      }
      for (const row of rows) this.#note(changed, row, state);
      return { state, changed: changed.sort(), vanished };
    });
  }

  #note(list: UidList, row: FetchRow, state: MailboxState): void {
    if (below(row.uid, state)) list.add(row.uid, row.flags);
  }

  /** Date, size and flags of these UIDs; those that are gone or can not be had are missing. */
  async list(uidValidity: number, uids: readonly number[]): Promise<Map<number, FetchRow>> {
    const rows = new Map<number, FetchRow>();
    for (let at = 0; at < uids.length; at += CHUNK) {
      await this.#fetch(uidValidity, uids.slice(at, at + CHUNK), LISTED, (row) => {
        if (row.internalDate !== undefined) rows.set(row.uid, row);
      });
    }
    return rows;
  }

  /** What {@link identityOf} makes of these messages; those that are gone are missing. */
  async identities(uidValidity: number, uids: readonly number[]): Promise<Map<number, Identified>> {
    const found = new Map<number, Identified>();
    await this.#fetch(uidValidity, uids, [...LISTED, 'BODY.PEEK[HEADER]'], (row) => {
      if (row.bytes === undefined || row.internalDate === undefined) return;
      const identity = identityOf(fingerprint(row.bytes), row.size ?? 0, parseInternalDate(row.internalDate));
      found.set(row.uid, { identity, flags: row.flags ?? '' });
    });
    return found;
  }

  /** Which of these UIDs exist. Opens the mailbox anew: an open one may still show what others deleted. */
  async existing(uidValidity: number, uids: readonly number[]): Promise<Set<number>> {
    return await this.#run((connection) => existingUids(connection, this.path, uidValidity, uids, this.signal));
  }

  async #fetch(uidValidity: number, uids: readonly number[], items: readonly string[],
    onRow: (row: FetchRow) => void): Promise<void> {
    const remaining = new Set(uids);
    await fetchPatiently(this.#pool, {
      path: this.path, signal: this.signal, remaining,
      fetch: async (connection, batch) => {
        await ensureMailbox(connection, this.path, uidValidity, this.signal);
        await uidFetch(connection, formatUidSet(batch), items, (row) => {
          if (remaining.delete(row.uid)) onRow(row);
        }, this.signal);
        for (const uid of batch) remaining.delete(uid);
      },
      giveUp: async (uid) => {
        remaining.delete(uid);
      },
    });
  }
}

function below(uid: number, state: MailboxState): boolean {
  return state.uidNext === 0 || uid < state.uidNext;
}

