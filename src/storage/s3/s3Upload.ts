import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand,
  type CompletedPart, type S3Client,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import type { Lock } from '../objectLocks.ts';
import { statusOf } from './s3Errors.ts';
import { lockHeaders } from './s3Lock.ts';

export interface S3Object {
  readonly Bucket: string;
  readonly Key: string;
}

/** An object to be put, and how it is to be locked. */
interface Target extends S3Object {
  readonly lock?: Lock;
}

/**
 * What is larger goes up in parts. A pack is not: one request in place of four, and a pack whose request breaks is sent again whole either way.
 * Manifests, seals and records are always one request.
 */
export const LARGEST_SINGLE = 16 * 1024 * 1024;
/** The last part is smaller. Services want at least 5 MiB, and some want all but the last to be equal. */
const PART_SIZE = 8 * 1024 * 1024;
/** Parts of one object on their way at once. Each is copied into one piece for it. */
const PARTS_AT_ONCE = 2;
const ABORT_MS = 10_000;

/**
 * Stores the object whole or not at all. `size` is that of all parts together.
 * @returns the id of its version, where the bucket keeps versions and tells.
 */
export async function upload(
  client: S3Client, { lock, ...object }: Target, parts: readonly Uint8Array[], size: number, signal: AbortSignal,
): Promise<string | undefined> {
  if (size > LARGEST_SINGLE) return await uploadInParts(client, { ...object, ...(lock && { lock }) }, parts, size, signal);
  const Body = slice(parts, 0, size);
  const command = new PutObjectCommand({ ...object, Body, ...(lock && { ...lockHeaders(lock), ContentMD5: md5(Body) }) });
  return (await client.send(command, { abortSignal: signal })).VersionId;
}

async function uploadInParts(
  client: S3Client, { lock, ...object }: Target, parts: readonly Uint8Array[], size: number, signal: AbortSignal,
): Promise<string | undefined> {
  const begin = new CreateMultipartUploadCommand({ ...object, ...(lock && lockHeaders(lock)) });
  const { UploadId } = await client.send(begin, { abortSignal: signal });
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const done: CompletedPart[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next * PART_SIZE < size) {
      const number = next++;
      const Body = slice(parts, number * PART_SIZE, Math.min(size, (number + 1) * PART_SIZE));
      const command = new UploadPartCommand({ ...object, UploadId, PartNumber: number + 1, Body, ...(lock && { ContentMD5: md5(Body) }) });
      const { ETag } = await client.send(command, { abortSignal: either });
      done[number] = { ETag, PartNumber: number + 1 };
    }
  };
  const lanes = Array.from({ length: PARTS_AT_ONCE }, lane);
  try {
    await Promise.all(lanes);
    const command = new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: done } });
    return (await client.send(command, { abortSignal: signal })).VersionId;
  } catch (error) {
    stop.abort();
    // A part that arrives after the upload is given up would stay, and be paid for.
    await Promise.allSettled(lanes);
    await giveUp(client, object, UploadId, error);
    throw error;
  }
}

/**
 * Frees the parts. Where the upload is complete already, although its reply was lost, nothing is left to free. Where
 * freeing fails too, that goes along as the cause: the parts stay until a rule of the bucket removes unfinished uploads,
 * as they do after a crash.
 */
async function giveUp(client: S3Client, object: S3Object, UploadId: string | undefined, because: unknown): Promise<void> {
  try {
    const command = new AbortMultipartUploadCommand({ ...object, UploadId });
    await client.send(command, { abortSignal: AbortSignal.timeout(ABORT_MS) });
  } catch (error) {
    if (statusOf(error) !== 404 && because instanceof Error) because.cause ??= error;
  }
}

/** Amazon takes nothing that is to be locked without a checksum of it; the old one is the one that all services know. */
export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

/** The bytes [start, end) of all parts together, in one piece. */
function slice(parts: readonly Uint8Array[], start: number, end: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const part of parts) {
    const from = Math.max(start, at);
    const to = Math.min(end, at + part.length);
    if (from < to) pieces.push(part.subarray(from - at, to - at));
    at += part.length;
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}
