import {
  CreateBucketCommand, DeleteObjectCommand, ListBucketsCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client,
} from '@aws-sdk/client-s3';

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface Options {
  readonly host: string;
  readonly port: number;
  readonly region: string;
  readonly keys: S3Keys;
  readonly stop: () => Promise<void>;
}

/** A running S3 service, and what tests do with it beside the product's own client. */
export class S3TestServer {
  readonly host: string;
  readonly port: number;
  readonly region: string;
  readonly keys: S3Keys;
  readonly client: S3Client;
  readonly #stop: () => Promise<void>;
  #buckets = 0;

  constructor({ host, port, region, keys, stop }: Options) {
    this.host = host;
    this.port = port;
    this.region = region;
    this.keys = keys;
    this.#stop = stop;
    this.client = new S3Client({
      endpoint: this.endpoint, region, credentials: keys, forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  get endpoint(): string {
    return `http://${this.host}:${this.port}`;
  }

  /** The keys as environment variables. */
  get environment(): Record<string, string> {
    const { accessKeyId, secretAccessKey, sessionToken } = this.keys;
    return {
      AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey,
      ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
    };
  }

  async answers(): Promise<boolean> {
    const reply = await fetch(this.endpoint, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    await reply?.body?.cancel();
    return reply !== undefined && reply.status < 500;
  }

  /** Whether all that is behind the door is up, too. */
  async lists(): Promise<boolean> {
    return await this.client.send(new ListBucketsCommand({})).then(() => true, () => false);
  }

  /** `lock`: with versions and object lock. */
  async makeBucket({ lock = false } = {}): Promise<string> {
    const bucket = `bucket-${++this.#buckets}-${process.pid}`;
    await this.client.send(new CreateBucketCommand({ Bucket: bucket, ...(lock && { ObjectLockEnabledForBucket: true }) }));
    return bucket;
  }

  /** An address of a place in a bucket; `endpoint` where something stands before the server. */
  address(bucket: string, prefix = '', endpoint = this.endpoint): string {
    return `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}?endpoint=${endpoint}&region=${this.region}`;
  }

  async keysOf(bucket: string, prefix = ''): Promise<string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }));
      keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return keys;
  }

  /** Uploads that were begun, and neither finished nor given up. */
  async unfinished(bucket: string): Promise<number> {
    return (await this.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
  }

  async empty(bucket: string, prefix = ''): Promise<void> {
    for (const key of await this.keysOf(bucket, prefix)) await this.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.#stop();
  }
}
