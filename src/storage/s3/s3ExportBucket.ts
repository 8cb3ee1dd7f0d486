import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand, UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Settings } from '../../runtime/index.ts';
import type { ExportBucket, PartUpload, UnfinishedUpload } from '../bucket/exportBucket.ts';
import { S3Calls } from './s3Calls.ts';
import { makeS3Client } from './s3Client.ts';
import { codeOf, statusOf } from './s3Errors.ts';
import { parseS3Location } from './s3Location.ts';
import { md5, type S3Object } from './s3Upload.ts';

/** A bucket of S3 to export to. */
export class S3ExportBucket implements ExportBucket {
  readonly location: string;
  readonly prefix: string;
  readonly #calls: S3Calls;

  private constructor(calls: S3Calls) {
    this.#calls = calls;
    this.location = calls.location;
    this.prefix = calls.place.prefix;
  }

  static async open(url: string, settings: Settings): Promise<S3ExportBucket> {
    const place = parseS3Location(url);
    return new S3ExportBucket(new S3Calls(await makeS3Client(place, settings), place));
  }

  async keys(prefix: string, page: string | undefined, signal: AbortSignal): Promise<{ keys: string[]; page: string | undefined }> {
    const command = new ListObjectsV2Command({ Bucket: this.#calls.place.bucket, Prefix: prefix, ...(page !== undefined && { ContinuationToken: page }) });
    return await this.#calls.run({ verb: 'list', name: '' }, signal, 0, async (abortSignal) => {
      const { Contents = [], NextContinuationToken } = await this.#calls.client.send(command, { abortSignal });
      return { keys: Contents.map(({ Key = '' }) => Key), page: NextContinuationToken };
    });
  }

  async put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const command = new PutObjectCommand({ ...this.#object(key), Body: bytes, ContentMD5: md5(bytes) });
    await this.#calls.run({ verb: 'write', name: key }, signal, bytes.length, async (abortSignal) => { await this.#calls.client.send(command, { abortSignal }); });
  }

  async begin(key: string, signal: AbortSignal): Promise<PartUpload> {
    const object = this.#object(key);
    return await this.#calls.run({ verb: 'write', name: key }, signal, 0, async (abortSignal) => {
      const { UploadId } = await this.#calls.client.send(new CreateMultipartUploadCommand(object), { abortSignal });
      return new S3PartUpload(this.#calls, object, UploadId);
    });
  }

  readonly unfinished = async (
    prefix: string, page: string | undefined, signal: AbortSignal,
  ): Promise<{ readonly uploads: readonly UnfinishedUpload[]; readonly page: string | undefined }> => {
    const { KeyMarker, UploadIdMarker } = page === undefined ? {} : JSON.parse(page) as UploadMarker;
    const command = new ListMultipartUploadsCommand({ Bucket: this.#calls.place.bucket, Prefix: prefix, KeyMarker, UploadIdMarker });
    return await this.#calls.run({ verb: 'list', name: '' }, signal, 0, async (abortSignal) => {
      const { Uploads = [], IsTruncated, NextKeyMarker, NextUploadIdMarker } = await this.#calls.client.send(command, { abortSignal });
      const next: UploadMarker = { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker };
      return {
        uploads: Uploads.map(({ Key = '', UploadId }) => ({ key: Key, abandon: (stop) => giveUp(this.#calls, this.#object(Key), UploadId, stop) })),
        page: IsTruncated === true && NextKeyMarker !== undefined ? JSON.stringify(next) : undefined,
      };
    });
  };

  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#calls.run({ verb: 'delete', name: key }, signal, 0, async (abortSignal) => {
      await this.#calls.client.send(new DeleteObjectCommand(this.#object(key)), { abortSignal });
    });
  }

  #object(key: string): S3Object {
    return { Bucket: this.#calls.place.bucket, Key: key };
  }
}

interface UploadMarker {
  readonly KeyMarker?: string | undefined;
  readonly UploadIdMarker?: string | undefined;
}

async function giveUp(calls: S3Calls, object: S3Object, UploadId: string | undefined, signal: AbortSignal): Promise<void> {
  const command = new AbortMultipartUploadCommand({ ...object, UploadId });
  await calls.run({ verb: 'delete', name: object.Key }, signal, 0, async (abortSignal) => {
    await calls.client.send(command, { abortSignal }).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
  });
}

class S3PartUpload implements PartUpload {
  readonly #calls: S3Calls;
  readonly #object: S3Object;
  readonly #id: string | undefined;
  readonly #tags: string[] = [];

  constructor(calls: S3Calls, object: S3Object, id: string | undefined) {
    this.#calls = calls;
    this.#object = object;
    this.#id = id;
  }

  async part(number: number, bytes: Uint8Array, _start: number, signal: AbortSignal): Promise<void> {
    const command = new UploadPartCommand({ ...this.#object, UploadId: this.#id, PartNumber: number + 1, Body: bytes, ContentMD5: md5(bytes) });
    await this.#calls.run({ verb: 'write', name: this.#object.Key }, signal, bytes.length, async (abortSignal) => {
      const { ETag = '' } = await this.#calls.client.send(command, { abortSignal });
      this.#tags[number] = ETag;
    });
  }

  async finish(number: number, bytes: Uint8Array, start: number, signal: AbortSignal): Promise<void> {
    if (this.#tags[number] === undefined) await this.part(number, bytes, start, signal);
    const Parts = this.#tags.map((ETag, i) => ({ ETag, PartNumber: i + 1 }));
    const command = new CompleteMultipartUploadCommand({ ...this.#object, UploadId: this.#id, MultipartUpload: { Parts } });
    await this.#calls.run({ verb: 'write', name: this.#object.Key }, signal, bytes.length, async (abortSignal) => {
      try {
        await this.#calls.client.send(command, { abortSignal });
      } catch (error) {
        // The reply of an earlier try may have got lost: then the upload is gone, and the object there.
        if (codeOf(error) !== 'NoSuchUpload' || !(await this.#stands(start + bytes.length, abortSignal))) throw error;
      }
    });
  }

  async abandon(signal: AbortSignal): Promise<void> {
    await giveUp(this.#calls, this.#object, this.#id, signal);
  }

  async #stands(bytes: number, abortSignal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#calls.client.send(new HeadObjectCommand(this.#object), { abortSignal })).ContentLength === bytes;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }
}
