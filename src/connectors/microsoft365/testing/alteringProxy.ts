import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The entries of a page as they are to be told; undefined: as they are. */
export type Alter = (url: string, entries: readonly Readonly<Record<string, unknown>>[]) => readonly Readonly<Record<string, unknown>>[] | undefined;

/** Tells changed messages as the service sometimes does: by the properties that changed alone. */
export function stripChanges(keep: readonly string[]): Alter {
  return (url, entries) => (/messages\/delta.*token=/.test(url)
    ? entries.map((entry) => ('@removed' in entry ? entry : Object.fromEntries(Object.entries(entry).filter(([name]) => keep.includes(name)))))
    : undefined);
}

/** A document that is no list, as it is to be told. */
export type AlterOne = (method: string, url: string, document: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** Stands before the simulator and tells pages of lists, and other documents, otherwise than it does. */
export async function startAlteringProxy(origin: string, alter: Alter, alterOne: AlterOne = (_method, _url, document) => document): Promise<{ readonly url: string; close(): Promise<void> }> {
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
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    const text = isJson ? Buffer.from(altered(request.method ?? 'GET', request.url ?? '', bytes.toString()).replaceAll(origin, own)) : bytes;
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' }).end(text);
  };
  const altered = (method: string, url: string, text: string): string => {
    const document = JSON.parse(text) as { value?: unknown };
    if (!Array.isArray(document.value)) return JSON.stringify(alterOne(method, url, document));
    const value = alter(url, document.value as Record<string, unknown>[]);
    return value === undefined ? text : JSON.stringify({ ...document, value });
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
