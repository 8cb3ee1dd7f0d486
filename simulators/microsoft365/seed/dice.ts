import { createCipheriv, createHash } from 'node:crypto';

const SMALL = 64;

/** Chance that a seed decides: the same words give the same throws, whatever was thrown before. */
export class Dice {
  #state: number;
  readonly #name: string;

  constructor(...words: readonly (string | number)[]) {
    this.#name = words.join(' ');
    this.#state = hash(this.#name);
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** From 0 up to `below`. */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(part: number): boolean {
    return this.next() < part;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.int(list.length)];
    if (found === undefined) throw new Error('there is nothing to pick from');
    return found;
  }

  /** Bytes that do not compress. */
  bytes(length: number): Buffer {
    // Setting up a cipher costs more than a few throws.
    if (length <= SMALL) {
      const dice = new Dice(this.#name, 'bytes');
      return Buffer.from(Array.from({ length }, () => dice.int(256)));
    }
    const key = createHash('md5').update(this.#name).digest();
    return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
  }

  uuid(): string {
    const hex = createHash('md5').update(`${this.#name} uuid`).digest('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return value ^ (value >>> 13);
}
