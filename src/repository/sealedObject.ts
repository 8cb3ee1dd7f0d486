import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import type { SealingKey } from './xaes.ts';

/** Bytes before the sealed payload: 'HFOB', format version, reserved, key epoch (u16, little endian). */
export const HEADER_LENGTH = 8;
export const FORMAT_VERSION = 1;

const MAX_OBJECT_PLAIN = 64 * 1024 * 1024;

/** A key with the number of the epoch that it belongs to; every object names the epoch it was sealed in. */
export interface EpochKey {
  readonly epoch: number;
  readonly key: SealingKey;
}

/** The 8 bytes that open every object but `config`: four letters of kind, version, reserved, epoch. */
export function objectHeader(magic: string, epoch: number): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.write(magic, 0, 'latin1');
  header[4] = FORMAT_VERSION;
  header.writeUInt16LE(epoch, 6);
  return header;
}

/** @returns the epoch; throws `repository/damaged` for another kind and `repository/too-new` for a later version. */
export function readHeader(bytes: Uint8Array, magic: string, name: string): number {
  if (bytes.length < HEADER_LENGTH || Buffer.from(bytes.buffer, bytes.byteOffset, 4).toString('latin1') !== magic) {
    throw damaged(name, 'its first bytes are not those of its kind');
  }
  const version = bytes[4] ?? 0;
  if (version > FORMAT_VERSION) throw tooNew(name, version);
  if (version === 0 || bytes[5] !== 0) throw damaged(name, 'its first bytes are not those of its kind');
  return (bytes[6] ?? 0) | ((bytes[7] ?? 0) << 8);
}

/** The key that an object names. Errors: those of {@link readHeader}, `repository/unknown-epoch`. */
export function headerKey(bytes: Uint8Array, magic: string, name: string, keyOf: (epoch: number) => SealingKey): SealingKey {
  const epoch = readHeader(bytes, magic, name);
  try {
    return keyOf(epoch);
  } catch (error) {
    throw new HoldfastError('repository/unknown-epoch', 'input',
      `${name} says that it is sealed with key epoch ${epoch}, which this key does not hold. Use the newest key of the repository.`,
      { data: { object: name, epoch }, cause: error });
  }
}

/** The error for an object that cannot be trusted; `name` is the stored object's name. */
export function damaged(name: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError(
    'repository/damaged',
    'never',
    `The stored object ${name} is damaged: ${why}. Run 'holdfast check' to see which items it holds.`,
    { data: { object: name }, cause },
  );
}

const UNREADABLE = new Set(['repository/damaged', 'repository/too-new', 'repository/unknown-epoch']);

/** The stored object is there and cannot be read, whatever of it is damaged. */
export function isUnreadable(error: unknown): boolean {
  return isHoldfastError(error) && UNREADABLE.has(error.code);
}

export function tooNew(name: string, version: number): HoldfastError {
  return new HoldfastError(
    'repository/too-new',
    'input',
    `${name} is written in format version ${version}; this program reads up to ${FORMAT_VERSION}. Use a newer Holdfast.`,
    { data: { object: name, version } },
  );
}

/**
 * Seals a JSON value as one small object; the object's name is authenticated, so that objects cannot be swapped.
 * Throws `repository/record-too-large` for what {@link openJson} would not open.
 */
export function sealJson(name: string, value: unknown, key: EpochKey, random: RandomBytes): Buffer[] {
  const text = Buffer.from(JSON.stringify(value));
  if (text.length > MAX_OBJECT_PLAIN) {
    throw new HoldfastError('repository/record-too-large', 'never',
      `The record ${name} would have ${text.length} bytes; up to ${MAX_OBJECT_PLAIN} can be read back. Nothing was written.`,
      { data: { object: name, bytes: text.length } });
  }
  const plain = zstdCompressSync(text);
  return [objectHeader('HFOB', key.epoch), key.key.seal(random(24), plain, Buffer.from(name))];
}

/** The inverse of {@link sealJson}. Throws `repository/damaged` when a single bit differs. */
export function openJson(name: string, bytes: Uint8Array, keyOf: (epoch: number) => SealingKey): unknown {
  const key = headerKey(bytes, 'HFOB', name, keyOf);
  try {
    const plain = key.open(bytes.subarray(HEADER_LENGTH), Buffer.from(name));
    return JSON.parse(zstdDecompressSync(plain, { maxOutputLength: MAX_OBJECT_PLAIN }).toString());
  } catch (error) {
    throw damaged(name, 'its seal does not hold', error);
  }
}
