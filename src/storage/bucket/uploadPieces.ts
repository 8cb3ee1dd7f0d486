import { createHash } from 'node:crypto';
import type { Watch } from './watchedCall.ts';

/** Small enough that a slow line shows progress. */
const PIECE = 64 * 1024;

export function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** The bytes [start, end) of the joined parts, as views. */
export function slicesOf(parts: readonly Uint8Array[], start: number, end: number): Uint8Array[] {
  const slices: Uint8Array[] = [];
  let at = 0;
  for (const part of parts) {
    const slice = part.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (slice.length > 0) slices.push(slice);
    at += part.length;
  }
  return slices;
}

/** The parts in pieces that a connection takes one after another; each one taken is progress. */
export function* piecesOf(parts: readonly Uint8Array[], watch: Watch): Generator<Uint8Array, void, undefined> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE) {
      watch.progress();
      yield part.subarray(at, at + PIECE);
    }
  }
}

/** What services take to find out damage on the way. No protection against an attacker, which the repository's seals are. */
export function md5Of(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** What is known of uploads that failed on the way, so that repeating the put need not send all again. The oldest is forgotten first. */
export class UnfinishedUploads<T> {
  readonly #uploads = new Map<string, T>();
  readonly #most: number;

  constructor(most = 32) {
    this.#most = most;
  }

  get(key: string): T | undefined {
    return this.#uploads.get(key);
  }

  set(key: string, upload: T): void {
    this.#uploads.delete(key);
    this.#uploads.set(key, upload);
    for (const oldest of this.#uploads.keys()) {
      if (this.#uploads.size <= this.#most) break;
      this.#uploads.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#uploads.delete(key);
  }
}
