import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { RandomBytes } from '../runtime/index.ts';
import type { Storage } from '../storage/index.ts';
import type { SealingKey } from './xaes.ts';
import { damaged, HEADER_LENGTH, headerKey, objectHeader, type EpochKey } from './sealedObject.ts';

/**
 * An object of many parts, each sealed on its own so that one can be read by range:
 * header (8) · parts · sealed directory · trailer (directory length u32, 'HFEN').
 * Packs, index segments and catalog segments are containers; what the directory holds is the kind's own affair.
 */
export const TRAILER_LENGTH = 8;
const TRAILER_MAGIC = 'HFEN';
const MAX_DIRECTORY = 256 * 1024 * 1024;
/** Read in one request with the trailer; a directory is rarely larger. */
const TAIL_GUESS = 128 * 1024;

/** The closing bytes of a container: its directory (zstd, sealed under the object's name) and the trailer. */
export function sealTail(name: string, directory: Uint8Array, key: EpochKey, random: RandomBytes): Buffer[] {
  const sealed = key.key.seal(random(24), zstdCompressSync(directory), Buffer.from(`${name}#directory`));
  const trailer = Buffer.alloc(TRAILER_LENGTH);
  trailer.writeUInt32LE(sealed.length, 0);
  trailer.write(TRAILER_MAGIC, 4, 'latin1');
  return [sealed, trailer];
}

export function containerHeader(magic: string, key: EpochKey): Buffer {
  return objectHeader(magic, key.epoch);
}

export interface OpenedTail {
  readonly directory: Buffer;
  readonly key: SealingKey;
  /** Where the parts end and the sealed directory starts. */
  readonly partsEnd: number;
}

/** Reads a container's directory with one or two range requests after its header's. */
export async function openTail(
  storage: Storage, name: string, size: number, magic: string,
  keyOf: (epoch: number) => SealingKey, signal?: AbortSignal,
): Promise<OpenedTail> {
  const options = signal ? { signal } : {};
  let tail: Uint8Array = await storage.get(name, { range: { offset: Math.max(0, size - TAIL_GUESS), length: TAIL_GUESS }, ...options });
  const header = tail.length === size ? tail : await storage.get(name, { range: { offset: 0, length: HEADER_LENGTH }, ...options });
  const key = headerKey(header, magic, name, keyOf);
  const sealedLength = trailerLength(name, tail, size);
  if (tail.length < sealedLength + TRAILER_LENGTH) {
    const offset = size - sealedLength - TRAILER_LENGTH;
    tail = await storage.get(name, { range: { offset, length: sealedLength + TRAILER_LENGTH }, ...options });
    if (tail.length !== sealedLength + TRAILER_LENGTH) throw damaged(name, 'it ends too early');
  }
  const end = tail.length - TRAILER_LENGTH;
  const directory = openDirectory(name, tail.subarray(end - sealedLength, end), key);
  return { directory, key, partsEnd: size - TRAILER_LENGTH - sealedLength };
}

function trailerLength(name: string, tail: Uint8Array, size: number): number {
  const view = Buffer.from(tail.buffer, tail.byteOffset, tail.length);
  if (view.length < TRAILER_LENGTH || view.toString('latin1', view.length - 4) !== TRAILER_MAGIC) {
    throw damaged(name, 'its last bytes are missing');
  }
  const length = view.readUInt32LE(view.length - TRAILER_LENGTH);
  if (length + TRAILER_LENGTH + HEADER_LENGTH > size) throw damaged(name, 'its directory is longer than the object');
  return length;
}

function openDirectory(name: string, sealed: Uint8Array, key: SealingKey): Buffer {
  try {
    const plain = key.open(sealed, Buffer.from(`${name}#directory`));
    return zstdDecompressSync(plain, { maxOutputLength: MAX_DIRECTORY });
  } catch (error) {
    throw damaged(name, 'the seal of its directory does not hold', error);
  }
}

/** The same for a whole container that is in memory. */
export function openWhole(
  name: string, bytes: Uint8Array, magic: string, keyOf: (epoch: number) => SealingKey,
): OpenedTail {
  const key = headerKey(bytes, magic, name, keyOf);
  const sealedLength = trailerLength(name, bytes, bytes.length);
  const end = bytes.length - TRAILER_LENGTH;
  const directory = openDirectory(name, bytes.subarray(end - sealedLength, end), key);
  return { directory, key, partsEnd: end - sealedLength };
}
