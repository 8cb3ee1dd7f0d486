import { mailHeaderLength, readMailSummary } from './mailHeader.ts';

const LF = 0x0a;
const QUOTE = 0x3e;
const FROM = Buffer.from('From ');
const NEW_LINE = Buffer.of(LF);
const NOTHING = Buffer.alloc(0);

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * The line that begins a mail in an mbox: sender and time (UTC, as C's asctime writes it). `start` holds at least the header.
 * Without an address that fits on the line, or a time, it says MAILER-DAEMON and 1970.
 */
export function mboxFromLine(start: Uint8Array, arrived: number | null): Buffer {
  const { from, date } = readMailSummary(start.subarray(0, mailHeaderLength(start)));
  const address = /<([^<>]*)>/.exec(from)?.[1] ?? from;
  const sender = /^[!-~]+@[!-~]+$/.test(address) ? address : 'MAILER-DAEMON';
  return Buffer.from(`From ${sender} ${asctime(arrived ?? date ?? 0)}\n`);
}

function asctime(ms: number): string {
  const time = new Date(ms);
  // Four digits of a year are what readers look for.
  if (Number.isNaN(ms) || !(time.getUTCFullYear() >= 1000 && time.getUTCFullYear() <= 9999)) return asctime(0);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()].map(two).join(':');
  return `${DAYS[time.getUTCDay()]} ${MONTHS[time.getUTCMonth()]} ${String(time.getUTCDate()).padStart(2, ' ')} ${clock} ${time.getUTCFullYear()}`;
}

/**
 * Turns a mail into what stands for it in an mbox of the kind mboxrd, piece by piece: a line that is '>'s (or none) and then
 * "From " gets one '>' more. Lines end at LF alone; CR is a byte like others, so that CRLF and LF both stay as they are.
 * `end` gives the LF that a mail without one at its end gets (the only bytes that unquoting does not take away again), and
 * the empty line after each mail.
 */
export class MboxrdQuoter {
  /** All given so far is '>'s since the last LF, or since the start. */
  #open = true;
  /** The beginning of "From " at the end of the last piece, after an open line. */
  #held: Buffer = NOTHING;
  #empty = true;
  #lastByte = LF;

  push(piece: Uint8Array): Buffer {
    if (piece.length === 0) return NOTHING;
    this.#empty = false;
    const added = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, added]) : added;
    this.#lastByte = bytes[bytes.length - 1] ?? LF;
    const marked: number[] = [];
    for (let at = bytes.indexOf(FROM); at >= 0; at = bytes.indexOf(FROM, at + FROM.length)) {
      if (this.#beginsLine(bytes, at)) marked.push(at);
    }
    const kept = this.#unfinished(bytes, marked.at(-1) ?? 0);
    this.#open = this.#beginsLine(bytes, kept);
    this.#held = bytes.subarray(kept);
    return withMarks(bytes.subarray(0, kept), marked);
  }

  end(): Buffer {
    const lineEnd = this.#empty || this.#lastByte === LF ? NOTHING : NEW_LINE;
    return Buffer.concat([this.#held, lineEnd, NEW_LINE]);
  }

  /** Whether nothing but '>'s stands between `at` and the start of its line. */
  #beginsLine(bytes: Buffer, at: number): boolean {
    let before = at - 1;
    while (before >= 0 && bytes[before] === QUOTE) before--;
    return before < 0 ? this.#open : bytes[before] === LF;
  }

  /** Where the beginning of a "From " that has to wait for the next piece starts; the end of the bytes when there is none. */
  #unfinished(bytes: Buffer, from: number): number {
    for (let length = Math.min(FROM.length - 1, bytes.length - from); length > 0; length--) {
      const at = bytes.length - length;
      if (bytes.subarray(at).equals(FROM.subarray(0, length)) && this.#beginsLine(bytes, at)) return at;
    }
    return bytes.length;
  }
}

/** The bytes with one '>' more before each of the places, which ascend. */
function withMarks(bytes: Buffer, places: readonly number[]): Buffer {
  if (places.length === 0) return bytes;
  const marked = Buffer.allocUnsafe(bytes.length + places.length);
  let from = 0;
  let to = 0;
  for (const place of places) {
    to += bytes.copy(marked, to, from, place);
    marked[to++] = QUOTE;
    from = place;
  }
  bytes.copy(marked, to, from);
  return marked;
}
