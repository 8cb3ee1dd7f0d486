import { createHash } from 'node:crypto';
import type { ItemRow } from '../../../domain/index.ts';
import { safeFileName } from '../../../formats/index.ts';
import { loadedLater } from '../../../runtime/index.ts';
import type { Descriptor, DiskEntry } from '../../contract.ts';
import { isHeldFolder } from './mail/heldFolders.ts';
import { parseMessageMeta } from './mail/messageItem.ts';

export const SERVICE = 'exchange';

const KINDS: Descriptor['kinds'] = {
  mail: { title: 'Mail', extension: '.eml' },
  event: { title: 'Event', extension: '.json' },
  contact: { title: 'Contact', extension: '.json' },
  task: { title: 'Task', extension: '.json' },
  // The service's own stream (FastTransfer).
  note: { title: 'Note', extension: '.fts' },
  setting: { title: 'Setting', extension: '.json' },
  gap: { title: 'Out of reach', extension: '.json' },
};

export const descriptor: Descriptor = {
  service: SERVICE,
  title: 'Exchange Online mailbox',
  kinds: KINDS,
  limits: [
    'In-place archives and public folders are not reachable through Microsoft Graph; each snapshot names them.',
    'Mails are kept in the form that Exchange makes of them (MIME), not as the bytes that once arrived; beside it, where the tenant permits it, as the stream that only Exchange reads.',
    'What a legal hold keeps is backed up where Microsoft Graph gives its folders by name; each snapshot of a mailbox where it does not names that.',
    'Hidden folders that add-ins made are not listed by Microsoft Graph.',
    'Events, contacts and tasks are files of JSON, as Microsoft Graph gives them; notes are streams that only Exchange reads.',
    'Contact lists of Outlook, groups of calendars, who may see a calendar, and what focused inbox learned are not backed up.',
    'Of calendars, contacts and tasks a search finds names, people and times, not the words in them.',
  ],
  search: {
    titles: { name: 'Subject', author: 'From', recipient: 'To' },
    format: ({ kind }) => (kind === 'mail' ? 'mail' : undefined),
    fields: ({ meta }) => {
      const { from = '', to = '' } = parseMessageMeta(meta);
      return { author: from, recipients: to };
    },
  },
  preview: {
    form: ({ kind }) => (kind === 'mail' ? 'mail' : kind === 'folder' || KINDS[kind] === undefined ? undefined : kind === 'note' || kind === 'gap' ? 'row' : 'card'),
    card: loadedLater(async () => (await import('./cards/cardOf.ts')).cardOf),
  },
  onDisk,
  isHeld: isHeldFolder,
};

/** Characters of a subject in a file name: at most 200 bytes, so that date and number still fit. */
const LONGEST_NAME = 50;

/** An item is named by its date, its name, and a number made of its key that no other shares. */
function onDisk(row: ItemRow): DiskEntry {
  const name = safeFileName(Array.from(row.name).slice(0, LONGEST_NAME).join(''));
  if (row.kind === 'folder') return { name: asBytes(safeFileName(row.name)) };
  const modifiedNs = row.modified === null ? {} : { modifiedNs: BigInt(row.modified) * 1_000_000n };
  const date = row.modified === null ? '' : `${new Date(row.modified).toISOString().slice(0, 10)} `;
  const number = createHash('sha256').update(row.key, 'latin1').digest('hex').slice(0, 16);
  return { name: asBytes(`${date}${name} ${number}${KINDS[row.kind]?.extension ?? ''}`), ...modifiedNs };
}

function asBytes(name: string): string {
  return Buffer.from(name).toString('latin1');
}
