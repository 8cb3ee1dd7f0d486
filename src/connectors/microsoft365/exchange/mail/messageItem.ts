import { createHash } from 'node:crypto';
import type { BinaryString, ItemRow } from '../../../../domain/index.ts';
import type { MailPerson } from '../../../../formats/index.ts';
import type { SourceItem } from '../../../contract.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { expandExtended } from '../items/documents.ts';
import { personOf } from '../items/people.ts';
import { folderKey, messageKey } from './mailKeys.ts';

/** What is asked of a message besides its content: all that a listing shows and that a restore has to set again. */
export const MESSAGE_PROPERTIES = [
  'id', 'changeKey', 'subject', 'bodyPreview', 'from', 'sender', 'toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo', 'receivedDateTime', 'sentDateTime',
  'createdDateTime', 'lastModifiedDateTime', 'internetMessageId', 'hasAttachments', 'importance', 'isRead', 'isDraft', 'categories', 'flag', 'inferenceClassification',
  'conversationId', 'conversationIndex', 'isDeliveryReceiptRequested', 'isReadReceiptRequested',
] as const;
const SIZE = 'Integer 0x0E08';
/** Of MAPI, as MS-OXPROPS numbers them: flags, delivery, submission, creation, class, and what shows that a mail was answered or forwarded. */
const EXTENDED = [SIZE, 'Integer 0x0E07', 'SystemTime 0x0E06', 'SystemTime 0x0039', 'SystemTime 0x3007', 'String 0x001A', 'Integer 0x1080', 'Integer 0x1081', 'SystemTime 0x1082'];

/** Query options of every request for messages. */
export const MESSAGE_OPTIONS = messageOptions();

/** With further extended properties: Outlook gives only those that are named. */
export function messageOptions(...more: readonly string[]): string {
  return `$select=${MESSAGE_PROPERTIES.join(',')}&$expand=${encodeURIComponent(expandExtended([...EXTENDED, ...more]))}`;
}

/** The fields of a mail's row; those that are empty or usual are left out. */
export interface MessageMeta {
  /** '#microsoft.graph.eventMessage…' where it is no plain message. */
  readonly type?: string;
  readonly from?: string;
  /** All recipients that the message names. */
  readonly to?: string;
  readonly sender?: string;
  readonly bcc?: readonly string[];
  readonly received?: string;
  readonly sent?: string;
  readonly created?: string;
  readonly messageId?: string;
  readonly unread?: true;
  readonly draft?: true;
  readonly importance?: string;
  readonly categories?: readonly string[];
  /** followupFlag, as Graph gives it. */
  readonly flag?: unknown;
  readonly inference?: string;
  readonly conversation?: string;
  readonly conversationIndex?: string;
  readonly deliveryReceipt?: true;
  readonly readReceipt?: true;
  readonly attachments?: true;
  /** Extended properties: [id, value]. */
  readonly extended?: readonly (readonly [string, string])[];
  /** Of all that makes the content; see {@link contentMark}. Absent where the service does not tell enough. */
  readonly mark?: string;
}

