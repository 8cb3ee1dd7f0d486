import { DeleteObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Settings } from '../../runtime/index.ts';
import { checkRange } from '../byteRange.ts';
import type { ListPage, ObjectInfo, PutOptions, Range, Storage } from '../contract.ts';
import { pageLimit } from '../listPage.ts';
import { checkPrefix, isObjectName } from '../objectName.ts';
import { objectNotFound, storageUnavailable } from '../storageErrors.ts';
import { S3Calls } from './s3Calls.ts';
import { makeS3Client, type S3Timing } from './s3Client.ts';
import { statusOf } from './s3Errors.ts';
import { getBytes, UNKNOWN_BYTES } from './s3Get.ts';
import { parseS3Location } from './s3Location.ts';
import { S3Locks } from './s3Locks.ts';
import { S3Service } from './s3Service.ts';
import { upload } from './s3Upload.ts';

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
  readonly locks: S3Locks;
  readonly #calls: S3Calls;
  readonly #service: S3Service;

  private constructor(calls: S3Calls) {
    this.#calls = calls;
    this.#service = new S3Service(calls.client, calls.place);
    this.location = calls.location;
    this.locks = new S3Locks(calls);
  }

  /** Opens without writing; asks for one name, so that a wrong bucket, region or key is told here. */
  static async open(url: string, settings: Settings, timing?: S3Timing): Promise<S3Storage> {
    const place = parseS3Location(url);
    const storage = new S3Storage(new S3Calls(await makeS3Client(place, settings, timing), place));
    await storage.list('', { limit: 1 });
    return storage;
  }

  /** Known once a reply has come, which opening waits for. */
  get listing(): 'unproved' | 'late' | undefined { return this.#service.listing; }

  async get(name: string, options: { range?: Range; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    const { range, signal } = options;
    checkRange(range);
    return await this.#calls.run({ verb: 'read', name }, signal, range?.length ?? UNKNOWN_BYTES, async (abortSignal) =>
      (range?.length === 0 ? await this.#nothing(name, abortSignal) : await getBytes(this.#calls, this.#calls.object(name), range, abortSignal)));
  }

  async put(name: string, parts: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    const { signal, lock } = options;
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const put = this.#calls.run({ verb: 'write', name }, signal, size, (abortSignal) =>
      upload(this.#calls.client, { ...this.#calls.object(name), ...(lock && { lock }) }, parts, size, abortSignal));
    if (lock) await this.locks.ensure(name, await put.catch((error: unknown) => this.locks.explain(error, signal)), lock, signal);
    else await put;
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
    await this.#calls.run({ verb: 'delete', name }, options.signal, 0, async (abortSignal) => {
      const command = new DeleteObjectCommand(this.#calls.object(name));
      await this.#calls.client.send(command, { abortSignal }).catch((error: unknown) => {
        // Some services tell that it was not there.
        if (statusOf(error) !== 404 || isNoBucket(error)) throw error;
      });
    });
  }

  async stat(name: string, options: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    return await this.#calls.run({ verb: 'look at', name }, options.signal, 0, async (abortSignal) => {
      try {
        const { ContentLength } = await this.#calls.client.send(new HeadObjectCommand(this.#calls.object(name)), { abortSignal });
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
    const { prefix: folder, bucket } = this.#calls.place;
    const start = from.after === undefined ? '' : folder + from.after;
    const command = new ListObjectsV2Command({
      Bucket: bucket, Prefix: folder + prefix, MaxKeys: from.limit,
      ...(start !== '' && { StartAfter: start }), ...(from.token !== undefined && { ContinuationToken: from.token }),
    });
    return await this.#calls.run({ verb: 'list', name: prefix }, signal, 0, async (abortSignal) => {
      const { Contents = [], IsTruncated: more = false, NextContinuationToken: token } = await this.#calls.client.send(command, { abortSignal });
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
}

function isNoBucket(error: unknown): boolean {
  return error instanceof Error && error.name === 'NoSuchBucket';
}
