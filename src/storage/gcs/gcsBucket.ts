import { Readable } from 'node:stream';
import type { Clock } from '../../runtime/index.ts';
import { gcsError } from './gcsErrors.ts';
import { GcsRefusal } from './gcsRequests.ts';
import type { GcsRequests } from './gcsRequests.ts';
import { GcsUploads } from './gcsUploads.ts';
import { noBucket } from '../bucket/bucketErrors.ts';
import type { KeyPage, KeyQuery, ObjectState, RemoteBucket, RemoteOperation, RemoteUpload, Span } from '../bucket/remoteBucket.ts';
import { collectBody } from '../bucket/watchedCall.ts';
import type { Watch } from '../bucket/watchedCall.ts';

interface Resource {
  readonly name?: string;
  /** A number as text, as `generation` is. */
  readonly size?: string;
  readonly generation?: string;
}

/**
 * A bucket of Google Cloud Storage, over its JSON API.
 *
 * An object that is missing and a bucket that is missing both answer 404, so the first missing object of a run costs
 * one more request, which looks whether the bucket is there.
 */
export class GcsBucket implements RemoteBucket {
  readonly location: string;
  readonly #requests: GcsRequests;
  readonly #objects: string;
  readonly #clock: Clock;
  readonly #uploads: GcsUploads;
  #seen = false;

  constructor(bucket: string, requests: GcsRequests, { location, clock }: { location: string; clock: Clock }) {
    this.location = location;
    this.#requests = requests;
    this.#objects = `storage/v1/b/${bucket}/o`;
    this.#clock = clock;
    this.#uploads = new GcsUploads(bucket, requests, location);
  }

  read(key: string, span: Span | undefined, watch: Watch): Promise<Uint8Array> {
    if (span === undefined) return this.#media(key, {}, undefined, watch);
    const query = span.version === undefined ? {} : { ifGenerationMatch: span.version };
    const cut = (whole: Uint8Array): Uint8Array => whole.slice(span.start, span.end);
    return this.#media(key, query, { header: `bytes=${span.start}-${span.end - 1}`, cut }, watch);
  }

  readonly readEnd = (key: string, length: number, watch: Watch): Promise<Uint8Array> => {
    const cut = (whole: Uint8Array): Uint8Array => whole.slice(Math.max(0, whole.length - length));
    return this.#media(key, {}, { header: `bytes=-${length}`, cut }, watch);
  };

  async look(key: string, watch: Watch): Promise<ObjectState | undefined> {
    const query = { fields: 'size,generation' };
    const answer = await this.#requests.send({ method: 'GET', path: this.#object(key), query, expect: [200, 404] }, watch);
    if (answer.status === 404) {
      await answer.arrayBuffer();
      await this.#mustBeThere(watch);
      return undefined;
    }
    const found = await answer.json() as Resource;
    this.#seen = true;
    return { size: Number(found.size), version: found.generation ?? '' };
  }

  async write(key: string, parts: readonly Uint8Array[], watch: Watch): Promise<void> {
    await this.#uploads.write(key, parts, watch);
    this.#seen = true;
  }

  begin(key: string, watch: Watch): Promise<RemoteUpload> {
    return this.#uploads.begin(key, watch);
  }

  async list({ prefix, from, limit, page }: KeyQuery, watch: Watch): Promise<KeyPage> {
    const query = {
      prefix, maxResults: String(limit), fields: 'items(name,size),nextPageToken',
      ...(from !== undefined && { startOffset: from }), ...(page !== undefined && { pageToken: page }),
    };
    const answer = await this.#requests.send({ method: 'GET', path: this.#objects, query, expect: [200] }, watch);
    const { items = [], nextPageToken } = await answer.json() as { items?: Resource[]; nextPageToken?: string };
    this.#seen = true;
    return { keys: items.map(({ name = '', size }) => ({ key: name, size: Number(size) })), page: nextPageToken || undefined };
  }

  async remove(key: string, watch: Watch): Promise<void> {
    const answer = await this.#requests.send({ method: 'DELETE', path: this.#object(key), expect: [200, 204, 404] }, watch);
    await answer.arrayBuffer();
    if (answer.status === 404) await this.#mustBeThere(watch);
  }

  explain(error: unknown, operation: RemoteOperation): unknown {
    return gcsError(error, operation, { location: this.location, now: this.#clock.now() });
  }

  #object(key: string): string {
    return `${this.#objects}/${encodeURIComponent(key)}`;
  }

  /** A server may give the whole object where it was asked for a part (RFC 9110, 14.2): then `cut` takes it. */
  async #media(
    key: string,
    query: Record<string, string>,
    part: { header: string; cut: (whole: Uint8Array) => Uint8Array } | undefined,
    watch: Watch,
  ): Promise<Uint8Array> {
    const answer = await this.#requests.send({
      method: 'GET', path: this.#object(key), query: { ...query, alt: 'media' },
      ...(part && { headers: { range: part.header } }), expect: [200, 206, 404, 416],
    }, watch);
    const bytes = await collectBody(answer.body ?? Readable.from([]), watch);
    if (answer.status === 404) {
      await this.#mustBeThere(watch);
      throw new GcsRefusal(404, 'notFound', answer.headers);
    }
    this.#seen = true;
    if (answer.status === 416) return new Uint8Array();
    return answer.status === 200 && part ? part.cut(bytes) : bytes;
  }

  /** Tells a missing bucket from a missing object, until the bucket has been seen. */
  async #mustBeThere(watch: Watch): Promise<void> {
    if (this.#seen) return;
    try {
      await this.list({ prefix: '', from: undefined, limit: 1, page: undefined }, watch);
    } catch (error) {
      if (error instanceof GcsRefusal && error.status === 404) throw noBucket(this.location, 'bucket', error);
      throw error;
    }
  }
}
