import { HoldfastError, isHoldfastError } from '../../domain/index.ts';
import { parseFetchRow, textOf, type FetchRow } from './fetchRow.ts';
import {
  atom, quoted, sequence, type Argument, type Handlers, type ImapConnection, type Node, type Response,
} from './imapConnection.ts';
import { formatUidSet, parseUidSet, type UidRange } from './uidSet.ts';

/** What SELECT or EXAMINE says. */
export interface MailboxState {
  readonly uidValidity: number;
  /** 0 where the server does not say. */
  readonly uidNext: number;
  /** Decimal, undefined where the mailbox keeps none (NOMODSEQ, or no CONDSTORE). */
  readonly modseq: string | undefined;
  readonly exists: number;
  /** Lower case; undefined where the server does not say. */
  readonly permanentFlags: ReadonlySet<string> | undefined;
}

export interface OpenOptions {
  readonly writable?: boolean;
  /** QRESYNC: tell what changed since then. */
  readonly since?: { readonly uidValidity: number; readonly modseq: string };
  readonly onRow?: (row: FetchRow) => void;
  readonly onVanished?: (range: UidRange) => void;
}

interface StateParts {
  uidValidity: number;
  uidNext: number;
  modseq: string | undefined;
  exists: number;
  permanentFlags: ReadonlySet<string> | undefined;
}

function readCode(state: StateParts, response: Response): void {
  const first = response.attributes?.[0];
  if (first === null || first === undefined || Array.isArray(first)) return;
  const { section } = first as { section?: readonly Node[] };
  if (section === undefined) return;
  const value = section[1];
  switch (textOf(section[0]).toUpperCase()) {
    case 'UIDVALIDITY': state.uidValidity = Number(textOf(value)); break;
    case 'UIDNEXT': state.uidNext = Number(textOf(value)); break;
    case 'HIGHESTMODSEQ': state.modseq = textOf(value); break;
    case 'NOMODSEQ': state.modseq = undefined; break;
    case 'PERMANENTFLAGS':
      if (Array.isArray(value)) state.permanentFlags = new Set(value.map((flag) => textOf(flag).toLowerCase()));
      break;
    default: break;
  }
}

function rowHandler(onRow: (row: FetchRow) => void): (response: Response) => void {
  return (response) => {
    const row = parseFetchRow(response);
    if (row !== undefined) onRow(row);
  };
}

function vanishedHandler(onVanished: (range: UidRange) => void): (response: Response) => void {
  return (response) => {
    // "VANISHED (EARLIER) set" or "VANISHED set".
    for (const range of parseUidSet(textOf(response.attributes?.at(-1)))) onVanished(range);
  };
}

/** Mailbox names go out quoted; what can not be quoted goes as a literal. */
export function mailbox(path: string): Argument {
  return /[\r\n\0]/.test(path) ? { type: 'LITERAL', value: Buffer.from(path) } : quoted(path);
}

/** EXAMINE (or SELECT, if writable). Always sent: the state is that of now. Throws 'imap/no-folder' (never) when refused. */
export async function openMailbox(
  connection: ImapConnection, path: string, signal: AbortSignal, options: OpenOptions = {},
): Promise<MailboxState> {
  const state: StateParts = { uidValidity: 0, uidNext: 0, modseq: undefined, exists: 0, permanentFlags: undefined };
  const withModseq = connection.can('CONDSTORE') || connection.can('QRESYNC');
  const args: Argument[] = [mailbox(path)];
  if (options.since !== undefined) {
    args.push([atom('QRESYNC'), [atom(String(options.since.uidValidity)), atom(options.since.modseq)]]);
  } else if (withModseq) args.push([atom('CONDSTORE')]);
  connection.selected = undefined;
  const handlers: Handlers = {
    OK: (response) => readCode(state, response),
    EXISTS: (response) => {
      state.exists = Number(response.command);
    },
    FETCH: rowHandler(options.onRow ?? (() => undefined)),
    VANISHED: vanishedHandler(options.onVanished ?? (() => undefined)),
  };
  try {
    await connection.command(options.writable === true ? 'SELECT' : 'EXAMINE', args, handlers, signal);
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'imap/refused') throw error;
    throw new HoldfastError('imap/no-folder', 'never', `A folder can not be opened. ${error.message}`, { cause: error });
  }
  connection.selected = { path, uidValidity: state.uidValidity, writable: options.writable === true };
  return withModseq ? state : { ...state, modseq: undefined };
}

