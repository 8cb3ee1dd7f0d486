import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { Settings } from '../../runtime/index.ts';
import { checkRange, resolveRange } from '../byteRange.ts';
import type { ListPage, ObjectInfo, Range, Storage } from '../contract.ts';
import { pageLimit } from '../listPage.ts';
import { checkObjectName, checkPrefix, isObjectName } from '../objectName.ts';
import { objectNotFound, storageUnavailable } from '../storageErrors.ts';
import { makeS3Client, type S3Timing } from './s3Client.ts';
import { s3Error, statusOf, type S3Operation } from './s3Errors.ts';
import { parseS3Location, type S3Location } from './s3Location.ts';
import { upload, type S3Object } from './s3Upload.ts';

/** A call may take so long, and as much again as its bytes need at the slowest rate: a peer that trickles is no progress. */
const CALL_MS = 120_000;
const SLOWEST_BYTES_PER_MS = 16;
/** What a get without a range is taken to give. */
const UNKNOWN_BYTES = 64 * 1024 * 1024;
/** Statuses with which a service refuses for reasons that only the body of its reply tells. */
const UNTOLD = new Set([301, 307, 400, 401, 403]);
/** No service gives more names at once. */
const MOST_LISTED = 1000;

/**
 * Objects below a prefix of an S3 bucket. Tries each request once and tells by the error's class whether a retry helps.
 * Keys below the prefix that no put of ours can have made are not listed.
 */
export class S3Storage implements Storage {
  readonly location: string;
  readonly #client: S3Client;
  readonly #place: S3Location;

  private constructor(client: S3Client, place: S3Location) {
    this.#client = client;
    this.#place = place;
    this.location = place.shown;
  }

  /** Opens without writing; asks for one name, so that a wrong bucket, region or key is told here. */
  static async open(url: string, settings: Settings, timing?: S3Timing): Promise<S3Storage> {
    const place = parseS3Location(url);
    const storage = new S3Storage(await makeS3Client(place, settings, timing), place);
    await storage.list('', { limit: 1 });
    return storage;
  }

  async get(name: string, options: { range?: Range; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    const { range, signal } = options;
    checkRange(range);
    return await this.#call({ verb: 'read', name }, signal, range?.length ?? UNKNOWN_BYTES, async (abortSignal) => {
      if (range?.length === 0) return await this.#nothing(name, abortSignal);
      const command = new GetObjectCommand({ ...this.#object(name), ...(range && { Range: httpRange(range) }) });
      try {
        const { Body, ContentLength, $metadata } = await this.#client.send(command, { abortSignal });
        const bytes = await Body?.transformToByteArray() ?? new Uint8Array();
        if (ContentLength !== undefined && bytes.length !== ContentLength) throw this.#cut(name, bytes.length, ContentLength);
        return partOf(bytes, range, $metadata.httpStatusCode === 206);
      } catch (error) {
        // The range begins at or after the end. A missing object would be a 404.
        if (statusOf(error) === 416) return new Uint8Array();
        throw error;
      }
    });
  }

  async put(name: string, parts: readonly Uint8Array[], options: { signal?: AbortSignal } = {}): Promise<void> {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    await this.#call({ verb: 'write', name }, options.signal, size, (signal) =>
      upload(this.#client, this.#object(name), parts, size, signal));
  }

  async list(
    prefix: string,
    options: { after?: string; limit?: number; signal?: AbortSignal } = {},
  ): Promise<ListPage> {
    options.signal?.throwIfAborted();
    checkPrefix(prefix);
    const limit = Math.min(pageLimit(options.limit), MOST_LISTED);
    let page = await this.#listOnce(prefix, { after: options.after, limit }, options.signal);
    // A page of nothing but foreign keys is none.
    while (page.more && page.objects.length === 0) {
      page = await this.#listOnce(prefix, { token: page.token, limit }, options.signal);
    }
    const { objects, more } = page;
    const last = objects.at(-1);
    return more && last !== undefined ? { objects, next: last.name } : { objects };
  }

  async delete(name: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#call({ verb: 'delete', name }, options.signal, 0, async (abortSignal) => {
      const command = new DeleteObjectCommand(this.#object(name));
      await this.#client.send(command, { abortSignal }).catch((error: unknown) => {
        // Some services tell that it was not there.
        if (statusOf(error) !== 404 || isNoBucket(error)) throw error;
      });
    });
  }

  async stat(name: string, options: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    return await this.#call({ verb: 'look at', name }, options.signal, 0, async (abortSignal) => {
      try {
        const { ContentLength } = await this.#client.send(new HeadObjectCommand(this.#object(name)), { abortSignal });
        return { name, size: ContentLength ?? 0 };
      } catch (error) {
        const status = statusOf(error);
        if (status === 404) return undefined;
        // The reply to HEAD has no body to say why: a listing is refused for the same reason, and tells it.
        if (UNTOLD.has(status)) await this.#listOnce('', { limit: 1 }, abortSignal);
        throw error;
      }
    });
  }

  async #listOnce(
    prefix: string, from: { after?: string | undefined; token?: string | undefined; limit: number }, signal?: AbortSignal,
  ): Promise<{ objects: ObjectInfo[]; more: boolean; token: string | undefined }> {
    const { prefix: folder, bucket } = this.#place;
    const start = from.after === undefined ? '' : folder + from.after;
    const command = new ListObjectsV2Command({
      Bucket: bucket, Prefix: folder + prefix, MaxKeys: from.limit,
      ...(start !== '' && { StartAfter: start }), ...(from.token !== undefined && { ContinuationToken: from.token }),
    });
    return await this.#call({ verb: 'list', name: prefix }, signal, 0, async (abortSignal) => {
      const { Contents = [], IsTruncated: more = false, NextContinuationToken: token } = await this.#client.send(command, { abortSignal });
      const objects = Contents.map(({ Key = '', Size = 0 }) => ({ name: Key.slice(folder.length), size: Size })).filter(({ name }) => isObjectName(name));
      // A listing that ends too early would let prune take what is in use.
      if (more && token === undefined && objects.length === 0) throw storageUnavailable(this.location, 'a listing says that there is more, and not how to get it');
      return { objects, more, token };
    });
  }

  /** Zero bytes of an object that is there: HTTP has no range for it. */
  async #nothing(name: string, signal: AbortSignal): Promise<Uint8Array> {
    if (await this.stat(name, { signal }) === undefined) throw objectNotFound(this.location, name);
    return new Uint8Array();
  }

  #object(name: string): S3Object {
    checkObjectName(name);
    return { Bucket: this.#place.bucket, Key: this.#place.prefix + name };
  }

  #cut(name: string, got: number, expected: number): Error {
    return storageUnavailable(this.location, `"${name}" ended after ${got} of ${expected} bytes`);
  }

  /** Bounds a call, and makes its errors the contract's. */
  async #call<T>(
    operation: S3Operation, signal: AbortSignal | undefined, bytes: number, run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const limit = AbortSignal.timeout(CALL_MS + Math.ceil(bytes / SLOWEST_BYTES_PER_MS));
    try {
      return await run(signal === undefined ? limit : AbortSignal.any([signal, limit]));
    } catch (error) {
      signal?.throwIfAborted();
      if (!limit.aborted) throw s3Error(error, this.#place, operation);
      throw storageUnavailable(this.location, `to ${operation.verb} "${operation.name}" took too long`, error);
    }
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

function isNoBucket(error: unknown): boolean {
  return error instanceof Error && error.name === 'NoSuchBucket';
}
