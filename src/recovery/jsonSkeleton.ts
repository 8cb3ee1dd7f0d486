import { placeholderOf, MOST_PLACEHOLDERS, SECRET_BYTES, type LeftOutSize } from '../formats/index.ts';
import type { StoredPart } from '../repository/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import { Collected, MOST_SKELETON, type Skeleton } from './mailSkeleton.ts';

/** How documents of services hold bytes: a quote inside of a text has a backslash before it, so a text cannot look like this. */
const BEGIN = Buffer.from('"contentBytes":"');
const QUOTE = 0x22;
/** Characters of one value that goes along, and of all of them: photos and pictures in texts. */
const MOST_WHOLE = 1_500_000;
const MOST_WHOLES = 8 * MOST_WHOLE;

/** What a scan of a document finds, in its order. */
export interface BytesListener {
  /** Of the document, without values of `contentBytes`. */
  text(bytes: Buffer): void;
  /** Of the value with this number, in base64. */
  value(bytes: Buffer, number: number): void;
  ended(number: number): void;
}

/** Tells the values of `contentBytes` from the rest of a JSON document, however it is cut into pieces. */
export class BytesScan {
  readonly #listener: BytesListener;
  #carry: Buffer = Buffer.alloc(0);
  #isInside = false;
  #number = 0;

  constructor(listener: BytesListener) {
    this.#listener = listener;
  }

  push(piece: Buffer): void {
    let rest = this.#carry.length === 0 ? piece : Buffer.concat([this.#carry, piece]);
    this.#carry = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#isInside) rest = this.#inside(rest);
      else {
        const found = rest.indexOf(BEGIN);
        if (found < 0) {
          // Its end may be the beginning of the name.
          const kept = Math.min(rest.length, BEGIN.length - 1);
          this.#listener.text(rest.subarray(0, rest.length - kept));
          this.#carry = rest.subarray(rest.length - kept);
          return;
        }
        this.#listener.text(rest.subarray(0, found + BEGIN.length));
        this.#isInside = true;
        rest = rest.subarray(found + BEGIN.length);
      }
    }
  }

  end(): void {
    this.#listener.text(this.#carry);
  }

  #inside(rest: Buffer): Buffer {
    const end = rest.indexOf(QUOTE);
    this.#listener.value(end < 0 ? rest : rest.subarray(0, end), this.#number);
    if (end < 0) return Buffer.alloc(0);
    this.#listener.ended(this.#number++);
    this.#isInside = false;
    return rest.subarray(end);
  }
}

/**
 * A JSON document with its long `contentBytes` left out, in each of whose places stands a placeholder. It is read to its end, but no more of it is held than
 * {@link MOST_SKELETON}. `numbers`: which values of the document the placeholders stand for.
 */
export async function jsonSkeleton(parts: readonly StoredPart[], random: RandomBytes): Promise<Pick<Skeleton, 'input'> & { readonly numbers: readonly number[] }> {
  const secret = random(SECRET_BYTES).toString('hex');
  const bytes = new Collected(MOST_SKELETON);
  const sizes: LeftOutSize[] = [];
  const numbers: number[] = [];
  let room = MOST_WHOLES;
  let held: Buffer[] = [];
  let length = 0;
  let padding = 0;
  const scan = new BytesScan({
    text: (text) => bytes.add(text),
    value: (value) => {
      length += value.length;
      padding = value.subarray(-2).filter((byte) => byte === 0x3d).length;
      if (length <= Math.min(MOST_WHOLE, room)) held.push(Buffer.from(value));
      else held = [];
    },
    ended: (number) => {
      if (length <= Math.min(MOST_WHOLE, room)) {
        for (const piece of held) bytes.add(piece);
        room -= length;
      } else if (numbers.length < MOST_PLACEHOLDERS) {
        bytes.add(Buffer.from(placeholderOf(secret, numbers.length)));
        sizes.push({ bytes: Math.floor((length / 4) * 3) - padding, text: length });
        numbers.push(number);
      }
      held = [];
      length = 0;
    },
  });
  for (const part of parts) for await (const piece of part.pieces()) scan.push(piece);
  scan.end();
  return { input: { content: bytes.concat(), leftOut: { secret, sizes }, cut: bytes.isFull }, numbers };
}

/** The bytes of one value of a document, decoded, piece by piece. */
export async function* bytesOfValue(parts: readonly StoredPart[], wanted: number): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let isOver = false;
  const scan = new BytesScan({
    text: () => undefined,
    value: (value, number) => { if (number === wanted) pieces.push(Buffer.from(value)); },
    ended: (number) => { isOver ||= number === wanted; },
  });
  for (const part of parts) {
    for await (const piece of part.pieces()) {
      scan.push(piece);
      const text = Buffer.concat(pieces);
      const end = isOver ? text.length : text.length - (text.length % 4);
      if (end > 0) yield Buffer.from(text.toString('latin1', 0, end), 'base64');
      if (isOver) return;
      pieces = [text.subarray(end)];
    }
  }
}
