import { PLACEHOLDER_TEXT, placeholderOf, MOST_PLACEHOLDERS, SECRET_BYTES, type LeftOutSize, type PreviewInput } from '../formats/index.ts';
import { encodedAs, type StoredPart } from '../repository/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import { Base64Runs, decodedRun } from './base64Runs.ts';

/** Bytes of a content that a preview is made of, at most. */
export const MOST_SKELETON = 16 * 1024 * 1024;
/** Of a mail, bytes that are no base64, or not kept as such. A reader of mails takes a hundred times as much for short lines. */
const MOST_RAW = 4 * 1024 * 1024;
/** Bytes that are looked through for base64. */
const MOST_SCANNED = 512 * 1024 * 1024;
/** Decoded bytes of one base64 part that goes along, and of all of them: bodies, and pictures in them. */
const MOST_WHOLE = 1024 * 1024;
const MOST_WHOLES = 6 * MOST_WHOLE;
/** Of base64 in a mail that is not kept in parts, bytes that are never left out. */
const LEAST_LONG = 4096;

/** A content without what a preview does not need, and the stored parts that were left out, by their numbers. */
export interface Skeleton {
  readonly input: PreviewInput & { readonly content: Uint8Array<ArrayBuffer> };
  readonly leftOut: readonly StoredPart[];
}

/**
 * The bytes of a mail with its large base64 parts left out: a placeholder stands for each. Those that are kept decoded are not read; in mails that are too large to be kept in parts they are passed
 * over, piece by piece. Of what is no base64 {@link MOST_RAW} bytes are held, and the mail is cut there.
 */
export async function mailSkeleton(parts: readonly StoredPart[], random: RandomBytes): Promise<Skeleton> {
  const building = new MailSkeleton(random(SECRET_BYTES).toString('hex'));
  for (const part of parts) {
    if (building.bytes.isFull) break;
    if (part.base64 === undefined) await building.addRaw(part);
    else await building.addEncoded(part, part.base64);
  }
  return building.skeleton();
}

class MailSkeleton {
  readonly bytes = new Collected(MOST_SKELETON);
  readonly #secret: string;
  readonly #leftOut: StoredPart[] = [];
  readonly #sizes: LeftOutSize[] = [];
  #room = MOST_WHOLES;
  #raw = MOST_RAW;
  #scanned = 0;

  constructor(secret: string) {
    this.#secret = secret;
  }

  async addEncoded(part: StoredPart, base64: NonNullable<StoredPart['base64']>): Promise<void> {
    const { length } = part;
    if (length > Math.min(MOST_WHOLE, this.#room) && base64.lineLength >= PLACEHOLDER_TEXT) this.#leaveOut(part, encodedAs(base64, Buffer.from(this.#placeholder())));
    // What cannot be left out and is too large to be held ends the skeleton.
    else if (length > MOST_SKELETON) this.bytes.fill();
    else {
      this.#room -= length;
      this.bytes.add(encodedAs(base64, await whole(part)));
    }
  }

  async addRaw(part: StoredPart): Promise<void> {
    const scan = new Base64Runs({
      text: (text, isRun) => this.#addText(text, isRun),
      run: (run) => this.#leaveOut(decodedRun(part, run), Buffer.from(`${Buffer.from(this.#placeholder()).toString('base64')}${run.eol === 2 ? '\r\n' : '\n'}`)),
    }, { leastLine: PLACEHOLDER_TEXT, long: () => Math.max(LEAST_LONG, (Math.min(MOST_WHOLE, this.#room) / 3) * 4) });
    for await (const piece of part.pieces()) {
      scan.push(piece);
      this.#scanned += piece.length;
      if (this.#scanned > MOST_SCANNED) this.bytes.fill();
      if (this.bytes.isFull) return;
    }
    scan.end();
  }

  #addText(text: Buffer, isRun: boolean): void {
    if (isRun && text.length <= this.#room) {
      this.#room -= text.length;
      this.bytes.add(text);
      return;
    }
    this.bytes.add(text.subarray(0, this.#raw));
    if (text.length > this.#raw) this.bytes.fill();
    this.#raw -= Math.min(this.#raw, text.length);
  }

  #placeholder(): string {
    return placeholderOf(this.#secret, this.#leftOut.length);
  }

  #leaveOut(part: StoredPart, placeholder: Buffer): void {
    if (this.bytes.isFull || this.#leftOut.length >= MOST_PLACEHOLDERS) {
      this.bytes.fill();
      return;
    }
    this.bytes.add(placeholder);
    this.#leftOut.push(part);
    this.#sizes.push({ bytes: part.length, text: encodedTextLength(part.length, part.base64?.lineLength ?? 0) });
  }

  skeleton(): Skeleton {
    return { input: { content: this.bytes.concat(), leftOut: { secret: this.#secret, sizes: this.#sizes }, cut: this.bytes.isFull }, leftOut: this.#leftOut };
  }
}

function encodedTextLength(length: number, line: number): number {
  const characters = Math.ceil(length / 3) * 4;
  return characters + Math.ceil(characters / line) - 1;
}

async function whole(part: StoredPart): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of part.pieces()) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Bytes up to a limit. */
export class Collected {
  readonly #limit: number;
  readonly #pieces: Buffer[] = [];
  #length = 0;
  #isFull = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** There is more than it holds. */
  get isFull(): boolean { return this.#isFull; }

  add(bytes: Buffer): void {
    const room = this.#limit - this.#length;
    this.#isFull ||= bytes.length > room;
    if (this.#isFull && room <= 0) return;
    // A copy: a view would keep all of what it was read with.
    const piece = Buffer.from(bytes.subarray(0, room));
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  async addAll(part: StoredPart): Promise<void> {
    for await (const piece of part.pieces()) {
      this.add(piece);
      if (this.#isFull) return;
    }
  }

  /** Takes no more. */
  fill(): void {
    this.#isFull = true;
  }

  /** In memory of its own, fit to be handed to a thread. */
  concat(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}
