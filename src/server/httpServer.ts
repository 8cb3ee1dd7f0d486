import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { refusalOf, type Incoming, type Serve } from '../api/index.ts';
import { HoldfastError, messageOf } from '../domain/index.ts';
import type { Logger } from '../runtime/index.ts';

const MOST_BODY_BYTES = 1_048_576;
const MOST_SWALLOWED_BYTES = 16 * MOST_BODY_BYTES;
const MOST_HEADER_BYTES = 16_384;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const HEADERS_MS = 15_000;
const REQUEST_MS = 60_000;
const IDLE_MS = 65_000;
/** Answers that are under way get so long when the service ends. */
const DRAIN_MS = 20_000;
const SWEEP_MS = 50;

/** A server that turns requests into those of the fetch standard and back. Nothing here knows a route. */
export class HttpServer {
  /** undefined: the service is still starting. */
  #serve: Serve | undefined;
  readonly #server: Server;
  readonly #log: Logger;
  /** Requests are given their address here: who asks has no say in the host. */
  #base = 'http://localhost';

  constructor(log: Logger) {
    this.#log = log;
    this.#server = createServer({ maxHeaderSize: MOST_HEADER_BYTES, headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        log.warn('answer broke off', { error: messageOf(error) });
        response.destroy();
      });
    });
  }

  /** Gives the port. Errors: `server/cannot-listen`. */
  async listen(host: string, port: number): Promise<number> {
    this.#server.listen(port, host);
    try {
      await once(this.#server, 'listening');
    } catch (cause) {
      throw new HoldfastError('server/cannot-listen', 'input',
        `The service cannot listen on ${host}:${port} (${messageOf(cause)}). Choose another port with --port, or end what uses it.`, { cause });
    }
    return (this.#server.address() as AddressInfo).port;
  }

  get listening(): boolean { return this.#server.listening; }

  begin(serve: Serve, publicUrl: string): void {
    this.#base = publicUrl;
    this.#serve = serve;
  }

  /** Takes no more connections, and gives answers that are under way some time. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    // A connection is idle once its answer is out, and would be kept for the next request.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), SWEEP_MS);
    const limit = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MS);
    await closed;
    clearInterval(sweep);
    clearTimeout(limit);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    let answer: Response;
    try {
      answer = this.#serve === undefined ? starting(request) : await this.#serve(await incoming(request, this.#base, gone.signal));
    } catch (error) {
      // Only what is no request yet comes here: a broken address, a body that is too large or breaks off.
      answer = refused(error);
    }
    if (!this.#server.listening) answer.headers.set('connection', 'close');
    await send(answer, response, request.method === 'HEAD', gone.signal, this.#log);
  }
}

async function incoming(request: IncomingMessage, base: string, gone: AbortSignal): Promise<Incoming> {
  const { method = 'GET', url = '/' } = request;
  // The fetch standard knows no TRACE and no CONNECT.
  if (!METHODS.has(method)) throw new HoldfastError('api/wrong-method', 'input', 'No address of this service takes this method.');
  const peer = request.socket.remoteAddress ?? '';
  const headers = new Headers();
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) headers.append(request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? '');
  const body = await readBody(request);
  // Never resolved against the base: "//elsewhere" is a path too.
  const address = URL.parse(new URL(base).origin + (url.startsWith('/') ? url : '/'));
  if (address === null || !url.startsWith('/')) throw new HoldfastError('api/invalid', 'input', 'The address of the request is broken.');
  const hasBody = body.length > 0;
  const withBody = hasBody && method !== 'GET' && method !== 'HEAD';
  return { request: new Request(address, { method, headers, ...(withBody && { body }) }), hasBody, peer, gone };
}

/**
 * All of the body, or `api/too-large`. One that is not much too large is read to its end all the same, and thrown away: who is
 * still sending when the connection ends does not get the answer.
 */
function readBody(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    const tooLarge = (): void => reject(new HoldfastError('api/too-large', 'input', `The body is too large; ${MOST_BODY_BYTES / 1024} KiB are taken.`));
    if (Number(request.headers['content-length'] ?? 0) > MOST_SWALLOWED_BYTES) tooLarge();
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MOST_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
      if (length > MOST_SWALLOWED_BYTES) tooLarge();
    });
    request.once('error', reject);
    request.once('end', () => (length > MOST_BODY_BYTES ? tooLarge() : resolve(Uint8Array.from(Buffer.concat(chunks)))));
  });
}

function refused(error: unknown): Response {
  const { problem, headers } = refusalOf(error, 'none');
  return Response.json(problem, { status: problem.status, headers: { ...headers, 'content-type': 'application/problem+json', connection: 'close' } });
}

function starting({ url }: IncomingMessage): Response {
  if (url === '/healthz') return new Response('ok\n');
  return refused(new HoldfastError('api/starting', 'retry', 'The service is starting. Try again in some seconds.'));
}

async function send(answer: Response, response: ServerResponse, headOnly: boolean, gone: AbortSignal, log: Logger): Promise<void> {
  const headers: [string, string | string[]][] = [...answer.headers].filter(([name]) => name !== 'set-cookie');
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) headers.push(['set-cookie', cookies]);
  response.writeHead(answer.status, Object.fromEntries(headers));
  if (answer.body === null || headOnly) {
    await answer.body?.cancel();
    response.end();
    return;
  }
  response.flushHeaders();
  try {
    await pipeline(Readable.fromWeb(answer.body as never), response);
  } catch (error) {
    if (!gone.aborted) log.warn('answer broke off', { error: messageOf(error) });
  }
}
