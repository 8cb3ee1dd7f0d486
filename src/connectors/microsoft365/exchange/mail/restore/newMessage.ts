import type { ItemRow } from '../../../../../domain/index.ts';
import { readMailParts, type MailParts, type MailPerson } from '../../../../../formats/index.ts';
import { parseMessageMeta, parsePeople, type MessageMeta } from '../messageItem.ts';
import { Losses } from '../../restore/losses.ts';
import type { NewAttachment } from '../../restore/newAttachment.ts';
import { attachmentsOf, recipient } from './messageAttachment.ts';
import { stateOf, tagged } from './mailState.ts';

/** Characters of attachments that go along with the request that makes the message: it may have 4 MB in all. */
const MOST_ALONG = 2_500_000;
/** The service refuses messages with more fields of one's own. Its documents do not say so, its answers do (InvalidInternetMessageHeaderCollection). */
const MOST_HEADERS = 5;
/** Fields that other properties carry, or that tell the form of the MIME alone. */
const CARRIED = /^(from|to|cc|bcc|sender|reply-to|subject|date|message-id|mime-version|content-.*|thread-index|thread-topic|importance|x-priority|priority|in-reply-to|references)$/i;
/** Fields of the service's own making: it makes them anew. */
const OF_SERVICE = /^x-(ms|microsoft|exchange|eop|forefront|originator)/i;
/** Fields that show that a mail was answered or forwarded; they can be set while it is made. */
const KEPT_PROPERTIES = /^(Integer 0x0*108[01]|SystemTime 0x0*1082)$/i;

/** A message to be made, as Graph takes it. */
export interface NewMessage {
  readonly body: Readonly<Record<string, unknown>>;
  /** Attachments that go along, and those that follow one by one. */
  readonly along: readonly NewAttachment[];
  readonly later: readonly NewAttachment[];
  readonly isDraft: boolean;
  readonly isRead: boolean;
  /** When it arrived; with its origin it finds the message again. */
  readonly received: string;
  readonly losses: Losses;
}

/**
 * A message made of its MIME form and its row (fact 45): as JSON, since a message that comes as MIME stays a draft for ever (fact 44). The origin is not in it.
 * Throws where the MIME can not be read.
 */
export async function newMessage(row: ItemRow, mime: Uint8Array, tag: string | undefined): Promise<NewMessage> {
  const mail = await readMailParts(mime);
  const meta = parseMessageMeta(row.meta);
  const losses = new Losses();
  const attachments = await attachmentsOf(mail, losses);
  const [along, later] = split(attachments);
  const isDraft = meta.draft === true;
  const received = timeText(meta.received ?? meta.created, row.modified ?? mail.sent ?? 0);
  const { isRead, ...state } = tagged(stateOf(row.meta), tag);
  noteLosses(mail, meta, losses);
  const body = {
    subject: row.name, body: { contentType: mail.body.html ? 'html' : 'text', content: mail.body.text }, ...peopleOf(mail, meta), ...state,
    ...idsOf(mail, meta), ...headersOf(mail, losses), ...(isDraft ? receiptsOf(meta) : {}),
    ...(along.length === 0 ? {} : { attachments: along.map(({ document }) => document) }),
    singleValueExtendedProperties: [...propertiesOf(meta, isDraft, received, mail.sent), ...threadOf(mail)],
  };
  return { body, along, later, isDraft, isRead, received, losses };
}

/** In their order: those that follow come after those that go along. */
function split(attachments: readonly NewAttachment[]): [along: NewAttachment[], later: NewAttachment[]] {
  let room = MOST_ALONG;
  const end = attachments.findIndex(({ document }) => {
    room -= document === undefined ? Number.POSITIVE_INFINITY : JSON.stringify(document).length;
    return room < 0;
  });
  return end < 0 ? [[...attachments], []] : [attachments.slice(0, end), attachments.slice(end)];
}

