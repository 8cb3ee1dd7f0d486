import { messageOf } from '../../domain/index.ts';
import { textOf } from './fetchRow.ts';
import { atom, quoted, type Argument, type ImapConnection, type Node, type Response } from './imapConnection.ts';
import { isLocalTrouble } from './imapErrors.ts';
import { mailbox } from './mailboxCommands.ts';

/** A folder as LIST and STATUS tell it now. */
export interface ListedFolder {
  readonly path: string;
  readonly delimiter: string | null;
  readonly specialUse: string;
  readonly subscribed: boolean;
  readonly container: boolean;
  /** undefined: a container, or the server could not say (then `trouble` tells why). */
  readonly status: FolderStatus | undefined;
  readonly trouble?: string;
}

export interface FolderStatus {
  readonly messages: number;
  readonly uidNext: number;
  readonly uidValidity: number;
  readonly modseq?: string;
  readonly mailboxId?: string;
}

const SPECIAL_USES = new Map(['All', 'Archive', 'Drafts', 'Flagged', 'Important', 'Junk', 'Sent', 'Trash']
  .map((use) => [`\\${use.toLowerCase()}`, `\\${use}`]));

const UNTOLD = 'The server does not tell its state.';

/** RFC 8474, section 7. */
const OBJECT_ID = /^[A-Za-z0-9_-]{1,255}$/;

interface Draft {
  path: string;
  delimiter: string | null;
  attributes: Set<string>;
  status: FolderStatus | undefined;
  trouble?: string;
}

function attributesOf(node: Node | undefined): Set<string> {
  return new Set(Array.isArray(node) ? node.map((flag) => textOf(flag).toLowerCase()) : []);
}

/** INBOX is the one name that is not case-sensitive. */
export function canonicalPath(path: string): string {
  return path.toUpperCase() === 'INBOX' ? 'INBOX' : path;
}

function readStatus(response: Response): [path: string, status: FolderStatus] | undefined {
  const [name, list] = response.attributes ?? [];
  if (!Array.isArray(list)) return undefined;
  const nodes = list as readonly Node[];
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < nodes.length; i += 2) {
    const value = nodes[i + 1];
    // MAILBOXID stands in parentheses (RFC 8474).
    values.set(textOf(nodes[i]).toUpperCase(), textOf(Array.isArray(value) ? (value as readonly Node[])[0] : value));
  }
  const number = (key: string): number => Number(values.get(key) ?? 0);
  const modseq = values.get('HIGHESTMODSEQ');
  const mailboxId = values.get('MAILBOXID');
  return [canonicalPath(textOf(name)), {
    messages: number('MESSAGES'), uidNext: number('UIDNEXT'), uidValidity: number('UIDVALIDITY'),
    // 0 means that the mailbox keeps no mod-sequences.
    ...(modseq === undefined || modseq === '0' ? {} : { modseq }),
    ...(mailboxId === undefined ? {} : { mailboxId }),
  }];
}

function statusItems(connection: ImapConnection, withIds: boolean): Argument[] {
  const items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'];
  if (connection.can('CONDSTORE') || connection.can('QRESYNC')) items.push('HIGHESTMODSEQ');
  if (withIds) items.push('MAILBOXID');
  return items.map((item) => atom(item));
}

/** All folders with their state: one command where the server can, else LIST, LSUB and a STATUS for each. */
export async function listFolders(connection: ImapConnection, signal: AbortSignal): Promise<ListedFolder[]> {
  const withIds = connection.can('OBJECTID');
  const listed = await listOnce(connection, withIds, signal);
  return withIds && listed.some(hasBrokenId) ? await listOnce(connection, false, signal) : listed;
}

/**
 * Cyrus 3.6.1 prints raw memory as MAILBOXID in STATUS (cyrus-imapd issue 4944), and a bracket or a NUL among those
 * bytes makes the whole line unreadable. Where one id is broken, none of that server can be believed.
 */
function hasBrokenId({ status, trouble }: ListedFolder): boolean {
  if (status === undefined) return trouble === UNTOLD;
  return status.mailboxId !== undefined && !OBJECT_ID.test(status.mailboxId);
}

async function listOnce(connection: ImapConnection, withIds: boolean, signal: AbortSignal): Promise<ListedFolder[]> {
  const drafts = new Map<string, Draft>();
  const extended = connection.can('LIST-EXTENDED');
  const withStatus = extended && connection.can('LIST-STATUS');
  const returns: Argument[] = [];
  if (extended) returns.push(atom('SUBSCRIBED'));
  if (extended && connection.can('SPECIAL-USE')) returns.push(atom('SPECIAL-USE'));
  if (withStatus) returns.push(atom('STATUS'), statusItems(connection, withIds));
  await connection.command('LIST', [quoted(''), quoted('*'), ...(extended ? [atom('RETURN'), returns] : [])], {
    LIST: (response) => {
      const [flags, delimiter, name] = response.attributes ?? [];
      const path = canonicalPath(textOf(name));
      if (path === '') return;
      const attributes = attributesOf(flags);
      drafts.set(path, { path, delimiter: textOf(delimiter) || null, attributes, status: drafts.get(path)?.status });
    },
    STATUS: (response) => {
      const [path, status] = readStatus(response) ?? [];
      const draft = path === undefined ? undefined : drafts.get(path);
      if (draft !== undefined) draft.status = status;
    },
  }, signal);
  const listed = (): ListedFolder[] => [...drafts.values()].map(finish);
  // Asked again without ids anyway: no STATUS for each folder before.
  if (withStatus && withIds && listed().some(hasBrokenId)) return listed();
  if (!extended) await addSubscriptions(connection, drafts, signal);
  for (const draft of drafts.values()) {
    if (!isContainer(draft) && draft.status === undefined) await addStatus(connection, draft, withIds, signal);
  }
  return listed();
}

function isContainer(draft: Draft): boolean {
  return draft.attributes.has('\\noselect') || draft.attributes.has('\\nonexistent');
}

async function addSubscriptions(
  connection: ImapConnection, drafts: Map<string, Draft>, signal: AbortSignal,
): Promise<void> {
  await connection.command('LSUB', [quoted(''), quoted('*')], {
    LSUB: (response) => {
      const [flags, , name] = response.attributes ?? [];
      // \Noselect in LSUB: not subscribed itself, but something below it is.
      if (attributesOf(flags).has('\\noselect')) return;
      drafts.get(canonicalPath(textOf(name)))?.attributes.add('\\subscribed');
    },
  }, signal);
}

async function addStatus(
  connection: ImapConnection, draft: Draft, withIds: boolean, signal: AbortSignal,
): Promise<void> {
  try {
    await connection.command('STATUS', [mailbox(draft.path), statusItems(connection, withIds)], {
      STATUS: (response) => {
        draft.status = readStatus(response)?.[1];
      },
    }, signal);
    if (draft.status === undefined) draft.trouble = UNTOLD;
  } catch (error) {
    if (!isLocalTrouble(error)) throw error;
    draft.trouble = messageOf(error);
  }
}

function finish(draft: Draft): ListedFolder {
  const special = [...draft.attributes].map((attribute) => SPECIAL_USES.get(attribute)).find((use) => use !== undefined);
  return {
    path: draft.path, delimiter: draft.delimiter, specialUse: special ?? '',
    subscribed: draft.attributes.has('\\subscribed'), container: isContainer(draft), status: draft.status,
    ...(draft.trouble === undefined ? {} : { trouble: draft.trouble }),
  };
}
