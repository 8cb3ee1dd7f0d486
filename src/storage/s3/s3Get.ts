import { GetObjectCommand } from '@aws-sdk/client-s3';
import { resolveRange } from '../byteRange.ts';
import type { Range } from '../contract.ts';
import { storageUnavailable } from '../storageErrors.ts';
import type { S3Calls } from './s3Calls.ts';
import { statusOf } from './s3Errors.ts';
import type { S3Object } from './s3Upload.ts';

/** What a get without a range is taken to give. */
export const UNKNOWN_BYTES = 64 * 1024 * 1024;

/** The bytes of an object, or of one version of it; a range of no bytes cannot be asked for. */
export async function getBytes(
  calls: S3Calls, object: S3Object & { readonly VersionId?: string }, range: Range | undefined, abortSignal: AbortSignal,
): Promise<Uint8Array> {
  const command = new GetObjectCommand({ ...object, ...(range && { Range: httpRange(range) }) });
  try {
    const { Body, ContentLength, $metadata } = await calls.client.send(command, { abortSignal });
    const bytes = await Body?.transformToByteArray() ?? new Uint8Array();
    if (ContentLength !== undefined && bytes.length !== ContentLength) throw cut(calls, object.Key, bytes.length, ContentLength);
    return partOf(bytes, range, $metadata.httpStatusCode === 206);
  } catch (error) {
    // The range begins at or after the end. A missing object would be a 404.
    if (statusOf(error) === 416) return new Uint8Array();
    throw error;
  }
}

/** RFC 9110: inclusive ends; "-n" is the last n bytes, of which the caller may want only the first. */
function httpRange({ offset, length }: Range): string {
  return offset < 0 ? `bytes=${offset}` : `bytes=${offset}-${offset + length - 1}`;
}

function partOf(bytes: Uint8Array, range: Range | undefined, partial: boolean): Uint8Array {
  if (range === undefined) return bytes;
  if (partial) return bytes.subarray(0, range.length);
  // A service may give all of an object although a part was asked for.
  const { start, end } = resolveRange(range, bytes.length);
  return bytes.subarray(start, end);
}

function cut({ location, place }: S3Calls, key: string, got: number, expected: number): Error {
  return storageUnavailable(location, `"${key.slice(place.prefix.length)}" ended after ${got} of ${expected} bytes`);
}
