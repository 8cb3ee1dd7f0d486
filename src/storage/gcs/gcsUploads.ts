import { GcsPartUpload } from './gcsPartUpload.ts';
import { GcsRefusal } from './gcsRequests.ts';
import type { GcsRequests } from './gcsRequests.ts';
import { md5Of, sizeOf, slicesOf, UnfinishedUploads } from '../bucket/uploadPieces.ts';
import { storageUnavailable } from '../storageErrors.ts';
import type { Watch } from '../bucket/watchedCall.ts';

/** Larger objects go up resumably: a put that is repeated sends only what the service has not got. */
const LARGEST_SINGLE = 4 * 1024 * 1024;
const TYPE = 'application/octet-stream';

interface Session {
  readonly url: string;
  readonly md5: string;
}

/**
 * Uploads to one bucket. The service checks the MD5 that goes along before the object appears. A small object is one
 * request; a larger one a session and one request, and after a failure one more that asks how far it came.
 */
export class GcsUploads {
  readonly #path: string;
  readonly #requests: GcsRequests;
  readonly #location: string;
  readonly #sessions = new UnfinishedUploads<Session>();

  constructor(bucket: string, requests: GcsRequests, location: string) {
    this.#path = `upload/storage/v1/b/${bucket}/o`;
    this.#requests = requests;
    this.#location = location;
  }

  async write(key: string, parts: readonly Uint8Array[], watch: Watch): Promise<void> {
    const size = sizeOf(parts);
    const hash = md5Of(parts);
    if (size <= LARGEST_SINGLE) return this.#writeAtOnce(key, parts, hash, watch);
    const md5 = hash.toString('base64');
    const known = this.#sessions.get(key);
    const start = known?.md5 === md5 ? await this.#received(known, size, watch) : undefined;
    if (start === size) return this.#sessions.delete(key);
    const session = start === undefined || known === undefined ? { url: await this.#begin({ name: key, md5Hash: md5 }, size, watch), md5 } : known;
    this.#sessions.set(key, session);
    await this.#sendRest(session, parts, { start: start ?? 0, size }, watch);
    this.#sessions.delete(key);
  }

  async #writeAtOnce(key: string, parts: readonly Uint8Array[], md5: Buffer, watch: Watch): Promise<void> {
    // Bytes that hold their own hash are not found by chance.
    const boundary = `holdfast-${md5.toString('hex')}`;
    const resource = JSON.stringify({ name: key, md5Hash: md5.toString('base64') });
    const head = `--${boundary}\r\ncontent-type: application/json\r\n\r\n${resource}\r\n` +
      `--${boundary}\r\ncontent-type: ${TYPE}\r\n\r\n`;
    const answer = await this.#requests.send({
      method: 'POST', path: this.#path, query: { uploadType: 'multipart', fields: 'md5Hash' },
      headers: { 'content-type': `multipart/related; boundary=${boundary}` },
      body: [Buffer.from(head), ...parts, Buffer.from(`\r\n--${boundary}--`)], expect: [200],
    }, watch);
    await answer.arrayBuffer();
  }

  /** An object whose end is not known yet. */
  async begin(key: string, watch: Watch): Promise<GcsPartUpload> {
    return new GcsPartUpload(this.#requests, await this.#begin({ name: key }, undefined, watch), this.#location);
  }

  async #begin(resource: { name: string; md5Hash?: string }, size: number | undefined, watch: Watch): Promise<string> {
    const answer = await this.#requests.send({
      method: 'POST', path: this.#path, query: { uploadType: 'resumable' },
      headers: { 'content-type': 'application/json', 'x-upload-content-type': TYPE, ...(size !== undefined && { 'x-upload-content-length': String(size) }) },
      body: [Buffer.from(JSON.stringify(resource))], expect: [200],
    }, watch);
    await answer.arrayBuffer();
    const url = answer.headers.get('location');
    if (url === null) throw storageUnavailable(this.#location, 'the service opened no upload');
    return url;
  }

  /** How many bytes a session has; `size` when it is done; undefined when it is gone (they live for a week). */
  async #received({ url }: Session, size: number, watch: Watch): Promise<number | undefined> {
    try {
      const headers = { 'content-range': `bytes */${size}` };
      const answer = await this.#requests.send({ method: 'PUT', path: url, headers, body: [], expect: [200, 201, 308] }, watch);
      await answer.arrayBuffer();
      if (answer.status !== 308) return size;
      // No header: nothing has come yet.
      const [, last] = /^bytes=0-(\d+)$/.exec(answer.headers.get('range') ?? '') ?? [];
      return last === undefined ? 0 : Number(last) + 1;
    } catch (error) {
      if (error instanceof GcsRefusal && (error.status === 404 || error.status === 410)) return undefined;
      throw error;
    }
  }

  async #sendRest(session: Session, parts: readonly Uint8Array[], { start, size }: { start: number; size: number }, watch: Watch): Promise<void> {
    const headers = start === 0 ? {} : { 'content-range': `bytes ${start}-${size - 1}/${size}` };
    const body = slicesOf(parts, start, size);
    const answer = await this.#requests.send({ method: 'PUT', path: session.url, headers, body, expect: [200, 201] }, watch);
    await answer.arrayBuffer();
  }
}
