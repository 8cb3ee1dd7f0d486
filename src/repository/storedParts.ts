import { HoldfastError, type ItemRow } from '../domain/index.ts';
import { encodeBase64Lines, encodedLength } from './base64Lines.ts';
import type { BlobReader } from './blobReader.ts';
import { decodeRecipe, type Base64Layout, type BlobRef } from './recipe.ts';

/**
 * A part of a content, in the order of its bytes. Nothing is read before it is asked for, and each blob is proved by its id; that all of them together are the item only
 * reading the whole item proves.
 */
export interface StoredPart {
  /** How its base64 stands in the content, where it is kept decoded. */
  readonly base64: Base64Layout | undefined;
  /** Of what `pieces` gives. */
  readonly length: number;
  /** Decoded, where it is base64; from an offset on, before which nothing is read. */
  pieces(from?: number): AsyncGenerator<Buffer>;
}

/** The parts of a content. Throws `repository/no-content` where it was not stored. */
export async function storedParts(blobs: BlobReader, row: Pick<ItemRow, 'content' | 'size'>, signal?: AbortSignal): Promise<readonly StoredPart[]> {
  if (row.content === '') throw new HoldfastError('repository/no-content', 'never', 'The item was not stored; its outcome says why.');
  const recipe = decodeRecipe(row.content);
  if (recipe.type === 'empty') return [];
  if (recipe.type === 'blob') return [partOf(blobs, [{ id: recipe.id, length: row.size }], undefined, signal)];
  return (await blobs.ops(recipe, signal)).map((op) => partOf(blobs, op.blobs, op.base64, signal));
}

function partOf(blobs: BlobReader, refs: readonly BlobRef[], base64: Base64Layout | undefined, signal?: AbortSignal): StoredPart {
  return {
    base64,
    length: refs.reduce((sum, { length }) => sum + length, 0),
    async* pieces(from = 0) {
      let at = 0;
      for (const { id, length } of refs) {
        if (at + length > from) yield (await blobs.blob(id, signal)).subarray(Math.max(0, from - at));
        at += length;
      }
    },
  };
}

/** Bytes as base64 of a layout. */
export function encodedAs(layout: Base64Layout, decoded: Uint8Array): Buffer {
  const target = Buffer.allocUnsafeSlow(encodedLength(decoded.length, layout));
  encodeBase64Lines(decoded, layout, target, 0);
  return target;
}
