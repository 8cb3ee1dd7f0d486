import type { ItemRow } from '../../domain/index.ts';
import type { Descriptor, DiskEntry } from '../contract.ts';
import { parseMailMeta } from './messageItem.ts';

export const descriptor: Descriptor = {
  service: 'imap',
  title: 'IMAP mailbox',
  kinds: { mail: { title: 'Mail', extension: '.eml' } },
  limits: [
    'Filters, rules, vacation notices and other settings of the mail server are not reachable over IMAP.',
    'Servers that change what they are given (line ends, NUL bytes, dates) are noticed on restore, not undone.',
    'A mail that moved to another folder is fetched again; its content is stored only once.',
    'A restore never deletes mail, also with mode "replace".',
  ],
  search: {
    titles: { name: 'Subject', author: 'From', recipient: 'To' },
    format: ({ kind }) => (kind === 'mail' ? 'mail' : undefined),
    fields: ({ meta }) => {
      const { from = '', to = '' } = parseMailMeta(meta);
      return { author: from, recipients: to };
    },
  },
  preview: { form: ({ kind }) => (kind === 'mail' ? 'mail' : undefined) },
  onDisk,
};

/** Characters of a subject in a file name: at most 200 bytes, so that date and number still fit. */
const LONGEST_NAME = 50;

/** A mail is named by its date, its subject and the last bytes of its key, which no other mail of the folder shares. */
function onDisk(row: ItemRow): DiskEntry {
  const modifiedNs = row.modified === null ? {} : { modifiedNs: BigInt(row.modified) * 1_000_000n };
  if (row.kind === 'folder') return { name: asBytes(safeName(row.name)) };
  const date = row.modified === null ? '' : `${new Date(row.modified).toISOString().slice(0, 10)} `;
  const number = Buffer.from(row.key.slice(-8), 'latin1').toString('hex');
  return { name: asBytes(`${date}${safeName(row.name)} ${number}.eml`), ...modifiedNs };
}

/** Without what a file name cannot hold or a shell would stumble over; never empty, never '.' or '..'. */
function safeName(name: string): string {
  // oxlint-disable-next-line no-control-regex
  const safe = name.replaceAll(/[\u0000-\u001f\u007f/\\:*?"<>|]+/g, '_').trim().replace(/^\.+/, '_');
  return safe === '' ? '_' : Array.from(safe).slice(0, LONGEST_NAME).join('');
}

function asBytes(name: string): string {
  return Buffer.from(name).toString('latin1');
}
