import { decodeBase64Lines } from './base64Lines.ts';
import type { LineCodec, LineLayout } from './base64Lines.ts';

/** Bytes of a message that stay as they are. */
export interface RawPart {
  readonly kind: 'raw';
  readonly start: number;
  readonly end: number;
}

/** Base64 of a MIME part: encoding `decoded` by `layout` gives exactly the bytes from `start` to `end`. */
export interface Base64Part {
  readonly kind: 'base64';
  readonly start: number;
  readonly end: number;
  readonly decoded: Buffer;
  readonly layout: LineLayout;
}

export type Part = RawPart | Base64Part;

/** Decoded content shorter than this stays in the message: a blob of its own would cost more than it saves. */
export const LEAST_DECODED = 4096;
/** Bytes of a message that hold LEAST_DECODED bytes and the header before them, at least. */
const LEAST_MESSAGE = (LEAST_DECODED / 3) * 4;

/**
 * The end of the header's name as programs write it, the most frequent first. '-' is rare in text and not
 * in base64, so the native search for these runs at more than 10 GB/s; for 'base64' it would run at 3.
 */
const STYLES = ['-Transfer-Encoding:', '-transfer-encoding:', '-Transfer-encoding:'].map((text) => Buffer.from(text));
/** A message that uses one style is searched for the others only where this much of it is still raw. */
const LARGE_GAP = 32768;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const SEMICOLON = 59;
const LOWER = 0x20;

/**
 * Splits a message at its base64 parts, without reading its structure: wherever a header line says base64, what
 * follows the next empty line is tried. Parts are in order and cover the input. Whatever would not come out byte for
 * byte stays raw. Undefined when there is nothing to split. Never throws; O(length).
 *
 * `target` (as long as the message is always enough) receives the decoded bytes, one part behind the other in the
 * order of the parts: `decoded` are then views of it, and the caller may reuse it when it is done with them. That
 * saves more time than all the rest takes: fresh memory is the dear part of decoding.
 */
export function splitParts(bytes: Buffer, target?: Buffer, codec?: LineCodec): Part[] | undefined {
  if (bytes.length < LEAST_MESSAGE) return undefined;
  const finder: Finder = { bytes, found: [], target, codec };
  findParts(finder, 0, bytes.length, 0);
  if (finder.found.length === 0) return undefined;
  const parts: Part[] = [];
  let at = 0;
  for (const part of finder.found) {
    if (part.start > at) parts.push({ kind: 'raw', start: at, end: part.start });
    parts.push(part);
    at = part.end;
  }
  if (at < bytes.length) parts.push({ kind: 'raw', start: at, end: bytes.length });
  return parts;
}

interface Finder {
  readonly bytes: Buffer;
  readonly found: Base64Part[];
  /** What is left of the target. */
  target: Buffer | undefined;
  readonly codec: LineCodec | undefined;
}

/** Collects the parts between `from` and `to` whose header has this style, and in large gaps those of later styles. */
function findParts(finder: Finder, from: number, to: number, style: number): void {
  const name = STYLES[style];
  if (name === undefined) return;
  const area = to === finder.bytes.length ? finder.bytes : finder.bytes.subarray(0, to);
  let gap = from;
  let used = false;
  for (let hit = area.indexOf(name, from); hit >= 0; ) {
    used = true;
    const body = bodyOfBase64(area, hit, hit + name.length);
    // Before the run is decoded, since the target is filled in the order of the parts.
    if (body - gap >= LARGE_GAP) {
      findParts(finder, gap, body, style + 1);
      gap = body;
    }
    const run = body < 0 ? undefined : decodeBase64Lines(area, body, LEAST_DECODED, finder.target, finder.codec);
    if (run !== undefined) {
      if (finder.target?.buffer === run.decoded.buffer) finder.target = finder.target.subarray(run.decoded.length);
      finder.found.push({ kind: 'base64', start: body, ...run });
      gap = run.end;
    }
    hit = area.indexOf(name, run?.end ?? Math.max(body, hit + name.length));
  }
  if (to - gap >= (used ? LARGE_GAP : LEAST_MESSAGE)) findParts(finder, gap, to, style + 1);
}

/** Where the body starts of a part whose header holds `Content-Transfer-Encoding: base64` around `hit`, else -1. */
function bodyOfBase64(bytes: Buffer, hit: number, afterName: number): number {
  const line = hit - 'Content'.length;
  if (line < 0 || (line > 0 && bytes[line - 1] !== LF) || !isWord(bytes, line, 'content')) return -1;
  let value = afterName;
  while (isBlank(bytes[value])) value++;
  const end = value + 'base64'.length;
  const after = bytes[end];
  const alone = after === CR || after === LF || after === SEMICOLON || isBlank(after);
  return alone && isWord(bytes, value, 'base64') ? afterEmptyLine(bytes, end) : -1;
}

/** Behind the first empty line after the line that `from` is in; the end of `bytes` when there is none. */
function afterEmptyLine(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from) + 1; at > 0; at = bytes.indexOf(LF, at) + 1) {
    if (bytes[at] === LF) return at + 1;
    if (bytes[at] === CR && bytes[at + 1] === LF) return at + 2;
  }
  return bytes.length;
}

/** Whether the word (lower case letters and digits) stands at `at`, in any case. */
function isWord(bytes: Buffer, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    if (((bytes[at + i] ?? 0) | LOWER) !== word.charCodeAt(i)) return false;
  }
  return true;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}
