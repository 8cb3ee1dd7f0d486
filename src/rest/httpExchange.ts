import { open, rm, type FileHandle } from 'node:fs/promises';
import { networkError, timedOut, tooLarge, truncated } from './httpErrors.ts';

export interface HttpRequest {
  readonly method: string;
  /** Whole. It is never printed: it may carry tokens. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  /** The whole body; empty where it went to a file. */
  readonly bytes: Buffer;
  readonly file?: SpooledBody;
}

export interface SpooledBody {
  readonly path: string;
  readonly length: number;
  /** The first bytes, as many as are kept in memory. */
  readonly start: Buffer;
}

/** How long is waited, and how much is taken. */
export interface HttpLimits {
  /** For the connection and the headers of the answer. */
  readonly headersMs: number;
  /** For the next piece of the body. */
  readonly idleMs: number;
  /** A larger body is refused. */
  readonly mostBytes: number;
  /** A body larger than `memoryBytes` goes into the file `spool`; without these all of it stays in memory. */
  readonly memoryBytes?: number;
  readonly spool?: string;
}

/**
 * One request and its whole answer, of whatever status; redirects are not followed. Rejects with a HoldfastError where there is no answer
 * (http/unavailable, http/timeout, http/unknown-host, http/tls), or not all of it (http/truncated, http/too-large), and with the signal's reason.
 */
export async function httpExchange(request: HttpRequest, limits: HttpLimits, signal: AbortSignal): Promise<HttpReply> {
  signal.throwIfAborted();
  const where = new URL(request.url).host;
  const stop = new AbortController();
  const follow = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', follow, { once: true });
  const deadline = new Deadline(stop, where);
  try {
    deadline.set('answer', limits.headersMs);
    const { method, url, headers, body } = request;
    const response = await fetch(url, { method, headers, redirect: 'manual', signal: stop.signal, ...(body === undefined ? {} : { body }) });
    const expected = expectedLength(response.headers, method);
    if (expected !== undefined && expected > limits.mostBytes) {
      await response.body?.cancel();
      throw tooLarge(where, limits.mostBytes);
    }
    const taken = await takeBody(response, limits, where, () => deadline.set('more of its answer', limits.idleMs));
    const length = taken.file?.length ?? taken.bytes.length;
    if (expected !== undefined && length !== expected) throw truncated(where, `${length} of ${expected} bytes`);
    return { status: response.status, headers: response.headers, ...taken };
  } catch (error) {
    signal.throwIfAborted();
    throw networkError(deadline.error ?? error, where);
  } finally {
    deadline.clear();
    signal.removeEventListener('abort', follow);
  }
}

/** Length of the body as it will be read; undefined where it is not told, or told of another form. */
function expectedLength(headers: Headers, method: string): number | undefined {
  const length = headers.get('content-length');
  if (length === null || method === 'HEAD' || headers.get('content-encoding') !== null) return undefined;
  return Number(length);
}

async function takeBody(response: Response, limits: HttpLimits, where: string, onPiece: () => void): Promise<Pick<HttpReply, 'bytes' | 'file'>> {
  const taker = new BodyTaker(limits);
  try {
    if (response.body !== null) {
      for await (const piece of response.body as AsyncIterable<Uint8Array>) {
        onPiece();
        if (taker.length + piece.length > limits.mostBytes) throw tooLarge(where, limits.mostBytes);
        await taker.add(piece);
      }
    }
    return await taker.finish();
  } catch (error) {
    await taker.abandon();
    throw error;
  }
}

/** Gathers a body in memory, and in a file once it is too large for that. */
class BodyTaker {
  length = 0;
  readonly #limits: HttpLimits;
  #pieces: Uint8Array[] = [];
  #file: FileHandle | undefined;
  #start: Buffer = Buffer.alloc(0);

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  async add(piece: Uint8Array): Promise<void> {
    this.length += piece.length;
    if (this.#file !== undefined) {
      await this.#file.writeFile(piece);
      return;
    }
    this.#pieces.push(piece);
    const { memoryBytes, spool } = this.#limits;
    if (spool === undefined || memoryBytes === undefined || this.length <= memoryBytes) return;
    this.#file = await open(spool, 'w', 0o600);
    this.#start = Buffer.concat(this.#pieces);
    this.#pieces = [];
    await this.#file.writeFile(this.#start);
  }

  async finish(): Promise<Pick<HttpReply, 'bytes' | 'file'>> {
    const { spool } = this.#limits;
    if (this.#file === undefined || spool === undefined) return { bytes: Buffer.concat(this.#pieces) };
    await this.#file.close();
    return { bytes: Buffer.alloc(0), file: { path: spool, length: this.length, start: this.#start } };
  }

  async abandon(): Promise<void> {
    await this.#file?.close();
    if (this.#file !== undefined && this.#limits.spool !== undefined) await rm(this.#limits.spool, { force: true });
  }
}

/** Ends a request when its server stays silent for too long. */
class Deadline {
  error: Error | undefined;
  readonly #stop: AbortController;
  readonly #where: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(stop: AbortController, where: string) {
    this.#stop = stop;
    this.#where = where;
  }

  set(what: string, ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.error = timedOut(this.#where, what, ms);
      this.#stop.abort(this.error);
    }, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
