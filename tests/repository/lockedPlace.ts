import { DeleteObjectCommand, GetObjectRetentionCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { readSettings } from '../../src/runtime/index.ts';
import { openStorage, type Storage } from '../../src/storage/index.ts';
import type { S3TestServer } from '../servers/s3TestServer.ts';

/** A bucket with object lock, and what others do there with the same keys. */
export class LockedPlace {
  readonly server: S3TestServer;
  readonly bucket: string;

  private constructor(server: S3TestServer, bucket: string) {
    this.server = server;
    this.bucket = bucket;
  }

  static async make(server: S3TestServer): Promise<LockedPlace> {
    return new LockedPlace(server, await server.makeBucket({ lock: true }));
  }

  get address(): string { return this.server.address(this.bucket); }

  open(): Promise<Storage> {
    return openStorage(this.address, { settings: readSettings(this.server.environment) });
  }

  names(prefix = ''): Promise<string[]> {
    return this.server.keysOf(this.bucket, prefix);
  }

  /** As the service tells it, without any code of ours; 0 for none. Of the newest version unless told. */
  async lockEnd(name: string, version?: string): Promise<number> {
    try {
      const { Retention } = await this.server.client.send(new GetObjectRetentionCommand({ Bucket: this.bucket, Key: name, ...(version !== undefined && { VersionId: version }) }));
      return Retention?.RetainUntilDate?.getTime() ?? 0;
    } catch (error) {
      if (error instanceof Error && /ObjectLockConfiguration/.test(error.name)) return 0;
      throw error;
    }
  }

  /** By name, of all objects that are shown. */
  async lockEnds(prefix = ''): Promise<Map<string, number>> {
    const ends = new Map<string, number>();
    for (const name of await this.names(prefix)) ends.set(name, await this.lockEnd(name));
    return ends;
  }

  /** As `aws s3 rm` does it. */
  async delete(name: string): Promise<void> {
    await this.server.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: name }));
  }

  async overwrite(name: string, lockedUntil?: number): Promise<void> {
    const lock = lockedUntil === undefined ? {} : { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(lockedUntil) } as const;
    await this.server.client.send(new PutObjectCommand({ Bucket: this.bucket, Key: name, Body: Buffer.from('something else'), ContentMD5: 'bHupxaFBQh4cA8uYB8l8dA==', ...lock }));
  }

  async versionsOf(name: string): Promise<string[]> {
    const { Versions = [] } = await this.server.client.send(new ListObjectVersionsCommand({ Bucket: this.bucket, Prefix: name }));
    return Versions.map(({ VersionId = '' }) => VersionId);
  }
}
