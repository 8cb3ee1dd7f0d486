import { timeOrderedId, type Clock, type RandomBytes } from '../runtime/index.ts';
import { containerHeader, sealTail } from './container.ts';
import type { SealedFrame } from './frame.ts';
import { names } from './names.ts';
import { ID_LENGTH } from './recipe.ts';
import { damaged, HEADER_LENGTH, readHeader, type EpochKey } from './sealedObject.ts';

export const PACK_MAGIC = 'HFPK';
export const PACK_BYTES = 12 * 1024 * 1024;

/** A frame as a pack's directory lists it. */
export interface PackFrame {
  readonly offset: number;
  readonly length: number;
  readonly plainLength: number;
  /** 24 bytes a blob. */
  readonly ids: Uint8Array;
  readonly lengths: Uint32Array;
}

/** A whole pack, ready to be put under its name. */
export interface BuiltPack {
  readonly id: string;
  readonly name: string;
  readonly parts: readonly Uint8Array[];
  readonly size: number;
  readonly frames: readonly PackFrame[];
}

/** Collects sealed frames of one stream until they make a pack. */
export class PackBuilder {
  readonly #stream: string;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  #parts: Uint8Array[] = [];
  #frames: PackFrame[] = [];
  #at = HEADER_LENGTH;

  constructor(stream: string, clock: Clock, random: RandomBytes) {
    this.#stream = stream;
    this.#clock = clock;
    this.#random = random;
  }

  get empty(): boolean { return this.#frames.length === 0; }

  /** True when the pack is full: `build` it. */
  add(frame: SealedFrame): boolean {
    const { sealed, plainLength, ids, lengths } = frame;
    this.#frames.push({ offset: this.#at, length: sealed.length, plainLength, ids, lengths });
    this.#parts.push(sealed);
    this.#at += sealed.length;
    return this.#at >= PACK_BYTES;
  }

  /** Closes the pack and starts the next. The directory goes last, so a pack that was cut has none. */
  build(key: EpochKey): BuiltPack {
    const id = timeOrderedId(this.#clock.now(), this.#random);
    const name = names.pack(this.#stream, id);
    const tail = sealTail(name, encodeDirectory(this.#frames), key, this.#random);
    const parts = [containerHeader(PACK_MAGIC, key), ...this.#parts, ...tail];
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const built = { id, name, parts, size, frames: this.#frames };
    this.#parts = [];
    this.#frames = [];
    this.#at = HEADER_LENGTH;
    return built;
  }
}

/** u32 frames; per frame u32 offset, length, plain length, blobs; then all ids; then all lengths as u32. Little endian. */
function encodeDirectory(frames: readonly PackFrame[]): Buffer {
  const head = Buffer.alloc(4 + frames.length * 16);
  head.writeUInt32LE(frames.length, 0);
  frames.forEach((frame, i) => {
    head.writeUInt32LE(frame.offset, 4 + i * 16);
    head.writeUInt32LE(frame.length, 8 + i * 16);
    head.writeUInt32LE(frame.plainLength, 12 + i * 16);
    head.writeUInt32LE(frame.lengths.length, 16 + i * 16);
  });
  const lengths = frames.map((frame) => Buffer.from(frame.lengths.buffer, frame.lengths.byteOffset, frame.lengths.byteLength));
  return Buffer.concat([head, ...frames.map((frame) => frame.ids), ...lengths]);
}

/** @throws `repository/damaged` when the directory does not add up. */
export function decodeDirectory(name: string, bytes: Buffer): PackFrame[] {
  if (bytes.length < 4) throw damaged(name, 'its directory is empty');
  const count = bytes.readUInt32LE(0);
  if (4 + count * 16 > bytes.length) throw damaged(name, 'its directory is cut');
  const counts = Array.from({ length: count }, (_, i) => bytes.readUInt32LE(16 + i * 16));
  const blobs = counts.reduce((sum, n) => sum + n, 0);
  if (4 + count * 16 + blobs * (ID_LENGTH + 4) !== bytes.length) throw damaged(name, 'its directory does not add up');
  let idAt = 4 + count * 16;
  let lengthAt = idAt + blobs * ID_LENGTH;
  return counts.map((n, i) => {
    const ids = Uint8Array.from(bytes.subarray(idAt, idAt + n * ID_LENGTH));
    const lengths = Uint32Array.from({ length: n }, (_, k) => bytes.readUInt32LE(lengthAt + k * 4));
    idAt += n * ID_LENGTH;
    lengthAt += n * 4;
    return {
      offset: bytes.readUInt32LE(4 + i * 16), length: bytes.readUInt32LE(8 + i * 16),
      plainLength: bytes.readUInt32LE(12 + i * 16), ids, lengths,
    };
  });
}

/** The epoch in a pack's header; 0 where the header is damaged, which the proof of the pack finds out. */
export function packEpoch(bytes: Uint8Array, name: string): number {
  try {
    return readHeader(bytes, PACK_MAGIC, name);
  } catch {
    return 0;
  }
}
