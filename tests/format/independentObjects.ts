import { zstdDecompressSync } from 'node:zlib';
import { unseal } from './independentSealing.ts';

/** docs/format/layout.md: the outer shapes of objects. Nothing here may be imported from src. */

/** All objects of a repository by name. */
export type Objects = ReadonlyMap<string, Buffer>;

export type KeyOfEpoch = (epoch: number) => Uint8Array;

/** One sealed message as it stands in an object. */
export interface Sealed {
  readonly object: string;
  readonly bytes: Buffer;
}

export interface Container {
  readonly directory: Buffer;
  readonly key: Uint8Array;
  readonly sealedDirectory: Buffer;
}

export function get(objects: Objects, name: string): Buffer {
  const bytes = objects.get(name);
  if (bytes === undefined) throw new Error(`${name} is missing`);
  return bytes;
}

export function namesUnder(objects: Objects, prefix: string): string[] {
  return [...objects.keys()].filter((name) => name.startsWith(prefix)).sort();
}

export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** The epoch that the header names. */
export function readHeader(name: string, bytes: Buffer, kind: string): number {
  if (bytes.toString('latin1', 0, 4) !== kind) throw new Error(`${name} is no ${kind}`);
  if ((bytes[4] ?? 0) > 1) throw new Error(`${name} is of a newer version`);
  if (bytes[4] !== 1 || bytes[5] !== 0) throw new Error(`${name} has a bad header`);
  return bytes.readUInt16LE(6);
}

export function openRecord(name: string, bytes: Buffer, keyOf: KeyOfEpoch): unknown {
  const key = keyOf(readHeader(name, bytes, 'HFOB'));
  return JSON.parse(zstdDecompressSync(unseal(key, bytes.subarray(8), name)).toString());
}

export function openContainer(name: string, bytes: Buffer, kind: string, keyOf: KeyOfEpoch): Container {
  const key = keyOf(readHeader(name, bytes, kind));
  const end = bytes.length - 8;
  if (bytes.toString('latin1', end + 4) !== 'HFEN') throw new Error(`${name} has no end`);
  const sealedDirectory = bytes.subarray(end - bytes.readUInt32LE(end), end);
  return { directory: zstdDecompressSync(unseal(key, sealedDirectory, `${name}#directory`)), key, sealedDirectory };
}

/** Part `number` of an index or catalog segment. */
export function openPart(name: string, sealed: Buffer, number: number, key: Uint8Array): Buffer {
  return zstdDecompressSync(unseal(key, sealed, `${name}#${number}`));
}

export interface PackFrame {
  readonly offset: number;
  readonly length: number;
  readonly plainLength: number;
  readonly blobs: readonly { readonly id: string; readonly length: number }[];
}

/** docs/format/packs.md, "Pack". */
export function readPackDirectory(directory: Buffer): PackFrame[] {
  const count = directory.readUInt32LE(0);
  const heads = Array.from({ length: count }, (_, i) => Array.from({ length: 4 }, (__, k) => directory.readUInt32LE(4 + i * 16 + k * 4)));
  const blobs = heads.reduce((sum, head) => sum + (head[3] ?? 0), 0);
  const idsAt = 4 + count * 16;
  if (directory.length !== idsAt + blobs * 28) throw new Error('the directory does not add up');
  let blob = 0;
  return heads.map(([offset = 0, length = 0, plainLength = 0, number = 0]) => ({
    offset, length, plainLength,
    blobs: Array.from({ length: number }, () => {
      const id = directory.toString('hex', idsAt + blob * 24, idsAt + (blob + 1) * 24);
      return { id, length: directory.readUInt32LE(idsAt + blobs * 24 + 4 * blob++) };
    }),
  }));
}

/** docs/format/packs.md, "Frame". */
export function openFrame(sealed: Buffer, plainLength: number, key: Uint8Array): Buffer {
  const length = plainLength % 2 ** 31;
  const plain = plainLength >= 2 ** 31 ? unseal(key, sealed, 'frame:stored') : zstdDecompressSync(unseal(key, sealed, 'frame:zstd'));
  if (plain.length !== length) throw new Error('the frame has another length');
  return plain;
}
