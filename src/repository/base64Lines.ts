import { chunkerKernel } from './chunkerKernel.ts';

/** How a run of base64 is folded: enough to write the same bytes again. */
export interface LineLayout {
  /** Characters of every line but the last: a multiple of 4, MIN_LINE to MAX_LINE. */
  readonly lineLength: number;
  readonly eol: 'crlf' | 'lf';
  /** Whether the last line is closed by `eol` too. */
  readonly finalEol: boolean;
}

export interface DecodedRun {
  /** Offset after the last byte that {@link encodeBase64Lines} gives back. */
  readonly end: number;
  /** A view of the target that was handed in, else a buffer of its own. */
  readonly decoded: Buffer;
  readonly layout: LineLayout;
}

export const MIN_LINE = 16;
export const MAX_LINE = 4096;

const LF = 10;
const CR = 13;
const DASH = 45;

/** Both directions for whole lines of `line` characters; `bytes` = line / 4 * 3; `eol` is 1 (LF) or 2 (CRLF). */
export interface LineCodec {
  /** Decodes lines of `source` from `start` while they are clean and end by `end`. Returns how many. */
  decode(source: Buffer, start: number, end: number, line: number, eol: number, target: Buffer): number;
  /** Encodes `count` lines of `source` from its start to `target` at `offset`. */
  encode(source: Uint8Array, count: number, line: number, eol: number, target: Buffer, offset: number): void;
}

let fastest: LineCodec | undefined;

/**
 * Decodes the folded base64 at `start` as far as encoding gives back the same bytes: lines of one length and line end,
 * canonical, padding on the last line only. Undefined when less than `least` bytes come out of it. O(bytes read).
 * The bytes go to the front of `target` where it has room for three quarters of what is left of `source`.
 */
export function decodeBase64Lines(
  source: Buffer,
  start: number,
  least: number,
  target?: Buffer,
  codec: LineCodec = defaultLineCodec(),
): DecodedRun | undefined {
  const { line, eol } = firstLine(source, start);
  if (line < MIN_LINE || line > MAX_LINE || line % 4 !== 0) return undefined;
  // '-' is not in the alphabet, and what follows a part is a boundary: this is where the run ends at the latest.
  const dash = source.indexOf(DASH, start);
  const limit = dash < 0 ? source.length : dash;
  const most = Math.ceil((limit - start) / 4) * 3;
  if (most < least) return undefined;

  const own = target === undefined || target.length < most;
  const room = own ? Buffer.allocUnsafeSlow(most) : target;
  const count = codec.decode(source, start, limit, line, eol, room);
  if (count === 0) return undefined;
  const whole = (count * line * 3) / 4;
  const rest = decodeLastLine(source, start + count * (line + eol), line, eol, room.subarray(whole));
  const length = whole + rest.length;
  if (length < least) return undefined;
  const view = room.subarray(0, length);
  // Where much turned out not to be base64, a view of our own buffer would keep all of it in memory.
  const decoded = own && length < most / 2 ? Buffer.from(view) : view;
  const layout = { lineLength: line, eol: eol === 2 ? 'crlf' : 'lf', finalEol: rest.finalEol } as const;
  return { end: rest.end, decoded, layout };
}

/** Characters and line end of the first line; -1 characters when it has no end within MAX_LINE. */
function firstLine(source: Buffer, start: number): { line: number; eol: number } {
  const lf = source.subarray(start, start + MAX_LINE + 2).indexOf(LF);
  return lf > 0 && source[start + lf - 1] === CR ? { line: lf - 1, eol: 2 } : { line: lf, eol: 1 };
}

/**
 * The rest of a run after its whole lines: at most one line, maybe padded. `length` is 0 when it is empty or not
 * canonical: the run then ends at `start`, behind a line end.
 */
function decodeLastLine(
  source: Buffer,
  start: number,
  line: number,
  eol: number,
  target: Buffer,
): { length: number; end: number; finalEol: boolean } {
  const rest = source.subarray(start, start + line + eol);
  const lf = rest.indexOf(LF);
  let characters = lf < 0 ? Math.min(rest.length, line) : lf;
  if (characters > 0 && rest[characters - 1] === CR) characters--;
  const decoded = characters % 4 === 0 ? decodeExactly(rest.toString('latin1', 0, characters)) : undefined;
  if (decoded === undefined || characters === 0) return { length: 0, end: start, finalEol: true };
  const finalEol = rest[characters + eol - 1] === LF && (eol === 1 || rest[characters] === CR);
  return { length: decoded.copy(target), end: start + characters + (finalEol ? eol : 0), finalEol };
}

function decodeExactly(text: string): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64');
  return decoded.toString('base64') === text ? decoded : undefined;
}

