import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { httpExchange } from './httpExchange.ts';
import { retryAfterMs } from './retryAfter.ts';

const LIMITS = { headersMs: 20_000, idleMs: 20_000, mostBytes: 10_000_000 };
const { signal } = new AbortController();

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x?secret=hidden`;
}

const get = (url: string): { method: string; url: string; headers: Record<string, string> } => ({ method: 'GET', url, headers: {} });

test('gives status, headers and the whole body, and follows no redirect', async () => {
  const url = await serve((_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end('elsewhere'));
  const reply = await httpExchange(get(url), LIMITS, signal);
  expect([reply.status, reply.bytes.toString()]).toEqual([302, 'elsewhere']);
});

test.each([
  ['ends too early', (length: number): RequestListener => (_request, response) => {
    response.writeHead(200, { 'content-length': length });
    response.write('a'.repeat(length - 1), () => response.destroy());
  }],
  ['ends without its last chunk', (): RequestListener => (_request, response) => {
    response.writeHead(200);
    response.write('abc', () => response.destroy());
  }],
])('a body that %s is an error that is worth a repetition, and names no more than the host', async (_name, listener) => {
  const url = await serve(listener(100_000));
  const error: unknown = await httpExchange(get(url), LIMITS, signal).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ retryClass: 'retry' });
  expect(JSON.stringify(error) + String(error)).not.toContain('hidden');
});

test('a server that says nothing, or stops in mid-body, is given up', async () => {
  const silent = await serve(() => undefined);
  await expect(httpExchange(get(silent), { ...LIMITS, headersMs: 200 }, signal)).rejects.toMatchObject({ code: 'http/timeout', retryClass: 'retry' });
  const stalls = await serve((_request, response) => response.writeHead(200, { 'content-length': 10 }).write('abc'));
  await expect(httpExchange(get(stalls), { ...LIMITS, idleMs: 200 }, signal)).rejects.toMatchObject({ code: 'http/timeout', retryClass: 'retry' });
});

test('a body that is larger than it may be is refused, told or not', async () => {
  const told = await serve((_request, response) => response.writeHead(200, { 'content-length': 2000 }).end('a'.repeat(2000)));
  const untold = await serve((_request, response) => response.writeHead(200).end('a'.repeat(2000)));
  for (const url of [told, untold]) await expect(httpExchange(get(url), { ...LIMITS, mostBytes: 1000 }, signal)).rejects.toMatchObject({ code: 'http/too-large' });
});

test('a large body goes to a file, which is gone when it does not arrive whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rest-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const spool = join(folder, 'body');
  const url = await serve((_request, response) => response.writeHead(200).end('b'.repeat(500_000)));
  const { bytes, file } = await httpExchange(get(url), { ...LIMITS, memoryBytes: 1000, spool }, signal);
  expect([bytes.length, file?.length, file?.path]).toEqual([0, 500_000, spool]);
  expect(readFileSync(spool, 'utf8')).toBe('b'.repeat(500_000));
  const broken = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': 500_001 });
    response.write('b'.repeat(500_000), () => response.destroy());
  });
  await expect(httpExchange(get(broken), { ...LIMITS, memoryBytes: 1000, spool }, signal)).rejects.toMatchObject({ retryClass: 'retry' });
  expect(existsSync(spool)).toBe(false);
});

test('no server, and a signal', async () => {
  await expect(httpExchange(get('http://127.0.0.1:1/'), LIMITS, signal)).rejects.toMatchObject({ code: 'http/unavailable', retryClass: 'retry' });
  const stop = new AbortController();
  const silent = await serve(() => stop.abort(new Error('enough')));
  await expect(httpExchange(get(silent), LIMITS, stop.signal)).rejects.toThrow('enough');
});

test('Retry-After: seconds with a fraction, a date, or nothing', () => {
  expect(retryAfterMs('2.128', 0)).toBe(2128);
  expect(retryAfterMs('10', 0)).toBe(10_000);
  expect(retryAfterMs('Thu, 01 Jan 1970 00:01:00 GMT', 10_000)).toBe(50_000);
  expect(retryAfterMs('Thu, 01 Jan 1970 00:01:00 GMT', 90_000)).toBe(0);
  expect([retryAfterMs(null, 0), retryAfterMs('', 0), retryAfterMs('soon', 0), retryAfterMs('-1', 0)]).toEqual([undefined, undefined, undefined, undefined]);
});
