import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';
import { namedCharsets } from './decodeText.ts';
import { readFileText } from './fileText.ts';
import { readHtmlText } from './htmlText.ts';
import { textFormatOfPart, type TextFormat } from './textFormat.ts';

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

/** Characters of the text of one mail or file, and of each of the other fields. */
export const MOST_TEXT = 1024 * 1024;
const MOST_FIELD = 64 * 1024;
/** Mails in mails in mails: deeper ones are not looked into. */
const DEEPEST = 5;

interface Collected {
  readonly text: string[];
  readonly files: string[];
  /** The mail is the beginning of a longer one. */
  readonly cut: boolean;
  left: number;
}

/**
 * Reads the words of a mail, however broken its MIME is; `cut`: it is only the beginning of one. Throws where the parser gives up (parts nested past
 * 64, headers past 2 MiB). Bounded by {@link MOST_TEXT} and {@link DEEPEST}; the time is the caller's to bound.
 */
export async function readMailText(mail: Uint8Array, { cut = false }: { readonly cut?: boolean } = {}): Promise<MailText> {
  const collected: Collected = { text: [], files: [], cut, left: MOST_TEXT };
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
  const charsets = email.attachments.some((one) => formatOf(one) !== undefined) ? namedCharsets(mail) : [];
  for (const attachment of email.attachments) {
    if (attachment.filename) into.files.push(attachment.filename);
    await look(attachment, charsets, into, depth);
  }
  return email;
}

async function look(attachment: Attachment, charsets: readonly string[], into: Collected, depth: number): Promise<void> {
  const { content } = attachment;
  const format = formatOf(attachment);
  if (format === undefined || into.left <= 0 || typeof content === 'string') return;
  const bytes = new Uint8Array(content instanceof ArrayBuffer ? content : content.slice());
  if (format === 'mail') {
    if (depth >= DEEPEST || attachment.rfc822DepthExceeded === true) return;
    const nested = await collect(bytes, into, depth + 1);
    add(into, [nested.subject ?? '', addresses([nested.from, ...(nested.to ?? []), ...(nested.cc ?? [])])].join('\n'));
  } else add(into, readFileText(format, bytes, { limit: into.left, charsets, cut: into.cut }));
}

function formatOf({ mimeType, filename }: Attachment): TextFormat | undefined {
  return textFormatOfPart(mimeType, filename ?? '');
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
