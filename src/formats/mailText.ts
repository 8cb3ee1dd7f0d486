import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';
import { decodeText, namedCharsets } from './decodeText.ts';
import { readHtmlText } from './htmlText.ts';

/** The words of a mail that its header summary does not have. */
export interface MailText {
  /** Names and addresses of From and Sender. */
  readonly authors: string;
  /** Names and addresses of To, Cc and Bcc. */
  readonly recipients: string;
  /** Body, texts of nested mails with their headers, text attachments. */
  readonly text: string;
  /** Names of attachments, those of nested mails too, one a line. */
  readonly files: string;
}

/** Characters of the text of one mail, and of each of the other fields. */
export const MOST_TEXT = 1024 * 1024;
const MOST_FIELD = 64 * 1024;
/** Mails in mails in mails: deeper ones are not looked into. */
const DEEPEST = 5;
/** Text that is a copy of another part, or no words. */
const NO_WORDS = new Set(['text/rtf', 'text/richtext', 'text/x-amp-html', 'text/css', 'text/javascript']);

interface Collected {
  readonly text: string[];
  readonly files: string[];
  left: number;
}

/**
 * Reads the words of a mail, however broken its MIME is; `mail` may be only the beginning of one. Throws where the parser gives up (parts nested past
 * 64, headers past 2 MiB). Bounded by {@link MOST_TEXT} and {@link DEEPEST}; the time is the caller's to bound.
 */
export async function readMailText(mail: Uint8Array): Promise<MailText> {
  const collected: Collected = { text: [], files: [], left: MOST_TEXT };
  const email = await collect(mail, collected, 0);
  return {
    authors: addresses([email.from, email.sender]),
    recipients: addresses([email.to, email.cc, email.bcc].flatMap((list) => list ?? [])),
    text: collected.text.join('\n').slice(0, MOST_TEXT),
    files: collected.files.join('\n').slice(0, MOST_FIELD),
  };
}

async function collect(mail: Uint8Array, into: Collected, depth: number): Promise<Email> {
  const email = await PostalMime.parse(mail, { maxNestingDepth: 64, maxRfc822NestingDepth: DEEPEST });
  add(into, bodyOf(email, into.left));
  const charsets = email.attachments.some(isText) ? namedCharsets(mail) : [];
  for (const attachment of email.attachments) {
    if (attachment.filename) into.files.push(attachment.filename);
    await look(attachment, charsets, into, depth);
  }
  return email;
}

async function look(attachment: Attachment, charsets: readonly string[], into: Collected, depth: number): Promise<void> {
  const { content } = attachment;
  if (into.left <= 0 || typeof content === 'string') return;
  const bytes = new Uint8Array(content instanceof ArrayBuffer ? content : content.slice());
  if (isMail(attachment)) {
    if (depth >= DEEPEST || attachment.rfc822DepthExceeded === true) return;
    const nested = await collect(bytes, into, depth + 1);
    add(into, [nested.subject ?? '', addresses([nested.from, ...(nested.to ?? []), ...(nested.cc ?? [])])].join('\n'));
  } else if (isText(attachment)) {
    // A charset needs at most four bytes for a character.
    const text = decodeText(bytes.subarray(0, into.left * 4), charsets);
    add(into, attachment.mimeType === 'text/html' ? readHtmlText(text, into.left) : text);
  }
}

function isMail({ mimeType }: Attachment): boolean {
  return mimeType === 'message/rfc822' || mimeType === 'message/global';
}

function isText({ mimeType }: Attachment): boolean {
  return mimeType.startsWith('text/') && !NO_WORDS.has(mimeType);
}

/** A mail that says the same as text and as HTML is read once: as HTML only where its text is missing or a stub. */
function bodyOf({ text = '', html = '' }: Email, limit: number): string {
  if (html === '') return text;
  const seen = readHtmlText(html, limit);
  if (text.trim().length * 2 < seen.trim().length) return text.trim() === '' ? seen : `${text}\n${seen}`;
  return text;
}

function add(into: Collected, text: string): void {
  if (into.left <= 0 || text === '') return;
  const part = text.slice(0, into.left);
  into.text.push(part);
  into.left -= part.length;
}

function addresses(list: readonly (Address | undefined)[]): string {
  const shown: string[] = [];
  let length = 0;
  for (const entry of list.flatMap((one) => (one ? [one, ...(one.group ?? [])] : []))) {
    const text = [entry.name, entry.address ?? ''].filter((part) => part !== '').join(' ');
    length += text.length + 1;
    if (length > MOST_FIELD) break;
    shown.push(text);
  }
  return shown.join('\n');
}