/** Fields that a broken row lacks read as absent. */
export function parseMessageMeta(meta: string): MessageMeta {
  try {
    const value: unknown = JSON.parse(meta);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Some deltas of the service tell a changed message by its changed properties alone: the rest has to be asked for. */
export function isWholeMessage(entry: Entry): boolean {
  return typeof entry['changeKey'] === 'string' && 'subject' in entry && 'isDraft' in entry && 'receivedDateTime' in entry;
}

/** A message as listed. The size is the store's own count, until the content is read. */
export function listedMessage(entry: Entry, folderId: string): SourceItem {
  const meta = metaOf(entry);
  const text = JSON.stringify(meta);
  const name = textOf(entry, 'subject');
  const modified = timeOf(textOf(entry, 'receivedDateTime') || textOf(entry, 'createdDateTime'));
  const parent = folderKey(folderId);
  return {
    key: messageKey(idOf(entry)), parent, name, kind: 'mail', size: Number(sizeOf(entry) ?? 0), modified, meta: text,
    change: hashOf([textOf(entry, 'changeKey'), textOf(entry, 'lastModifiedDateTime'), parent, name, modified, text]).toString('latin1'),
  };
}

/**
 * True where the stored content is that of the message as it is now, though its change key differs: it moved, or was read, flagged, categorised. A draft may be
 * edited without a trace in any of these, so it never counts as the same.
 */
export function hasSameContent(row: ItemRow, item: SourceItem): boolean {
  const [before, now] = [parseMessageMeta(row.meta), parseMessageMeta(item.meta)];
  return now.mark !== undefined && before.mark === now.mark && now.draft !== true && before.draft !== true;
}

/**
 * Differs when the stream of a message has to be asked for again. What can be set at any time (read, flagged, categorised) a restore sets from the row, so the stream of a
 * message that only moved or was read stays; that it was answered or forwarded nothing sets afterwards.
 */
export function streamChange({ meta, change }: SourceItem): BinaryString {
  const { mark, draft, extended = [] } = parseMessageMeta(meta);
  return mark === undefined || draft === true ? change : hashOf([mark, extended]).toString('latin1');
}

function metaOf(entry: Entry): MessageMeta {
  const text = (name: string, usual = ''): string => (textOf(entry, name) === usual ? '' : textOf(entry, name));
  const yes = (name: string): boolean => entry[name] === true;
  const sender = personOf(entry['sender']);
  const from = personOf(entry['from']);
  const { categories, flag } = entry;
  return filled({
    type: text('@odata.type', '#microsoft.graph.message'),
    from, to: [...peopleOf(entry['toRecipients']), ...peopleOf(entry['ccRecipients'])].join(', '), sender: sender === from ? '' : sender, bcc: peopleOf(entry['bccRecipients']),
    received: text('receivedDateTime'), sent: text('sentDateTime'), created: text('createdDateTime'), messageId: text('internetMessageId'),
    unread: entry['isRead'] === false, draft: yes('isDraft'), importance: text('importance', 'normal'),
    categories: Array.isArray(categories) ? categories.filter((one) => typeof one === 'string') : [],
    flag: isFlagged(flag) ? flag : '', inference: text('inferenceClassification'), conversation: text('conversationId'), conversationIndex: text('conversationIndex'),
    deliveryReceipt: yes('isDeliveryReceiptRequested'), readReceipt: yes('isReadReceiptRequested'), attachments: yes('hasAttachments'),
    extended: extendedOf(entry), mark: contentMark(entry) ?? '',
  });
}

/** Without what is empty or false. */
function filled(fields: Readonly<Record<keyof MessageMeta, unknown>>): MessageMeta {
  const isEmpty = (value: unknown): boolean => value === '' || value === false || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

/**
 * Everything about the content that a listing tells, the store's count of bytes included. Without that count nothing would show an edit behind the
 * first words, so there is no mark.
 */
function contentMark(entry: Entry): string | undefined {
  const size = sizeOf(entry);
  if (size === undefined) return undefined;
  const names = ['@odata.type', 'subject', 'bodyPreview', 'from', 'sender', 'toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo', 'sentDateTime', 'internetMessageId', 'hasAttachments', 'importance'];
  return hashOf([size, ...names.map((name) => entry[name] ?? null)]).toString('base64url');
}

function hashOf(parts: readonly unknown[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
}

function isFlagged(flag: unknown): boolean {
  const { flagStatus = 'notFlagged' } = (typeof flag === 'object' && flag !== null ? flag : {}) as { flagStatus?: unknown };
  return flagStatus !== 'notFlagged';
}

/** The people of a text that was made of them here. */
export function parsePeople(text = ''): readonly MailPerson[] {
  const [, name = '', address = ''] = /^(?:(.*) )?<([^<>]*)>$/s.exec(text) ?? [];
  if (address !== '') return [{ name, address }];
  return text === '' ? [] : [{ name: '', address: text }];
}

function peopleOf(recipients: unknown): readonly string[] {
  return Array.isArray(recipients) ? recipients.map(personOf).filter((person) => person !== '') : [];
}

function extendedOf(entry: Entry): [string, string][] {
  const list = entry['singleValueExtendedProperties'];
  if (!Array.isArray(list)) return [];
  return list.flatMap((property: unknown): [string, string][] => {
    const { id, value } = (property ?? {}) as { id?: unknown; value?: unknown };
    return typeof id === 'string' && typeof value === 'string' && !isTag(id, SIZE) ? [[id, value]] : [];
  });
}

function sizeOf(entry: Entry): string | undefined {
  const list = entry['singleValueExtendedProperties'];
  if (!Array.isArray(list)) return undefined;
  const found = list.find((property: unknown) => isTag(String((property as { id?: unknown } | null)?.id), SIZE)) as { value?: unknown } | undefined;
  return typeof found?.value === 'string' && /^\d+$/.test(found.value) ? found.value : undefined;
}

/** The service writes tags back in another case and without zeros: 'Integer 0xe08'. */
function isTag(id: string, tag: string): boolean {
  const normal = (text: string): string => text.toLowerCase().replace(/ 0x0+/, ' 0x');
  return normal(id) === normal(tag);
}

function timeOf(text: string): number | null {
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

/** The change key of rows that are made here alone. */
export function ownChange(...parts: readonly unknown[]): BinaryString {
  return hashOf(parts).toString('latin1');
}
