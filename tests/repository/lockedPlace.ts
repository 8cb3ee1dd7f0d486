import { DeleteObjectCommand, GetObjectRetentionCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { readSettings } from '../../src/runtime/index.ts';
import { listAll, openStorage, type Storage } from '../../src/storage/index.ts';
import { LockedMemoryStorage } from '../../src/storage/trial/index.ts';
import type { S3TestServer } from '../servers/s3TestServer.ts';

/** A place with object lock, and what others do there with the same keys. */
export interface LockedPlace {
  open(): Promise<Storage>;
  /** Ascending. */
  names(prefix?: string): Promise<string[]>;
  /** By name, of all objects that are shown, as the place tells it without any code of the repository; 0 for none. */
  lockEnds(prefix?: string): Promise<Map<string, number>>;
  lockEnd(name: string): Promise<number>;
  delete(names: readonly string[]): Promise<void>;
  overwrite(name: string, lockedUntil?: number): Promise<void>;
  /** Newest first. */
  versionsOf(name: string): Promise<string[]>;
}

/** A bucket of a real service. */
export class InBucket implements LockedPlace {
  readonly server: S3TestServer;
  readonly bucket: string;

  /** @param bucket made with object lock. */
  constructor(server: S3TestServer, bucket: string) {
    this.server = server;
    this.bucket = bucket;
  }

  open(): Promise<Storage> {
    return openStorage(this.server.address(this.bucket), { settings: readSettings(this.server.environment) });
  }

  names(prefix = ''): Promise<string[]> {
    return this.server.keysOf(this.bucket, prefix);
  }

  async lockEnd(name: string): Promise<number> {
    try {
      const { Retention } = await this.server.client.send(new GetObjectRetentionCommand({ Bucket: this.bucket, Key: name }));
      return Retention?.RetainUntilDate?.getTime() ?? 0;
    } catch (error) {
      if (error instanceof Error && /ObjectLockConfiguration/.test(error.name)) return 0;
      throw error;
    }
  }

  async lockEnds(prefix = ''): Promise<Map<string, number>> {
    const names = await this.names(prefix);
    return new Map(await Promise.all(names.map(async (name) => [name, await this.lockEnd(name)] as const)));
  }

  /** As `aws s3 rm` does it. */
  async delete(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.server.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: name }))));
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

/** The same in memory; its service has the clock of the test. */
export class InMemory implements LockedPlace {
  readonly #storage: LockedMemoryStorage;

  constructor(clock: { readonly time: number }) {
    this.#storage = new LockedMemoryStorage({ now: () => clock.time });
  }

  async open(): Promise<Storage> {
    return this.#storage;
  }

  async names(prefix = ''): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of listAll(this.#storage, prefix)) names.push(name);
    return names;
  }

  async lockEnd(name: string): Promise<number> {
    const [newest = ''] = await this.versionsOf(name);
    return (await this.#storage.locks.lockOf(name, newest))?.until ?? 0;
  }

  async lockEnds(prefix = ''): Promise<Map<string, number>> {
    const ends = new Map<string, number>();
    for (const name of await this.names(prefix)) ends.set(name, await this.lockEnd(name));
    return ends;
  }

  async delete(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#storage.delete(name);
  }

  async overwrite(name: string, lockedUntil?: number): Promise<void> {
    await this.#storage.put(name, [Buffer.from('something else')], lockedUntil === undefined ? {} : { lock: { mode: 'compliance', until: lockedUntil } });
  }

  async versionsOf(name: string): Promise<string[]> {
    const { objects } = await this.#storage.locks.versions(name);
    return objects.find((object) => object.name === name)?.versions.map(({ id }) => id) ?? [];
  }
}
