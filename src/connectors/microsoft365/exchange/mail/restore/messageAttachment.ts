import { readMailParts, type MailPart, type MailParts, type MailPerson } from '../../../../../formats/index.ts';
import type { Losses } from '../../restore/losses.ts';
import { fileAttachment, type NewAttachment } from '../../restore/newAttachment.ts';

/** Fact 47. */
const LARGEST = 150 * 1024 * 1024;
/** Mails in a mail are given back as such up to this size: they travel inside of one request. */
const LARGEST_MAIL = 1_000_000;

export function recipient({ name, address }: MailPerson): Readonly<Record<string, unknown>> {
  return { emailAddress: { ...(name === '' ? {} : { name }), address } };
}

/** The attachments of a mail as Graph takes them; what of them is not kept goes into `losses`. */
export async function attachmentsOf({ parts }: MailParts, losses: Losses): Promise<NewAttachment[]> {
  const attachments: NewAttachment[] = [];
  for (const part of parts) {
    if (part.bytes.length > LARGEST) losses.add('attachment-lost', `the attachment "${part.name}", which is larger than Microsoft 365 takes (150 MB)`);
    else attachments.push(await attachmentOf(part, losses));
  }
  return attachments;
}

async function attachmentOf(part: MailPart, losses: Losses): Promise<NewAttachment> {
  if (part.type !== 'message/rfc822') return fileOf(part, part.name === '' ? 'attachment' : part.name);
  const item = await mailInMail(part);
  if (item !== undefined) return item;
  const name = part.name === '' ? 'mail.eml' : part.name.replace(/(\.eml)?$/i, '.eml');
  losses.add('mail-as-file', `that a mail in it was one: it is a file ("${name}") now, with all that it held`);
  return fileOf(part, name);
}

function fileOf({ type, bytes, inline, contentId }: MailPart, name: string): NewAttachment {
  return fileAttachment({ name, type, inline, contentId, bytes });
}

/** Undefined for one with attachments of its own, which an item in a request does not hold, and for one that can not be read. */
async function mailInMail(part: MailPart): Promise<NewAttachment | undefined> {
  if (part.bytes.length > LARGEST_MAIL) return undefined;
  let mail: MailParts;
  try {
    mail = await readMailParts(part.bytes);
  } catch {
    // Kept as a file, and said so.
    return undefined;
  }
  if (mail.parts.length > 0 || mail.protection !== undefined) return undefined;
  const name = part.name === '' ? mail.subject || 'Mail' : part.name;
  const document = { '@odata.type': '#microsoft.graph.itemAttachment', name, item: itemOf(mail) };
  return { name, type: part.type, inline: false, contentId: '', size: 0, document, bytes: new Uint8Array() };
}

/** As a mail that was sent, of its own time. */
function itemOf(mail: MailParts): Readonly<Record<string, unknown>> {
  const { subject, from, sender = from, to, cc, replyTo, messageId, sent, body } = mail;
  const time = sent === null ? undefined : `${new Date(sent).toISOString().slice(0, 19)}Z`;
  return {
    '@odata.type': '#microsoft.graph.message', subject, body: { contentType: body.html ? 'html' : 'text', content: body.text },
    ...(from === undefined ? {} : { from: recipient(from) }), ...(sender === undefined ? {} : { sender: recipient(sender) }),
    toRecipients: to.map(recipient), ccRecipients: cc.map(recipient), replyTo: replyTo.map(recipient), ...(messageId === '' ? {} : { internetMessageId: messageId }),
    singleValueExtendedProperties: [
      { id: 'Integer 0x0E07', value: '1' },
      ...(time === undefined ? [] : [{ id: 'SystemTime 0x0E06', value: time }, { id: 'SystemTime 0x0039', value: time }]),
    ],
  };
}
