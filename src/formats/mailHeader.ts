import { addressParser, decodeWords } from 'postal-mime';

/** What a list of mails shows of one; bounded in length, free of control characters. */
export interface MailSummary {
  /** '' when there is none. */
  readonly subject: string;
  /** 'Name <address>' of the author, '' when there is none. */
  readonly from: string;
  /** The first recipients, separated by ', '. */
  readonly to: string;
  /** The Date field in milliseconds since 1970 UTC; null when missing or not a date. */
  readonly date: number | null;
  /** With its angle brackets, '' when there is none. */
  readonly messageId: string;
}

const LF = 10;
const CR = 13;
const MAX_SUBJECT = 500;
const MAX_ADDRESSES = 300;
/** A header field that is longer is cut before it is decoded. */
const MAX_FIELD = 16_384;

/**
 * Length of the header: up to and with the first empty line, as mail servers cut it; all of it when there is no
 * empty line. Lines may end with CRLF or LF.
 */
export function mailHeaderLength(mail: Uint8Array): number {
  for (let start = 0; ;) {
    const end = mail.indexOf(LF, start);
    if (end < 0) return mail.length;
    if (end === start || (end === start + 1 && mail[start] === CR)) return end + 1;
    start = end + 1;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const western = new TextDecoder('windows-1252');

/** Raw 8-bit headers are against the rules and common; UTF-8 is tried first. */
function decodeBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return western.decode(bytes);
  }
}

const WANTED = new Set(['subject', 'from', 'to', 'date', 'message-id']);

/** First occurrence of each wanted field, unfolded. */
function readFields(header: Uint8Array): Map<string, string> {
  const fields = new Map<string, string>();
  let name = '';
  for (let start = 0; start < header.length;) {
    const found = header.indexOf(LF, start);
    const end = found < 0 ? header.length : found;
    const folded = header[start] === 0x20 || header[start] === 0x09;
    if (!folded) name = fieldName(header, start, end);
    if (name !== '') appendLine(fields, name, header.subarray(folded ? start : start + name.length, end), folded);
    start = end + 1;
  }
  return fields;
}

function fieldName(header: Uint8Array, start: number, end: number): string {
  const colon = header.subarray(start, Math.min(end, start + 40)).indexOf(0x3a);
  if (colon <= 0) return '';
  const name = Buffer.from(header.buffer, header.byteOffset + start, colon).toString('latin1');
  return WANTED.has(name.trimEnd().toLowerCase()) ? name : '';
}

function appendLine(fields: Map<string, string>, name: string, line: Uint8Array, folded: boolean): void {
  const key = name.trimEnd().toLowerCase();
  const text = decodeBytes(line.subarray(0, MAX_FIELD));
  const known = fields.get(key);
  // The mark tells the first field's continuation lines from those of a repeated field.
  if (!folded) fields.set(key, known === undefined ? text.slice(1) : `${known}\0`);
  else if (known !== undefined && !known.endsWith('\0') && known.length < MAX_FIELD) fields.set(key, known + text);
}

function clean(text: string, limit: number): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  const flat = text.replaceAll(/[\x00-\x1f\x7f]+/g, ' ').replaceAll(/ {2,}/g, ' ').trim();
  const cut = flat.length > limit ? flat.slice(0, limit) : flat;
  return cut.isWellFormed() ? cut : cut.toWellFormed();
}

function words(text: string): string {
  const flat = text.replaceAll(/\r?\n|\r/g, '');
  return flat.includes('=?') ? decodeWords(flat) : flat;
}

function addresses(text: string | undefined): string {
  if (text === undefined) return '';
  const shown: string[] = [];
  for (const entry of addressParser(text.replaceAll(/[\r\n\0]/g, ''), { flatten: true }).slice(0, 20)) {
    const name = words(entry.name);
    const address = entry.address ?? '';
    shown.push(name === '' ? address : address === '' ? name : `${name} <${address}>`);
  }
  return clean(shown.join(', '), MAX_ADDRESSES);
}

/** Reads what a list shows from a mail's header (or whole mail); never throws, whatever the bytes are. */
export function readMailSummary(header: Uint8Array): MailSummary {
  const fields = readFields(header.subarray(0, mailHeaderLength(header)));
  const date = Date.parse((fields.get('date') ?? '').replaceAll('\0', '').trim());
  return {
    subject: clean(words(fields.get('subject') ?? ''), MAX_SUBJECT),
    from: addresses(fields.get('from')),
    to: addresses(fields.get('to')),
    date: Number.isNaN(date) ? null : date,
    messageId: clean(fields.get('message-id') ?? '', MAX_ADDRESSES),
  };
}
