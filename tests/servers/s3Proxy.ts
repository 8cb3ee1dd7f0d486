import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { TestCertificates } from './testCertificates.ts';

/** What a request asks of an S3 service. `begin`, `part`, `finish`, `give-up`: of an upload in parts. */
export type S3Request = 'get' | 'head' | 'list' | 'put' | 'begin' | 'part' | 'finish' | 'give-up' | 'delete' | 'other';

/**
 * What goes wrong. `reply`: an error of the service, which does not hear of the request. `reset`: the connection breaks
 * before the service hears of it. `lost-reply`: it breaks once the service has done it. `cut`: after so many bytes of the
 * reply's body. `stall`: nothing comes any more after so many bytes, and the connection stands. `slow`: each piece waits.
 */
export type S3Fault =
  | { readonly kind: 'reply'; readonly status: number; readonly code: string; readonly headers?: Record<string, string>; readonly elements?: string }
  | { readonly kind: 'reset' } | { readonly kind: 'lost-reply' }
  | { readonly kind: 'cut' | 'stall'; readonly after: number }
  | { readonly kind: 'slow'; readonly ms: number };

/** Decides for each request, by its kind and key, what goes wrong; undefined: nothing. */
export type S3FaultScript = (kind: S3Request, path: string) => S3Fault | undefined;

export const SLOW_DOWN: S3Fault = { kind: 'reply', status: 503, code: 'SlowDown' };

/** Stands between client and S3 service, counts the requests and breaks some. */
export class S3Proxy {
  readonly endpoint: string;
  /** Requests by kind since the last {@link reset}, failed ones included. */
  readonly counts = new Map<S3Request, number>();
  /** Faults that struck, by kind. */
  readonly struck = new Map<S3Fault['kind'], number>();
  script: S3FaultScript = () => undefined;
  /** Set: each listing is answered with what the first one of the same question gave. */
  staleLists: Map<string, string> | undefined;
  readonly #server: ReturnType<typeof createServer>;
  readonly #to: { host: string; port: number };
  readonly #stopping = new AbortController();
  readonly #stalled = Promise.withResolvers<void>();

  private constructor(server: ReturnType<typeof createServer>, endpoint: string, to: { host: string; port: number }) {
    this.#server = server;
    this.#to = to;
    this.endpoint = endpoint;
    server.on('request', (asked: IncomingMessage, reply: ServerResponse) => {
      this.#handle(asked, reply).catch(() => reply.destroy());
    });
  }

  /** With `certificates` clients speak TLS to it. */
  static async start(to: { host: string; port: number }, certificates?: TestCertificates): Promise<S3Proxy> {
    const server = certificates === undefined ? createServer()
      : createTlsServer({ cert: await readFile(certificates.certFile), key: await readFile(certificates.keyFile) });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    return new S3Proxy(server, `${certificates === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, to);
  }

  /** Resolves once a reply has stalled. */
  get stalled(): Promise<void> {
    return this.#stalled.promise;
  }

  get requests(): number {
    return [...this.counts.values()].reduce((sum, n) => sum + n, 0);
  }

  /** Counts from zero, and breaks nothing. */
  reset(): void {
    this.counts.clear();
    this.struck.clear();
    this.script = () => undefined;
    this.staleLists = undefined;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
    const kind = kindOf(asked);
    const fault = this.#note(kind, (asked.url ?? '').split('?')[0] ?? '');
    if (fault?.kind === 'reset') asked.socket.destroy();
    else if (fault?.kind === 'reply') await this.#refuse(asked, reply, fault);
    else if (fault?.kind === 'lost-reply') {
      // The service has done it all once its reply has ended.
      await (await this.#forward(asked)).toArray();
      asked.socket.destroy();
    } else await this.#answer(kind, asked, reply, fault);
  }

  #note(kind: S3Request, path: string): S3Fault | undefined {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const fault = this.script(kind, path);
    if (fault !== undefined) this.struck.set(fault.kind, (this.struck.get(fault.kind) ?? 0) + 1);
    return fault;
  }

  async #answer(kind: S3Request, asked: IncomingMessage, reply: ServerResponse, fault: S3Fault | undefined): Promise<void> {
    const answer = await this.#forward(asked);
    if (kind === 'list' && this.staleLists !== undefined) {
      reply.setHeader('content-type', 'application/xml').end(await firstOf(this.staleLists, asked.url ?? '', answer));
      return;
    }
    reply.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    await this.#giveBack(answer, reply, fault);
  }

  async #refuse(asked: IncomingMessage, reply: ServerResponse, fault: S3Fault & { kind: 'reply' }): Promise<void> {
    // A client that still sends would see a broken connection instead of the reply.
    await asked.toArray();
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${fault.code}</Code><Message>Scripted.</Message>${fault.elements ?? ''}</Error>`;
    reply.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers });
    reply.end(asked.method === 'HEAD' ? undefined : body);
  }

  #forward(asked: IncomingMessage): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      // The host header stays: it is part of the signature.
      const passed = request({ ...this.#to, method: asked.method, path: asked.url, headers: asked.headers, setHost: false, agent: false }, resolve);
      passed.on('error', reject);
      asked.on('error', reject);
      asked.on('close', () => {
        if (!asked.complete) passed.destroy();
      });
      asked.pipe(passed);
    });
  }

  async #giveBack(answer: IncomingMessage, reply: ServerResponse, fault: S3Fault | undefined): Promise<void> {
    let sent = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (fault?.kind === 'slow') await wait(fault.ms, undefined, { signal: this.#stopping.signal });
      const room = fault?.kind === 'cut' || fault?.kind === 'stall' ? Math.max(0, fault.after - sent) : chunk.length;
      sent += chunk.length;
      if (!reply.write(chunk.subarray(0, room))) {
        await writable(reply);
      }
      if (room >= chunk.length) continue;
      if (fault?.kind === 'cut') reply.socket?.destroySoon();
      else await this.#stall(reply);
      return;
    }
    if (fault?.kind === 'stall') await this.#stall(reply);
    reply.end();
  }

  async #stall(reply: ServerResponse): Promise<void> {
    this.#stalled.resolve();
    await new Promise((resolve) => reply.once('close', resolve));
  }
}

async function firstOf(known: Map<string, string>, question: string, answer: IncomingMessage): Promise<string> {
  const text = (await answer.setEncoding('utf8').toArray()).join('');
  if (!known.has(question)) known.set(question, text);
  return known.get(question) ?? text;
}

/** Until there is room again, or nobody listens any more. */
async function writable(reply: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of ['drain', 'close']) reply.once(event, resolve);
  await promise;
  for (const event of ['drain', 'close']) reply.off(event, resolve);
}

function kindOf({ method, url = '' }: IncomingMessage): S3Request {
  const { pathname, searchParams } = new URL(url, 'http://host');
  const upload = searchParams.has('uploadId');
  switch (method) {
    case 'GET': return searchParams.has('list-type') ? 'list' : pathname.lastIndexOf('/') > 0 ? 'get' : 'other';
    case 'HEAD': return 'head';
    case 'PUT': return upload ? 'part' : 'put';
    case 'POST': return upload ? 'finish' : searchParams.has('uploads') ? 'begin' : 'other';
    case 'DELETE': return upload ? 'give-up' : 'delete';
    default: return 'other';
  }
}
