import { ReadableStream } from 'node:stream/web';
import { piecesOf, sizeOf } from '../bucket/uploadPieces.ts';
import type { Watch } from '../bucket/watchedCall.ts';

/** Gives the headers that sign a request in; empty where there is nothing to sign in to. */
export type SignIn = () => Promise<Headers>;

/** An answer that is none of those that the caller asked for. */
export class GcsRefusal extends Error {
  readonly status: number;
  /** The service's word for it, like "rateLimitExceeded"; '' where the answer had none. */
  readonly reason: string;
  readonly headers: Headers;

  constructor(status: number, reason: string, headers: Headers) {
    super(`${status} ${reason}`.trimEnd());
    this.name = 'GcsRefusal';
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }
}

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the endpoint on, or the whole address of an upload. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  /** Statuses that are an answer. */
  readonly expect: readonly number[];
}

/** The JSON API of Cloud Storage: one request at a time, tried once. */
export class GcsRequests {
  readonly #endpoint: string;
  readonly #signIn: SignIn;

  constructor(endpoint: string, signIn: SignIn) {
    this.#endpoint = endpoint;
    this.#signIn = signIn;
  }

  /**
   * Rejects with {@link GcsRefusal} for other statuses than the expected. The caller reads the body of the answer to its end, or its
   * connection is not used again.
   */
  async send(request: GcsRequest, watch: Watch): Promise<Response> {
    const headers = new Headers(await this.#signIn());
    for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name, value);
    const url = new URL(request.path, `${this.#endpoint}/`);
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    const answer = await fetch(url, {
      method: request.method,
      headers,
      signal: watch.signal,
      // 308 means "go on with the upload" here.
      redirect: 'manual',
      ...(request.body && bodyOf(request.body, headers, watch)),
    });
    watch.progress();
    if (request.expect.includes(answer.status)) return answer;
    throw new GcsRefusal(answer.status, reasonOf(await answer.text()), answer.headers);
  }
}

function bodyOf(parts: readonly Uint8Array[], headers: Headers, watch: Watch): Pick<RequestInit, 'body' | 'duplex'> {
  headers.set('content-length', String(sizeOf(parts)));
  return { body: ReadableStream.from(piecesOf(parts, watch)), duplex: 'half' };
}

/** `{error: {errors: [{reason}]}}` in most answers; media requests and proxies answer in plain text. */
function reasonOf(text: string): string {
  try {
    const parsed = JSON.parse(text) as { error?: { errors?: { reason?: unknown }[] } } | null;
    const reason = parsed?.error?.errors?.[0]?.reason;
    return typeof reason === 'string' && /^\w{1,60}$/.test(reason) ? reason : '';
  } catch {
    return '';
  }
}
