import { readSettings, systemRandom } from '../../src/runtime/index.ts';
import { openStorage, RetryingStorage, type Storage } from '../../src/storage/index.ts';
import type { S3TestServer } from '../servers/s3TestServer.ts';
import type { Place } from './fixture.ts';

/** Storages in a bucket, each below a prefix of its own, with retries as the command line has them; `endpoint` where a proxy stands before the server. */
export class S3Place implements Place {
  readonly #server: S3TestServer;
  readonly #bucket: string;
  readonly #endpoint: string;
  #made = 0;

  constructor(server: S3TestServer, bucket: string, endpoint = server.endpoint) {
    this.#server = server;
    this.#bucket = bucket;
    this.#endpoint = endpoint;
  }

  /** An address that no other call gives. */
  address(): string {
    return this.#server.address(this.#bucket, `place-${++this.#made}`, this.#endpoint);
  }

  async fresh(): Promise<Storage> {
    return new RetryingStorage(await this.open(this.address()), { random: systemRandom });
  }

  open(address: string): Promise<Storage> {
    return openStorage(address, { settings: readSettings(this.#server.environment) });
  }
}
