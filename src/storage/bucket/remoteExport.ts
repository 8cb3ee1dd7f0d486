import { isHoldfastError } from '../../domain/index.ts';
import { storageUnavailable } from '../storageErrors.ts';
import type { ExportBucket, PartUpload } from './exportBucket.ts';
import type { RemoteBucket, RemoteOperation, RemoteUpload } from './remoteBucket.ts';
import { SilentServer, watchedCall, type Watch } from './watchedCall.ts';

const QUIET_MS = 60_000;
const PAGE = 1000;

/** A {@link RemoteBucket} to export to. */
export class RemoteExport implements ExportBucket {
  readonly location: string;
  readonly prefix: string;
  /** Blocks and sessions end after a week. */
  readonly unfinished = undefined;
  readonly #bucket: RemoteBucket;

  /** `prefix` without '/' at either end; may be empty. */
  constructor(bucket: RemoteBucket, prefix: string) {
    this.#bucket = bucket;
    this.prefix = prefix === '' ? '' : `${prefix}/`;
    this.location = bucket.location;
  }

  keys(prefix: string, page: string | undefined, signal: AbortSignal): Promise<{ keys: string[]; page: string | undefined }> {
    return this.call({ verb: 'list', name: '' }, signal, async (watch) => {
      const listed = await this.#bucket.list({ prefix, from: undefined, limit: PAGE, page }, watch);
      return { keys: listed.keys.map(({ key }) => key), page: listed.page };
    });
  }

  put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.call({ verb: 'write', name: key }, signal, (watch) => this.#bucket.write(key, [bytes], watch));
  }

  async begin(key: string, signal: AbortSignal): Promise<PartUpload> {
    const upload = await this.call({ verb: 'write', name: key }, signal, (watch) => this.#bucket.begin(key, watch));
    return new RemotePartUpload(this, key, upload);
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.call({ verb: 'delete', name: key }, signal, (watch) => this.#bucket.remove(key, watch));
  }

  async call<T>(operation: RemoteOperation, signal: AbortSignal, work: (watch: Watch) => Promise<T>): Promise<T> {
    try {
      return await watchedCall(QUIET_MS, signal, work);
    } catch (error) {
      if (signal.aborted || isHoldfastError(error)) throw error;
      if (error instanceof SilentServer) throw storageUnavailable(this.location, error.message, error);
      throw this.#bucket.explain(error, operation);
    }
  }
}

class RemotePartUpload implements PartUpload {
  readonly #at: RemoteExport;
  readonly #key: string;
  readonly #upload: RemoteUpload;

  constructor(at: RemoteExport, key: string, upload: RemoteUpload) {
    this.#at = at;
    this.#key = key;
    this.#upload = upload;
  }

  part(number: number, bytes: Uint8Array, start: number, signal: AbortSignal): Promise<void> {
    return this.#call(signal, (watch) => this.#upload.part(number, bytes, start, watch));
  }

  finish(number: number, bytes: Uint8Array, start: number, signal: AbortSignal): Promise<void> {
    return this.#call(signal, (watch) => this.#upload.finish(number, bytes, start, watch));
  }

  abandon(signal: AbortSignal): Promise<void> {
    return this.#call(signal, (watch) => this.#upload.abandon(watch));
  }

  #call(signal: AbortSignal, work: (watch: Watch) => Promise<void>): Promise<void> {
    return this.#at.call({ verb: 'write', name: this.#key }, signal, work);
  }
}
