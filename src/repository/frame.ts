import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { freeBuffer, type RandomBytes } from '../runtime/index.ts';
import type { Profile } from './profile.ts';
import type { SealingKey } from './xaes.ts';

const STORED_BIT = 0x8000_0000;
const AAD = { zstd: Buffer.from('frame:zstd'), stored: Buffer.from('frame:stored') };

/** A run of blobs, compressed and sealed together: the unit of a range read. It names no pack, so packs can be rewritten around it. */
export interface SealedFrame {
  readonly sealed: Uint8Array<ArrayBuffer>;
  /** Bytes of the blobs together; the top bit says that they are not compressed. */
  readonly plainLength: number;
  /** 24 bytes a blob, in the order of their bytes. */
  readonly ids: Uint8Array<ArrayBuffer>;
  readonly lengths: Uint32Array<ArrayBuffer>;
}

/** Where a frame's bytes are. */
export interface FrameAddress {
  readonly offset: number;
  readonly length: number;
  /** As in {@link SealedFrame}. */
  readonly plainLength: number;
}

/** Bytes that a frame gives when opened. */
export function frameBytes(plainLength: number): number {
  return plainLength % STORED_BIT;
}

/** Collects blobs until the frame is full. One builder per kind of data, since what is alike compresses together. */
export class FrameBuilder {
  readonly #buffer: Buffer;
  readonly #ids: Buffer;
  readonly #lengths: number[] = [];
  readonly #stored: boolean;
  #used = 0;

  constructor(capacity: number, stored: boolean) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
    this.#ids = Buffer.allocUnsafeSlow(Math.ceil(capacity / 256) * 24);
    this.#stored = stored;
  }

  get bytes(): number { return this.#used; }
  get empty(): boolean { return this.#lengths.length === 0; }

  /** False when it does not fit: seal first. A blob never exceeds an empty frame. */
  add(id: string, bytes: Uint8Array): boolean {
    const count = this.#lengths.length;
    if (this.#used + bytes.length > this.#buffer.length || (count + 1) * 24 > this.#ids.length) return false;
    this.#buffer.set(bytes, this.#used);
    this.#ids.write(id, count * 24, 'latin1');
    this.#lengths.push(bytes.length);
    this.#used += bytes.length;
    return true;
  }

  /** Compresses and seals what was collected, and starts anew. */
  seal(key: SealingKey, profile: Profile, random: RandomBytes): SealedFrame {
    const plain = this.#buffer.subarray(0, this.#used);
    const packed = this.#stored ? undefined : zstdCompressSync(plain, { params: profile.params, chunkSize: roomFor(plain.length) });
    const compressed = packed && packed.length < plain.length ? packed : undefined;
    const sealed = compressed ? key.seal(random(24), compressed, AAD.zstd) : key.seal(random(24), plain, AAD.stored);
    if (packed) freeBuffer(packed);
    const frame = {
      sealed: sealed as unknown as Uint8Array<ArrayBuffer>,
      plainLength: this.#used + (compressed ? 0 : STORED_BIT),
      ids: Uint8Array.from(this.#ids.subarray(0, this.#lengths.length * 24)),
      lengths: Uint32Array.from(this.#lengths),
    };
    this.#used = 0;
    this.#lengths.length = 0;
    return frame;
  }
}

/** Room for the worst case, so that zlib fills one buffer instead of joining pieces of 16 KiB. */
function roomFor(length: number): number {
  return length + (length >> 8) + 1024;
}

/** The blobs' bytes, end to end. Throws when the seal does not hold. */
export function openFrame(sealed: Uint8Array, plainLength: number, key: SealingKey): Buffer {
  const length = frameBytes(plainLength);
  if (plainLength >= STORED_BIT) return key.open(sealed, AAD.stored);
  const packed = key.open(sealed, AAD.zstd);
  const plain = zstdDecompressSync(packed, { maxOutputLength: Math.max(1, length), chunkSize: length + 64 });
  freeBuffer(packed);
  return plain;
}

/** The frame as another key seals it; what is compressed stays so. Throws when the seal does not hold. */
export function resealFrame(sealed: Uint8Array, plainLength: number, from: SealingKey, to: SealingKey, random: RandomBytes): Buffer {
  const aad = plainLength >= STORED_BIT ? AAD.stored : AAD.zstd;
  const packed = from.open(sealed, aad);
  const anew = to.seal(random(24), packed, aad);
  freeBuffer(packed);
  return anew;
}
