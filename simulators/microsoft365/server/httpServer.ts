import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { World } from '../world.ts';
import { answer } from './dispatch.ts';
import type { Fault } from './faults.ts';
import type { Reply } from './reply.ts';

/** More than any request may carry: uploads go in ranges of less than 4 MB. */
const MOST_BODY = 64 * 1024 * 1024;

/** Puts a world on a port of this machine. */
export async function listen(world: World, port: number): Promise<{ origin: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    serve(world, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  world.origin = origin;
  return { origin, close: () => closeAll(server, sockets) };
}

/** Connections that hang by a fault end here, too. */
async function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  for (const socket of sockets) socket.destroy();
  await closed;
}

async function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value ?? '']));
  const { reply, fault, entry, finish } = await answer(world, { method: request.method ?? 'GET', url: request.url ?? '/', headers, body, batched: false });
  response.once('close', finish);
  entry.responseBytes = send(world, request, response, reply, fault);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MOST_BODY) throw new Error('the body of a request is too large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Returns how many bytes of the body go out. */
function send(world: World, request: IncomingMessage, response: ServerResponse, reply: Reply, fault: Fault | undefined): number {
  if (fault?.kind === 'hang') return 0;
  if (fault?.kind === 'reset') {
    request.socket.resetAndDestroy();
    return 0;
  }
  const bytes = reply.json === undefined ? Buffer.from(reply.bytes ?? new Uint8Array()) : Buffer.from(JSON.stringify(reply.json));
  const type = reply.json === undefined ? {} : { 'Content-Type': 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8' };
  const sent = fault?.kind === 'cut' ? bytes.subarray(0, fault.bytes) : bytes;
  response.writeHead(reply.status, { Date: new Date(world.clock.now()).toUTCString(), ...type, ...reply.headers, ...(reply.status === 204 ? {} : { 'Content-Length': String(sent.length) }) });
  if (fault?.kind !== 'truncate') {
    response.end(sent);
    return sent.length;
  }
  response.write(bytes.subarray(0, fault.bytes), () => request.socket.destroy());
  return fault.bytes;
}
