import { createHash } from 'node:crypto';
import type { Attachment, Item } from '../mailbox/item.ts';
import { textOf } from '../odata/textOf.ts';

interface Recipient {
  readonly emailAddress?: { readonly name?: string; readonly address?: string };
}

/**
 * The MIME form of a message (fact 42). It is made from the item's properties, as the service does: not the bytes that once came in, but the same
 * at every reading.
 */
export function mimeOf(item: Pick<Item, 'key' | 'properties' | 'attachments'>): Buffer {
  const { properties, attachments } = item;
  const body = properties['body'] as { contentType?: string; content?: string } | undefined;
  const type = body?.contentType === 'text' ? 'text/plain' : 'text/html';
  const text = part([`Content-Type: ${type}; charset="utf-8"`, 'Content-Transfer-Encoding: base64'], wrap(Buffer.from(body?.content ?? '')));
  const head = headersOf(item);
  if (attachments.length === 0) return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n`), text]);
  const boundary = `_000_${createHash('sha1').update(item.key).digest('hex').slice(0, 20)}_`;
  const pieces: Buffer[] = [Buffer.from([...head, `Content-Type: multipart/mixed; boundary="${boundary}"`, '', ''].join('\r\n'))];
  for (const piece of [text, ...attachments.map(attachmentPart)]) pieces.push(Buffer.from(`--${boundary}\r\n`), piece, Buffer.from('\r\n'));
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  return Buffer.concat(pieces);
}

function headersOf({ properties }: Pick<Item, 'properties'>): string[] {
  const custom = (properties['internetMessageHeaders'] ?? []) as { name: string; value: string }[];
  const lines = custom.map(({ name, value }) => `${name}: ${value}`);
  const add = (name: string, value: string): void => {
    if (value !== '') lines.push(`${name}: ${value}`);
  };
  add('From', addresses([properties['from'] as Recipient | null]));
  add('To', addresses(properties['toRecipients'] as Recipient[] | undefined));
  add('CC', addresses(properties['ccRecipients'] as Recipient[] | undefined));
  add('BCC', addresses(properties['bccRecipients'] as Recipient[] | undefined));
  add('Reply-To', addresses(properties['replyTo'] as Recipient[] | undefined));
  add('Subject', encodeWord(textOf(properties['subject'])));
  add('Date', new Date(textOf(properties['sentDateTime'])).toUTCString().replace('GMT', '+0000'));
  add('Message-ID', textOf(properties['internetMessageId']));
  if (properties['importance'] === 'high') add('Importance', 'high');
  add('Thread-Index', textOf(properties['conversationIndex']));
  lines.push('MIME-Version: 1.0');
  return lines;
}

function addresses(recipients: readonly (Recipient | null | undefined)[] | undefined): string {
  return (recipients ?? []).flatMap((recipient) => {
    const { name, address } = recipient?.emailAddress ?? {};
    if (address === undefined) return [];
    return [name === undefined || name === '' ? `<${address}>` : `${encodeWord(name, true)} <${address}>`];
  }).join(',\r\n ');
}

/** Words of RFC 2047 where a text is not plain ASCII; cut where a character ends. */
function encodeWord(text: string, quote = false): string {
  if (/^[\x20-\x7e]*$/.test(text)) return quote ? `"${text.replace(/["\\]/g, '\\$&')}"` : text;
  const words: string[] = [];
  let piece = '';
  for (const character of text) {
    if (Buffer.byteLength(piece + character) > 45) {
      words.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...words, piece].map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

function attachmentPart(attachment: Attachment): Buffer {
  if (attachment.type === 'itemAttachment') {
    return part(['Content-Type: message/rfc822', 'Content-Disposition: attachment'], attachment.bytes());
  }
  const name = encodeWord(attachment.name, true);
  const id = attachment.contentId === null ? [] : [`Content-ID: <${attachment.contentId}>`];
  return part([
    `Content-Type: ${attachment.contentType ?? 'application/octet-stream'}; name=${name}`,
    `Content-Disposition: ${attachment.isInline ? 'inline' : 'attachment'}; filename=${name}; size=${attachment.size}`,
    ...id, 'Content-Transfer-Encoding: base64',
  ], wrap(attachment.bytes()));
}

function part(headers: readonly string[], content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${headers.join('\r\n')}\r\n\r\n`), content]);
}

function wrap(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64').replace(/.{76}/g, '$&\r\n').trimEnd());
}
