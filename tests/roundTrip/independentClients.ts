import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Dovecot } from '../servers/dovecot.ts';
import { sha256 } from './scratchRepository.ts';

const run = promisify(execFile);

interface ListedFolder {
  readonly flags: readonly string[];
  readonly subscribed: boolean;
  /** Hash of the bytes, their number, flags and keywords, INTERNALDATE. */
  readonly messages: readonly (readonly [sha256: string, size: number, flags: readonly string[], date: string])[];
}

/** Folders by their names as the server spells them. */
export type Mailbox = ReadonlyMap<string, ListedFolder>;

/** What a mailbox holds as Python's imaplib sees it. */
export async function readWithPython(server: Dovecot, user: string, password = 'pw'): Promise<Mailbox> {
  const script = join(import.meta.dirname, 'readMailbox.py');
  const { stdout } = await run('python3', [script, server.host, String(server.port), user, password], { maxBuffer: 1 << 28, timeout: 120_000 });
  const { folders } = JSON.parse(stdout) as { folders: Record<string, ListedFolder> };
  return new Map(Object.entries(folders));
}

interface Fetched {
  readonly mailbox: string;
  readonly flags: string;
  readonly 'date.received': string;
  readonly 'size.virtual': string;
  readonly text: string;
}

/**
 * One line a mail as doveadm tells it: folder (readable), flags, date, size, hash of the text; sorted. It shows what
 * lies on the disk: there, line ends and NUL are as they were appended, while IMAP gives CRLF and 0x80 in their place. So
 * these count as the same here, and the exact bytes are imaplib's to prove.
 */
export async function readWithDoveadm(server: Dovecot, user: string, below = ''): Promise<string[]> {
  const out = await server.doveadm(['-f', 'json', 'fetch', '-u', user, 'mailbox flags date.received size.virtual text', 'ALL']);
  return (JSON.parse(out.toString()) as Fetched[]).filter(({ mailbox }) => mailbox.startsWith(below)).map((one) => {
    const flags = one.flags.split(' ').filter((flag) => flag !== '\\Recent').sort().join(' ');
    return [one.mailbox.slice(below.length), flags, one['date.received'], one['size.virtual'], sha256(Buffer.from(one.text.replaceAll('\0', '\ufffd').replaceAll(/\r+\n/g, '\n')))].join('\t');
  }).sort();
}

/** Every mail as one line, sorted: what two mailboxes must have in common. `below`: only folders below it, told without it. */
export function linesOf(mailbox: Mailbox, below = ''): string[] {
  const lines: string[] = [];
  for (const [name, { messages }] of mailbox) {
    if (!name.startsWith(below)) continue;
    for (const [hash, size, flags, date] of messages) lines.push([name.slice(below.length), hash, size, flags.join(' '), date].join('\t'));
  }
  return lines.sort();
}

export function folderNames(mailbox: Mailbox, below = ''): string[] {
  return [...mailbox.keys()].filter((name) => name.startsWith(below)).map((name) => name.slice(below.length)).sort();
}
