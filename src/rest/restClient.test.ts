import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../domain/index.ts';
import { systemRandom } from '../runtime/index.ts';
import { RequestBudget } from './requestBudget.ts';
import { RestClient, type RestRequest } from './restClient.ts';
import { settle, TestClock } from './testClock.ts';

const { signal } = new AbortController();
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const status = (code: number, headers: Record<string, string> = {}): Answer => (_request, response) => response.writeHead(code, headers).end('{}');
const reset: Answer = (request) => request.socket.destroy();

interface Served {
  readonly client: RestClient;
  readonly url: string;
  readonly seen: string[];
  readonly waits: number[];
}

/** A client of a server that answers as the list says, the last answer for ever. */
async function serve(answers: readonly Answer[], clock?: TestClock): Promise<Served> {
  const seen: string[] = [];
  const waits: number[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    (answers[seen.length - 1] ?? answers.at(-1))?.(request, response);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  let tokens = 1;
  const time = clock ?? new TestClock();
  const client = new RestClient({
    baseUrl: url, clock: time, random: systemRandom,
    tokens: { token: () => Promise.resolve(`token-${tokens}`), refused: () => { tokens++; } },
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    explain: ({ status: code }) => new HoldfastError('test/answer', code === 429 || code >= 500 ? 'retry' : 'never', `status ${code}`, { data: { status: code } }),
  });
  return { client, url, seen, waits };
}

const get = (path: string, more: Partial<RestRequest<string>> = {}): RestRequest<string> => ({ method: 'GET', path, signal, read: ({ bytes }) => bytes.toString(), ...more });

test('repeats what may do better, waits as asked to the fraction, and gives the answer', async () => {
  const { client, seen, waits } = await serve([status(500), reset, status(503, { 'retry-after': '2.128' }), status(200)]);
  expect(await client.send(get('/x'))).toBe('{}');
  expect(seen).toHaveLength(4);
  expect(waits).toHaveLength(3);
  expect(waits[2]).toBeGreaterThanOrEqual(2128);
});

test('does not repeat what cannot do better, and gives up in the end', async () => {
  const wrong = await serve([status(400)]);
  await expect(wrong.client.send(get('/x'))).rejects.toMatchObject({ code: 'test/answer', data: { status: 400 } });
  expect(wrong.seen).toHaveLength(1);
  const down = await serve([status(500)]);
  await expect(down.client.send(get('/x'))).rejects.toMatchObject({ retryClass: 'retry' });
  expect(down.seen).toHaveLength(7);
});

test('what may not be done twice is sent again only where it was refused unread', async () => {
  const post = { method: 'POST', body: '{}' };
  for (const lost of [status(500), reset, status(504)]) {
    const { client, seen } = await serve([lost, status(200)]);
    await expect(client.send(get('/x', post))).rejects.toMatchObject({ retryClass: 'resume' });
    expect(seen).toHaveLength(1);
  }
  for (const refused of [status(429), status(503)]) expect(await (await serve([refused, status(200)])).client.send(get('/x', post))).toBe('{}');
  expect(await (await serve([status(500), status(200)])).client.send(get('/x', { ...post, repeatable: true }))).toBe('{}');
});

test('a token that is refused is renewed once', async () => {
  const { client, seen } = await serve([status(401), status(200)]);
  await client.send(get('/x'));
  expect(seen.map((line) => line.split(' ').at(-1))).toEqual(['token-1', 'token-2']);
  const never = await serve([status(401)]);
  await expect(never.client.send(get('/x'))).rejects.toMatchObject({ data: { status: 401 } });
  expect(never.seen).toHaveLength(2);
});

test('the token goes nowhere but below the base address', async () => {
  const { client, url, seen } = await serve([status(200)]);
  expect(await client.send(get(`${url}/next?page=2`))).toBe('{}');
  const other = await serve([status(200)]);
  const { port } = new URL(url);
  for (const link of [`${other.url}/x`, `http://127.0.0.1:${port}/v2/x`, `http://127.0.0.1:${port}@evil.example/v1/x`, `${url}@evil.example/x`, 'https://evil.example/', 'x']) {
    await expect(client.send(get(link)), link).rejects.toMatchObject({ code: 'http/foreign-address' });
  }
  expect([seen.length, other.seen.length]).toEqual([1, 0]);
});

test('an address that carries its own right gets no token, whatever it answers, and is safe or on this machine', async () => {
  const { client } = await serve([status(200)]);
  const upload = await serve([status(401), status(200)]);
  await expect(client.send(get(`${upload.url}/upload?right=1`, { method: 'PUT', body: 'x', withoutToken: true }))).rejects.toMatchObject({ data: { status: 401 } });
  expect(await client.send(get(`${upload.url}/upload?right=1`, { method: 'PUT', body: 'x', withoutToken: true }))).toBe('{}');
  expect(upload.seen).toEqual(['PUT /v1/upload?right=1 undefined', 'PUT /v1/upload?right=1 undefined']);
  for (const unsafe of ['http://upload.example/x', '/x', 'ftp://127.0.0.1/x', 'https://a@upload.example/x']) {
    await expect(client.send(get(unsafe, { withoutToken: true })), unsafe).rejects.toMatchObject({ code: 'http/foreign-address' });
  }
});

test('a body that does not read is asked for again', async () => {
  const { client, seen } = await serve([status(200), status(200)]);
  let reads = 0;
  const read = (): string => {
    if (++reads === 1) throw new HoldfastError('test/cut', 'retry', 'cut');
    return 'whole';
  };
  expect(await client.send(get('/x', { read }))).toBe('whole');
  expect(seen).toHaveLength(2);
});

test('after a refusal the whole budget is closed for as long as the service asks', async () => {
  const clock = new TestClock();
  const budget = new RequestBudget({ requests: 100, requestWindowMs: 600_000, concurrent: 4, uploadBytes: 1, uploadWindowMs: 1000 }, { clock, sleep: clock.sleep });
  const { client, seen } = await serve([status(429, { 'retry-after': '7.5' }), status(200)], clock);
  const both = [client.send(get('/a', { budget }))];
  while (clock.next === undefined) await settle();
  both.push(client.send(get('/b', { budget })));
  await settle();
  expect(seen).toHaveLength(1);
  await clock.advance(7499);
  expect(seen).toHaveLength(1);
  await clock.advance(1);
  expect(await Promise.all(both)).toEqual(['{}', '{}']);
});
