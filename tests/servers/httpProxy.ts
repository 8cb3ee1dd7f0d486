import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came in. */
export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  /** Bytes of its body that have come so far. */
  bytes: number;
}

/** What happens to a request in place of being passed on: an answer, or a connection that breaks or stays silent. */
export type Meddling = { status: number; headers?: Record<string, string>; body?: string } | 'cut' | 'silence';

export interface HttpProxy {
  readonly endpoint: string;
  /** All requests, oldest first; may be emptied. */
  readonly seen: SeenRequest[];
  /** How many were made so far. */
  connections: number;
  /** Asked for each request; undefined passes it on. */
  meddle: (seen: SeenRequest) => Meddling | undefined;
  stop(): Promise<void>;
}

/** Stands before the HTTP server at `target` (an URL, whose path is kept), sees every request, and can spoil some. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const { port, hostname, pathname } = new URL(target);
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const one: SeenRequest = {
      method: incoming.method ?? '', url: new URL(incoming.url ?? '', 'http://proxy'), headers: incoming.headers, bytes: 0,
    };
    seen.push(one);
    incoming.on('data', (chunk: Buffer) => {
      one.bytes += chunk.length;
    });
    const meddling = proxy.meddle(one);
    if (meddling !== undefined) spoil(meddling, incoming, outgoing);
    else passOn({ hostname, port }, incoming, outgoing);
  });
  server.on('connection', () => {
    proxy.connections++;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const proxy: HttpProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname.replace(/\/$/, '')}`,
    seen,
    connections: 0,
    meddle: () => undefined,
    stop: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
  return proxy;
}

function spoil(meddling: Meddling, incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (meddling === 'cut') {
    incoming.socket.destroy();
    return;
  }
  incoming.resume();
  if (meddling === 'silence') return;
  incoming.once('end', () => {
    outgoing.writeHead(meddling.status, meddling.headers);
    outgoing.end(meddling.body);
  });
}

function passOn(to: { hostname: string; port: string }, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url, headers } = incoming;
  const onward = request({ ...to, method, path: url, headers, agent: false }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
    answer.once('error', () => outgoing.destroy());
  });
  onward.once('error', () => outgoing.destroy());
  outgoing.once('close', () => onward.destroy());
  incoming.pipe(onward);
}