/** Bytes that {@link encodeBase64Lines} writes for `length` bytes. */
export function encodedLength(length: number, layout: LineLayout): number {
  if (length === 0) return 0;
  const characters = Math.ceil(length / 3) * 4;
  const ends = Math.ceil(characters / layout.lineLength) - (layout.finalEol ? 0 : 1);
  return characters + ends * (layout.eol === 'crlf' ? 2 : 1);
}

/** Writes `decoded` as folded base64 to `target` at `offset`. Returns the number of bytes written. */
export function encodeBase64Lines(
  decoded: Uint8Array,
  layout: LineLayout,
  target: Buffer,
  offset: number,
  codec: LineCodec = defaultLineCodec(),
): number {
  const { lineLength: line, finalEol } = layout;
  if (line < MIN_LINE || line > MAX_LINE || line % 4 !== 0) throw new RangeError(`${line} is no line of base64`);
  const length = encodedLength(decoded.length, layout);
  if (offset + length > target.length) throw new RangeError('the target is too short for the encoded lines');
  if (length === 0) return 0;
  const bytes = (line / 4) * 3;
  const eol = layout.eol === 'crlf' ? 2 : 1;
  // The last line, whole or not, is written apart: only it may lack a line end or have padding.
  const count = Math.ceil(decoded.length / bytes) - 1;
  codec.encode(decoded, count, line, eol, target, offset);
  const last = decoded.subarray(count * bytes);
  let at = offset + count * (line + eol);
  const text = Buffer.from(last.buffer, last.byteOffset, last.length).toString('base64');
  at += target.write(text, at, 'latin1');
  if (finalEol) {
    if (eol === 2) target[at] = CR;
    target[at + eol - 1] = LF;
  }
  return length;
}

function defaultLineCodec(): LineCodec {
  fastest ??= kernelLineCodec() ?? scriptLineCodec();
  return fastest;
}

/** Bytes that one call of the kernel works on; the longest line fits, and all of it stays in the fast caches. */
const SLAB = 32768;
const INPUT_AT = 0;
const OUTPUT_AT = 65536;

/** Undefined where the kernel is not available. */
export function kernelLineCodec(): LineCodec | undefined {
  const kernel = chunkerKernel(2 * OUTPUT_AT);
  if (kernel === undefined) return undefined;
  const memory = Buffer.from(kernel.memory);
  return {
    decode(source, start, end, line, eol, target) {
      const step = Math.floor(SLAB / (line + eol)) * (line + eol);
      let count = 0;
      for (let at = start; at < end; at += step) {
        const input = source.copy(memory, INPUT_AT, at, Math.min(end, at + step));
        const clean = kernel.decodeLines(INPUT_AT, INPUT_AT + input, line, eol, OUTPUT_AT) - INPUT_AT;
        const lines = clean / (line + eol);
        memory.copy(target, (count * line * 3) / 4, OUTPUT_AT, OUTPUT_AT + (lines * line * 3) / 4);
        count += lines;
        if (clean < step) break;
      }
      return count;
    },
    encode(source, count, line, eol, target, offset) {
      const step = Math.floor(SLAB / (line + eol));
      const bytes = (line / 4) * 3;
      for (let done = 0; done < count; done += step) {
        const lines = Math.min(step, count - done);
        memory.set(source.subarray(done * bytes, (done + lines) * bytes), INPUT_AT);
        const end = kernel.encodeLines(INPUT_AT, INPUT_AT + lines * bytes, bytes, eol, OUTPUT_AT);
        memory.copy(target, offset + done * (line + eol), OUTPUT_AT, end);
      }
    },
  };
}

/** The same by means of the runtime's own base64, line by line: about a tenth as fast. */
export function scriptLineCodec(): LineCodec {
  return {
    decode(source, start, end, line, eol, target) {
      let count = 0;
      for (let at = start; at + line + eol <= end; at += line + eol) {
        if (source[at + line + eol - 1] !== LF || (eol === 2 && source[at + line] !== CR)) break;
        const text = source.toString('latin1', at, at + line);
        const decoded = text.endsWith('=') ? undefined : decodeExactly(text);
        if (decoded === undefined) break;
        decoded.copy(target, (count * line * 3) / 4);
        count++;
      }
      return count;
    },
    encode(source, count, line, eol, target, offset) {
      const view = Buffer.from(source.buffer, source.byteOffset, source.length);
      const bytes = (line / 4) * 3;
      const end = eol === 2 ? '\r\n' : '\n';
      for (let i = 0; i < count; i++) {
        const text = view.toString('base64', i * bytes, (i + 1) * bytes) + end;
        target.write(text, offset + i * (line + eol), 'latin1');
      }
    },
  };
}