/** Opens the mailbox unless it is open; throws 'imap/renumbered' (resume) when its UIDs are no longer the known ones. */
export async function ensureMailbox(
  connection: ImapConnection, path: string, uidValidity: number, signal: AbortSignal,
): Promise<void> {
  if (connection.selected?.path !== path) await openMailbox(connection, path, signal);
  if (connection.selected?.uidValidity !== uidValidity) {
    throw new HoldfastError('imap/renumbered', 'resume',
      'The server numbered the mails of a folder anew. Start the run again.');
  }
}

/** All UIDs of the open mailbox, ascending. */
export async function allUids(connection: ImapConnection, signal: AbortSignal): Promise<Uint32Array> {
  const ranges: UidRange[] = [];
  const args = connection.can('ESEARCH') ? [atom('RETURN'), [atom('ALL')], atom('ALL')] : [atom('ALL')];
  await connection.command('UID SEARCH', args, {
    SEARCH: (response) => {
      const uids = response.numbers ?? (response.attributes ?? []).map((node) => Number(textOf(node)));
      for (const uid of uids) ranges.push([uid, uid]);
    },
    ESEARCH: (response) => {
      const nodes = response.attributes ?? [];
      const at = nodes.findIndex((node) => textOf(node).toUpperCase() === 'ALL');
      if (at >= 0) ranges.push(...parseUidSet(textOf(nodes[at + 1])));
    },
  }, signal);
  const count = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const uids = new Uint32Array(count);
  let at = 0;
  for (const [first, last] of ranges) for (let uid = first; uid <= last; uid++) uids[at++] = uid;
  return uids.sort();
}

export interface ChangedSince {
  readonly modseq: string;
  /** With QRESYNC: also what is gone. */
  readonly onVanished?: (range: UidRange) => void;
}

/** UID FETCH in the open mailbox. `items` as atoms, e.g. ['UID', 'FLAGS']. Rows come in the server's order. */
export async function uidFetch(
  connection: ImapConnection, set: string, items: readonly string[], onRow: (row: FetchRow) => Promise<void> | void,
  signal: AbortSignal, since?: ChangedSince,
): Promise<void> {
  const args: Argument[] = [sequence(set), items.map((item) => fetchItem(item))];
  if (since !== undefined) {
    const vanished = since.onVanished === undefined ? [] : [atom('VANISHED')];
    args.push([atom('CHANGEDSINCE'), atom(since.modseq), ...vanished]);
  }
  const handlers: Handlers = {
    FETCH: async (response) => {
      const row = parseFetchRow(response);
      if (row !== undefined) await onRow(row);
    },
    ...(since?.onVanished === undefined ? {} : { VANISHED: vanishedHandler(since.onVanished) }),
  };
  await connection.command('UID FETCH', args, handlers, signal);
}

/** Which of these UIDs exist, as of a mailbox opened anew: an open one may still show what others deleted. */
export async function existingUids(
  connection: ImapConnection, path: string, uidValidity: number, uids: readonly number[], signal: AbortSignal,
): Promise<Set<number>> {
  connection.selected = undefined;
  await ensureMailbox(connection, path, uidValidity, signal);
  const asked = new Set(uids);
  const found = new Set<number>();
  if (uids.length === 0) return found;
  await uidFetch(connection, formatUidSet(uids), ['UID'], (row) => {
    if (asked.has(row.uid)) found.add(row.uid);
  }, signal);
  return found;
}

/** 'BODY.PEEK[HEADER]' and 'BODY.PEEK[]<0.100>' need their parts apart, or they would go out quoted. */
function fetchItem(item: string): Argument {
  const match = /^(BODY\.PEEK)\[([A-Z]*)\](?:<(\d+)\.(\d+)>)?$/.exec(item);
  if (match === null) return atom(item);
  const [, value = '', section = '', from, length] = match;
  return {
    type: 'ATOM', value,
    section: section === '' ? [] : [atom(section)],
    ...(from === undefined ? {} : { partial: [Number(from), Number(length)] }),
  } as Argument;
}
