import type { Address, Email } from 'postal-mime';
import { isoSeconds } from '../server/clock.ts';
import type { Properties } from '../odata/list.ts';
import type { Attachment } from '../mailbox/item.ts';
import { previewOf } from './messageBody.ts';

/** Headers that become properties; the others are kept as headers. */
const OWN = new Set(['from', 'to', 'cc', 'bcc', 'reply-to', 'subject', 'date', 'message-id', 'mime-version', 'content-type', 'content-transfer-encoding', 'thread-index', 'importance']);

/** What the service takes from an imported MIME message (fact 43). */
export function propertiesOfMime(parsed: Email, now: number): { properties: Properties; attachments: Attachment[] } {
  const body = parsed.html === undefined ? { contentType: 'text', content: parsed.text ?? '' } : { contentType: 'html', content: parsed.html };
  const sent = parsed.date === undefined ? now : Date.parse(parsed.date);
  const from = recipients(parsed.from === undefined ? [] : [parsed.from])[0];
  const properties: Properties = {
    subject: parsed.subject ?? '', body, bodyPreview: previewOf(body),
    ...(from === undefined ? {} : { from, sender: from }),
    toRecipients: recipients(parsed.to), ccRecipients: recipients(parsed.cc), bccRecipients: recipients(parsed.bcc), replyTo: recipients(parsed.replyTo),
    sentDateTime: isoSeconds(Number.isNaN(sent) ? now : sent),
    ...(parsed.messageId === undefined ? {} : { internetMessageId: parsed.messageId }),
    internetMessageHeaders: parsed.headers.filter(({ key }) => !OWN.has(key.toLowerCase())).map(({ originalKey, value }) => ({ name: originalKey, value })),
  };
  return { properties, attachments: parsed.attachments.map((attachment, place) => toAttachment(attachment, place, now)) };
}

function toAttachment(given: Email['attachments'][number], place: number, now: number): Attachment {
  const bytes = Buffer.from(given.content as ArrayBuffer);
  return {
    key: `m${place}`, type: 'fileAttachment', name: given.filename ?? 'attachment', contentType: given.mimeType, isInline: given.disposition === 'inline',
    contentId: given.contentId?.replace(/^<|>$/g, '') ?? null, modified: now, size: bytes.length, bytes: () => bytes,
  };
}

function recipients(list: readonly Address[] | undefined): { emailAddress: { name: string; address: string } }[] {
  return (list ?? []).flatMap((entry) => (entry.group === undefined ? [{ emailAddress: { name: entry.name === '' ? entry.address ?? '' : entry.name, address: entry.address ?? '' } }] : recipients(entry.group)));
}
