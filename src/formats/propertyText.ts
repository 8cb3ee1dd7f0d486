import { decodeText } from './decodeText.ts';

/** Pictures, sounds, keys. */
const BINARY = /;(?:ENCODING=)?(?:BASE64|B)(?:;|$)|;VALUE=BINARY(?:;|$)/i;
const QUOTED_PRINTABLE = /;(?:ENCODING=)?QUOTED-PRINTABLE(?:;|$)/i;
const CHARSET = /;CHARSET="?([\w.:+-]{2,40})/i;
/** The name of whoever a value is the address of. */
const COMMON_NAME = /;CN=("[^"]*"|[^;]*)/i;
/** What programs write for each other. */
const NO_WORDS = /^(?:BEGIN|END|VERSION|PRODID|UID|DTSTAMP|REV|SEQUENCE|CALSCALE|METHOD|TZOFFSETFROM|TZOFFSETTO)$/i;

/**
 * What the properties of iCalendar and vCard (RFC 5545, RFC 6350, vCard 2.1 too) say, a line each and at most `limit` characters: values and the names of
 * people, without pictures and what only programs read. Never throws; a line that is no property is passed over.
 */
export function readPropertyText(text: string, limit: number): string {
  const parts: string[] = [];
  let length = 0;
  for (const line of logicalLines(text)) {
    if (length >= limit) break;
    const said = sayingOf(line);
    if (said === '') continue;
    parts.push(said);
    length += said.length + 1;
  }
  return parts.join('\n').slice(0, limit);
}

/** A line goes on in the next one where that begins with a space, and in vCard 2.1 where a quoted-printable one ends with '='. */
function* logicalLines(text: string): Generator<string> {
  let pieces: string[] = [];
  let open = false;
  for (let start = 0; start < text.length;) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    const line = text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end);
    start = end + 1;
    const folded = pieces.length > 0 && (line.startsWith(' ') || line.startsWith('\t'));
    if (!folded && !open) {
      if (pieces.length > 0) yield pieces.join('');
      pieces = [];
    }
    const quoted: boolean = open || QUOTED_PRINTABLE.test(headOf(line));
    open = quoted && line.endsWith('=');
    pieces.push(open ? line.slice(0, -1) : folded ? line.slice(1) : line);
  }
  if (pieces.length > 0) yield pieces.join('');
}

/** Name and parameters, up to the colon outside of quotes; all of the line where there is none. */
function headOf(line: string): string {
  for (let at = 0, quoted = false; at < line.length; at++) {
    const one = line[at];
    if (one === '"') quoted = !quoted;
    else if (one === ':' && !quoted) return line.slice(0, at);
  }
  return line;
}

function sayingOf(line: string): string {
  const head = headOf(line);
  if (head.length >= line.length || BINARY.test(head)) return '';
  const [name = ''] = head.split(';', 1);
  const value = line.slice(head.length + 1);
  if (NO_WORDS.test(name.slice(name.lastIndexOf('.') + 1)) || /^data:/i.test(value)) return '';
  const person = (COMMON_NAME.exec(head)?.[1] ?? '').replaceAll('"', '');
  const plain = QUOTED_PRINTABLE.test(head) ? unquoted(value, CHARSET.exec(head)?.[1]) : value;
  const said = plain.replaceAll(/\\([nN,;:\\])/g, (_, one: string) => (one === 'n' || one === 'N' ? '\n' : one));
  return person === '' ? said : `${person} ${said}`;
}

function unquoted(value: string, charset: string | undefined): string {
  const bytes = Buffer.from(value, 'utf8').toString('latin1').replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return decodeText(Buffer.from(bytes, 'latin1'), charset === undefined ? [] : [charset]);
}
