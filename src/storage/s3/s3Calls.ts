import type { S3Client } from '@aws-sdk/client-s3';
import { checkObjectName } from '../objectName.ts';
import { storageUnavailable } from '../storageErrors.ts';
import { s3Error, type S3Operation } from './s3Errors.ts';
import type { S3Location } from './s3Location.ts';
import type { S3Object } from './s3Upload.ts';

/** A call may take so long, and as much again as its bytes need at the slowest rate: a peer that trickles is no progress. */
const CALL_MS = 120_000;
const SLOWEST_BYTES_PER_MS = 16;

/** The calls on one place in a bucket: each bounded, tried once, and with the contract's errors. */
export class S3Calls {
  readonly client: S3Client;
  readonly place: S3Location;

  constructor(client: S3Client, place: S3Location) {
    this.client = client;
    this.place = place;
  }

  get location(): string { return this.place.shown; }

  /** Throws `storage/bad-name`. */
  object(name: string): S3Object {
    checkObjectName(name);
    return { Bucket: this.place.bucket, Key: this.place.prefix + name };
  }

  /** `bytes` is about what goes over the line. */
  async run<T>(
    operation: S3Operation, signal: AbortSignal | undefined, bytes: number, work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const limit = AbortSignal.timeout(CALL_MS + Math.ceil(bytes / SLOWEST_BYTES_PER_MS));
    try {
      return await work(signal === undefined ? limit : AbortSignal.any([signal, limit]));
    } catch (error) {
      signal?.throwIfAborted();
      if (!limit.aborted) throw s3Error(error, this.place, operation);
      throw storageUnavailable(this.location, `to ${operation.verb} "${operation.name}" took too long`, error);
    }
  }
}