function peopleOf(mail: MailParts, meta: MessageMeta): Readonly<Record<string, unknown>> {
  const [from] = mail.from === undefined ? parsePeople(meta.from) : [mail.from];
  const [sender = from] = mail.sender === undefined ? parsePeople(meta.sender) : [mail.sender];
  const bcc = mail.bcc.length > 0 ? mail.bcc : (meta.bcc ?? []).flatMap((text) => parsePeople(text));
  const list = (people: readonly MailPerson[]): unknown[] => people.filter(({ address }) => address !== '').map(recipient);
  return {
    ...(from === undefined ? {} : { from: recipient(from) }), ...(sender === undefined ? {} : { sender: recipient(sender) }),
    toRecipients: list(mail.to), ccRecipients: list(mail.cc), bccRecipients: list(bcc), replyTo: list(mail.replyTo),
  };
}

function idsOf(mail: MailParts, { messageId = mail.messageId, conversationIndex }: MessageMeta): Readonly<Record<string, unknown>> {
  return { ...(messageId === '' ? {} : { internetMessageId: messageId }), ...(conversationIndex === undefined ? {} : { conversationIndex }) };
}

function receiptsOf({ deliveryReceipt, readReceipt }: MessageMeta): Readonly<Record<string, unknown>> {
  return { isDeliveryReceiptRequested: deliveryReceipt === true, isReadReceiptRequested: readReceipt === true };
}

/** Only fields that begin with 'X-' may be set. */
function headersOf({ headers }: MailParts, losses: Losses): Readonly<Record<string, unknown>> {
  const others = headers.filter(({ name }) => !CARRIED.test(name) && !OF_SERVICE.test(name));
  const own = others.filter(({ name, value }) => /^x-/i.test(name) && value !== '').slice(0, MOST_HEADERS);
  const lost = [...new Set(others.filter((header) => !own.includes(header)).map(({ name }) => name))];
  if (lost.length > 0) losses.add('headers-lost', `these fields of its header, which nobody may set: ${lost.slice(0, 10).join(', ')}${lost.length > 10 ? ' …' : ''}`);
  return own.length === 0 ? {} : { internetMessageHeaders: own };
}

/** Flags and times are taken only while a message is made (fact 45). Every one but a draft is made as read: that is what surely is no draft. */
function propertiesOf({ sent, extended = [] }: MessageMeta, isDraft: boolean, received: string, sentByMime: number | null): { id: string; value: string }[] {
  const submitted = timeText(sent, sentByMime ?? Date.parse(received));
  return [
    ...(isDraft ? [] : [{ id: 'Integer 0x0E07', value: '1' }]),
    { id: 'SystemTime 0x0E06', value: received }, { id: 'SystemTime 0x0039', value: submitted },
    ...extended.filter(([id]) => KEPT_PROPERTIES.test(id)).map(([id, value]) => ({ id, value })),
  ];
}

/** What a mail answers: PidTagInReplyToId and PidTagInternetReferences (MS-OXPROPS). */
function threadOf({ headers }: MailParts): { id: string; value: string }[] {
  const valueOf = (field: string): string => headers.find(({ name }) => name.toLowerCase() === field)?.value ?? '';
  const properties = [{ id: 'String 0x1042', value: valueOf('in-reply-to') }, { id: 'String 0x1039', value: valueOf('references') }];
  return properties.filter(({ value }) => value !== '');
}

function noteLosses({ protection }: MailParts, { type, draft, deliveryReceipt, readReceipt }: MessageMeta, losses: Losses): void {
  if (protection === 'encrypted') losses.add('encrypted', 'that it opens as an encrypted mail: what was encrypted is an attachment now');
  if (protection === 'signed') losses.add('signature-lost', 'that its signature holds: the mail is put together anew');
  if (type !== undefined) losses.add('type-lost', 'that it was a message about a meeting, or of another kind of its own: it is an ordinary mail now');
  if (draft !== true && (deliveryReceipt === true || readReceipt === true)) losses.add('receipt-lost', 'its request for a receipt, so that nobody gets one because of the restore');
}

/** As the service writes times; the second one where the first is missing. */
function timeText(text: string | undefined, otherwise: number): string {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return `${new Date(Number.isNaN(time) ? otherwise : time).toISOString().slice(0, 19)}Z`;
}
