import { createHash } from 'node:crypto';
import type { RemoteUpload } from '../bucket/remoteBucket.ts';
import type { Watch } from '../bucket/watchedCall.ts';
import { storageUnavailable } from '../storageErrors.ts';
import type { GcsRequests } from './gcsRequests.ts';

/**
 * An object that goes up by one resumable session, part after part; sizes of parts are multiples of 256 KiB, as the service wants them. The object
 * appears with the last part, and its MD5 is compared with that of what was sent. A session that is not finished ends after a week.
 */
export class GcsPartUpload implements RemoteUpload {
  readonly #requests: GcsRequests;
  readonly #url: string;
  readonly #location: string;
  readonly #md5 = createHash('md5');
  #hashed = 0;
  /** The last call failed: the service is asked how far it came. */
  #unsure = false;

  constructor(requests: GcsRequests, url: string, location: string) {
    this.#requests = requests;
    this.#url = url;
    this.#location = location;
  }

  async part(_number: number, bytes: Uint8Array, start: number, watch: Watch): Promise<void> {
    this.#hash(bytes, start);
    const end = start + bytes.length;
    let from = await this.#from(start, watch);
    this.#unsure = true;
    while (from < end) {
      const answer = await this.#send(bytes.subarray(from - start), `bytes ${from}-${end - 1}/*`, watch);
      await answer.arrayBuffer();
      // Less may have been kept than was sent.
      const kept = answer.status === 308 ? keptBy(answer) : end;
      if (kept <= from) throw storageUnavailable(this.#location, 'the service keeps nothing of an upload');
      from = kept;
    }
    this.#unsure = false;
  }

  async finish(_number: number, bytes: Uint8Array, start: number, watch: Watch): Promise<void> {
    this.#hash(bytes, start);
    const total = start + bytes.length;
    const from = await this.#from(start, watch);
    this.#unsure = true;
    const answer = from >= total ? await this.#send(new Uint8Array(), `bytes */${total}`, watch)
      : await this.#send(bytes.subarray(from - start), `bytes ${from}-${total - 1}/${total}`, watch);
    if (answer.status === 308) {
      await answer.arrayBuffer();
      throw storageUnavailable(this.#location, 'the service kept less of an upload than it was sent');
    }
    const { md5Hash } = await answer.json() as { md5Hash?: string };
    const sent = this.#md5.copy().digest('base64');
    if (md5Hash !== undefined && md5Hash !== sent) throw storageUnavailable(this.#location, 'what arrived there is not what was sent');
  }

  async abandon(watch: Watch): Promise<void> {
    // 499 is how the service says that the session has ended.
    const answer = await this.#requests.send({ method: 'DELETE', path: this.#url, expect: [200, 204, 404, 410, 499] }, watch);
    await answer.arrayBuffer();
  }

  #send(body: Uint8Array, range: string, watch: Watch): Promise<Response> {
    return this.#requests.send({ method: 'PUT', path: this.#url, headers: { 'content-range': range }, body: [body], expect: [200, 201, 308] }, watch);
  }

  /** Where to go on with a part that begins at `start`. */
  async #from(start: number, watch: Watch): Promise<number> {
    if (!this.#unsure) return start;
    const answer = await this.#send(new Uint8Array(), 'bytes */*', watch);
    await answer.arrayBuffer();
    return answer.status === 308 ? Math.max(start, keptBy(answer)) : Number.POSITIVE_INFINITY;
  }

  #hash(bytes: Uint8Array, start: number): void {
    if (start !== this.#hashed) return;
    this.#md5.update(bytes);
    this.#hashed += bytes.length;
  }
}

/** No header: nothing has come yet. */
function keptBy(answer: Response): number {
  const [, last] = /^bytes=0-(\d+)$/.exec(answer.headers.get('range') ?? '') ?? [];
  return last === undefined ? 0 : Number(last) + 1;
}
