import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before the simulator and tells changed messages as the service sometimes does: by the properties that changed alone. */
export async function startStrippingProxy(origin: string, keep: readonly string[]): Promise<{ readonly url: string; close(): Promise<void> }> {
  let own = '';
  const server = createServer((request, response) => {
    forward(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name)));
    // The scope that is signed in for names the simulator.
    const body = parts.length === 0 ? {} : { body: Buffer.concat(parts).toString().replaceAll(encodeURIComponent(own), encodeURIComponent(origin)) };
    const answer = await fetch(`${origin}${request.url}`, { method: request.method ?? 'GET', headers: headers as Record<string, string>, ...body });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isRound = /messages\/delta.*token=/.test(request.url ?? '');
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    const text = isJson ? Buffer.from(strip(bytes.toString(), isRound).replaceAll(origin, own)) : bytes;
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' }).end(text);
  };
  const strip = (text: string, isRound: boolean): string => {
    if (!isRound) return text;
    const document = JSON.parse(text) as { value?: Record<string, unknown>[] };
    const value = document.value?.map((entry) => ('@removed' in entry ? entry : Object.fromEntries(Object.entries(entry).filter(([name]) => keep.includes(name)))));
    return JSON.stringify({ ...document, ...(value === undefined ? {} : { value }) });
  };
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: own,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => { server.close(() => resolve()); });
    },
  };
}
