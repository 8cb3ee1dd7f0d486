import { PLACEHOLDER_TEXT, placeholderOf, MOST_PLACEHOLDERS, SECRET_BYTES, type LeftOutSize, type PreviewInput } from '../formats/index.ts';
import { encodedAs, type StoredPart } from '../repository/index.ts';
import type { RandomBytes } from '../runtime/index.ts';

/** Bytes of a content that a preview is made of, at most. */
export const MOST_SKELETON = 16 * 1024 * 1024;
/** Of a mail, bytes that are no base64, or not kept as such. A reader of mails takes a hundred times as much for short lines. */
const MOST_RAW = 4 * 1024 * 1024;
/** Decoded bytes of one base64 part that goes along, and of all of them: bodies, and pictures in them. */
const MOST_WHOLE = 1024 * 1024;
const MOST_WHOLES = 6 * MOST_WHOLE;

/** A content without what a preview does not need, and the stored parts that were left out, by their numbers. */
export interface Skeleton {
  readonly input: PreviewInput & { readonly content: Uint8Array<ArrayBuffer> };
  readonly leftOut: readonly StoredPart[];
}

/**
 * The bytes of a mail with its large base64 parts left out, which are not read: a placeholder stands for each. What is no base64, and mails that are too large
 * to be kept in parts, are read up to {@link MOST_RAW} bytes, and cut there.
 */
export async function mailSkeleton(parts: readonly StoredPart[], random: RandomBytes): Promise<Skeleton> {
  const secret = random(SECRET_BYTES).toString('hex');
  const bytes = new Collected(MOST_SKELETON);
  const leftOut: StoredPart[] = [];
  const sizes: LeftOutSize[] = [];
  let room = MOST_WHOLES;
  let raw = MOST_RAW;
  for (const part of parts) {
    const { base64, length } = part;
    if (bytes.isFull) break;
    if (base64 === undefined) raw -= await bytes.addAll(part, raw);
    else if (length <= Math.min(MOST_WHOLE, room) || base64.lineLength < PLACEHOLDER_TEXT) {
      room -= length;
      // What cannot be left out and is too large to be held ends the skeleton.
      if (length > MOST_SKELETON) bytes.fill();
      else bytes.add(encodedAs(base64, await whole(part)));
    } else if (leftOut.length >= MOST_PLACEHOLDERS) bytes.fill();
    else {
      bytes.add(encodedAs(base64, Buffer.from(placeholderOf(secret, leftOut.length))));
      leftOut.push(part);
      sizes.push({ bytes: length, text: encodedTextLength(length, base64.lineLength) });
    }
  }
  return { input: { content: bytes.concat(), leftOut: { secret, sizes }, cut: bytes.isFull }, leftOut };
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
    const piece = bytes.subarray(0, room);
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** As much of a part as there is room for, at most `most` bytes; more of it fills this. How many it were. */
  async addAll(part: StoredPart, most = Infinity): Promise<number> {
    let added = 0;
    for await (const piece of part.pieces()) {
      this.add(piece.subarray(0, most - added));
      if (piece.length > most - added) this.fill();
      added += piece.length;
      if (this.#isFull) break;
    }
    return added;
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
