import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ORPCError } from '@orpc/client';
import { API_ROUTES } from '../../src/api/index.ts';
import { Problem } from '../../src/api/contract/index.ts';
import type { Person } from './person.ts';
import { TestService } from './testService.ts';

let service: TestService;
let owner: Person;

beforeAll(async () => {
  service = await TestService.start();
  owner = await service.owner();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

/** Sends bytes as they are and gives the head of the answer. */
function raw(bytes: string): Promise<string> {
  const { port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('error', (error) => (text === '' ? reject(error) : undefined));
    socket.on('close', () => resolve(text));
  });
}

test('every refusal is a problem in words, without a stack, and named in the log', async () => {
  const cases: [number, string, string, string, (string | undefined)?, Record<string, string>?][] = [
    [404, 'api/not-found', 'GET', '/nothing'], [404, 'api/not-found', 'GET', '/api/v1/users/x/y'], [405, 'api/wrong-method', 'POST', '/healthz'],
    [405, 'api/wrong-method', 'OPTIONS', '/api/v1/users'], [400, 'api/invalid', 'POST', '/api/v1/session', '{'],
    [400, 'api/invalid', 'POST', '/api/v1/session', '{"email":"x","password":1}'], [400, 'api/invalid', 'POST', '/api/v1/session', '[]'],
    [400, 'api/invalid', 'GET', '/api/v1/users?limit=0'], [400, 'api/invalid', 'GET', '/api/v1/users?cursor=%20'], [400, 'api/invalid', 'GET', '/api/v1/audit?cursor=eA'],
    [400, 'api/invalid', 'PATCH', '/api/v1/account', '{"company":"two\\nlines"}'], [400, 'api/invalid', 'GET', '/api/v1/audit.csv?until=0'],
    [415, 'api/wrong-type', 'POST', '/api/v1/session', 'email=x', { 'content-type': 'application/x-www-form-urlencoded' }],
    [415, 'api/wrong-type', 'POST', '/api/v1/session', '{}', { 'content-type': 'text/plain' }],
    [413, 'api/too-large', 'POST', '/api/v1/session', `"${'x'.repeat(2_000_000)}"`],
    [404, 'api/not-found', 'GET', '/api/v1/%2e%2e/%2e%2e/etc/passwd'], [404, 'api/not-found', 'GET', '//evil.example/healthz'],
  ];
  for (const [status, code, method, path, body, headers] of cases) {
    const answer = await owner.call(method, path, body, headers && { headers });
    expect([method, path, answer.status, answer.body?.['code']]).toEqual([method, path, status, code]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    const problem = Problem.parse(answer.body);
    expect(problem.detail).toMatch(/^[A-Z].*[.)]$|openapi\.json$/);
    expect(answer.text).not.toMatch(/node_modules|\.ts:\d|at [A-Za-z]+ \(/);
  }
});

test('bytes that are no good request are refused, and the server goes on', async () => {
  expect(await raw(`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(10_000_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
  expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  expect(await raw('TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 405 /);
  expect(await raw('GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  expect(await raw('POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  // Whatever Host says: links and redirects are those of the settings.
  expect(await raw('GET /api/v1/auth/activation?token=x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toContain(`location: ${service.url}/?activation=bad-link`);
  await owner.must(200, 'GET', '/healthz');
});

test('every answer has the headers that keep browsers safe', async () => {
  for (const path of ['/healthz', '/api/v1/session', '/api/v1/openapi.json', '/nothing']) {
    const { headers } = await owner.call('GET', path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  }
});

test('health, readiness and metrics', async () => {
  expect((await owner.must(200, 'GET', '/healthz')).text).toBe('ok\n');
  expect((await owner.must(200, 'GET', '/readyz')).text).toBe('ready\n');
  // A proxy's request is not the machine's own.
  await owner.must(403, 'GET', '/metrics');
  const { text, headers } = await owner.must(200, 'GET', '/metrics', undefined, { headers: { 'x-forwarded-for': undefined, cookie: undefined } });
  expect(headers.get('content-type')).toContain('text/plain');
  expect(text).toMatch(/holdfast_http_request_seconds_count\{method="GET",route="plain.health",status="200"\} \d/);
  expect(text).toMatch(/^holdfast_database_connections \d/m);
  expect(text).not.toContain(owner.email);
});

test('without a mail server the machine itself reads the outbox, and nobody else', async () => {
  const { email } = await service.owner();
  await owner.must(403, 'GET', '/api/v1/outbox');
  await service.person().must(202, 'POST', '/api/v1/password-resets', { email });
  const ask = (host: string): Promise<string> => raw(`GET /api/v1/outbox HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const answer = await ask('localhost:8080');
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
  expect(answer).toContain(email);
  // A page whose name was pointed at this machine after it was loaded.
  expect(await ask('evil.example:8080')).toMatch(/^HTTP\/1.1 403 /);
});

test('the OpenAPI document has every route, who may call it, and the problem', async () => {
  const { body } = await owner.must(200, 'GET', '/api/v1/openapi.json');
  const document = body as { openapi: string; paths: Record<string, Record<string, { 'x-access': { who: string }; security: object[]; responses: Record<string, object> }>>; components: { schemas: object } };
  expect(document.openapi).toMatch(/^3\.1\./);
  const told = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  expect(told.toSorted()).toEqual(API_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted());
  for (const { method, path, access } of API_ROUTES) {
    const operation = document.paths[path]?.[method.toLowerCase()];
    expect(operation?.['x-access']).toEqual(access);
    expect(operation?.security.length === 0).toBe(access?.who === 'anyone' || (access?.who === 'operator' && access.local === true));
    expect(operation?.responses['default']).toBeDefined();
  }
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(['Problem', 'SignedIn', 'AuditEntry']));
  expect(JSON.stringify(document.paths['/api/v1/activity/events'])).toContain('text/event-stream');
});

test('the typed client speaks to it, with errors and events', async () => {
  const { api } = owner;
  expect((await api.session.show()).user.email).toBe(owner.email);
  expect(await api.account.locations()).toEqual({ items: [{ id: 'local', name: 'This machine' }] });
  const error = await api.users.remove({ id: 'nobody-has-this' }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ORPCError);
  expect(error).toMatchObject({ status: 404, code: 'accounts/not-found', data: { detail: 'The account has no such user.' } });
});

test('events come as they happen, for this account alone, and end with the client', async () => {
  const { api } = owner;
  const ending = new AbortController();
  const events = await api.activity.events(undefined, { signal: ending.signal });
  const heard: string[] = [];
  const read = (async () => {
    for await (const event of events) {
      heard.push(event.type === 'audit' ? event.entry.kind : event.type);
      if (event.type === 'gap') {
        await service.owner();
        await owner.must(200, 'PATCH', '/api/v1/account', { company: 'First' });
        await owner.must(201, 'POST', '/api/v1/tokens', { name: 'one', scopes: ['tasks.view'], days: 1 });
      }
      if (heard.length === 3) return;
    }
  })();
  await read;
  expect(heard).toEqual(['gap', 'settings.changed', 'token.made']);
  ending.abort();
  const { status, headers, body } = await owner.request('GET', '/api/v1/activity/events');
  expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  await body?.cancel();
  await expect.poll(async () => {
    const { text } = await owner.must(200, 'GET', '/metrics', undefined, { headers: { 'x-forwarded-for': undefined, cookie: undefined } });
    return /^holdfast_event_streams (\d+)/m.exec(text)?.[1];
  }, { timeout: 20_000 }).toBe('0');
});

test('the audit log as a file: whole, in ranges, under conditions', async () => {
  await owner.must(200, 'PATCH', '/api/v1/account', { company: '=HYPERLINK("http://evil.example")' });
  const whole = await owner.must(200, 'GET', '/api/v1/audit.csv');
  const etag = whole.headers.get('etag') ?? '';
  expect(whole.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(whole.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-\d+\.csv"$/);
  expect(Number(whole.headers.get('content-length'))).toBe(Buffer.byteLength(whole.text));
  expect(whole.text.split('\r\n')[0]).toBe('"Number","Date and time (UTC)","Type","Service","Status","Task","Performed by","Method","Address","Browser","Description"');
  expect(whole.text).toContain('"company: =HYPERLINK(""http://evil.example"")"');
  const get = (headers: Record<string, string>, path = '/api/v1/audit.csv') => owner.call('GET', path, undefined, { headers });
  const size = Buffer.byteLength(whole.text);
  for (const [range, start, end] of [['bytes=0-9', 0, 9], ['bytes=10-', 10, size - 1], ['bytes=-7', size - 7, size - 1], [`bytes=5-${size + 100}`, 5, size - 1]] as const) {
    const part = await get({ range, 'if-range': etag });
    expect([range, part.status, part.headers.get('content-range')]).toEqual([range, 206, `bytes ${start}-${end}/${size}`]);
    expect(part.text).toBe(Buffer.from(whole.text).subarray(start, end + 1).toString());
  }
  expect((await get({ range: `bytes=${size}-` })).body?.['code']).toBe('api/no-such-range');
  expect((await get({ range: 'bytes=-0' })).status).toBe(416);
  for (const range of ['bytes=9-5', 'lines=1-2', 'bytes=0-1,4-5', 'bytes=', 'bytes=a-b']) expect((await get({ range })).status, range).toBe(200);
  expect((await get({ 'if-none-match': etag })).status).toBe(304);
  // The log has grown: a part of the old file is never joined to the new one.
  await owner.must(200, 'PATCH', '/api/v1/account', { company: 'Grown' });
  expect((await get({ range: 'bytes=10-', 'if-range': etag })).status).toBe(200);
  const until = /audit-(\d+)/.exec(whole.headers.get('content-disposition') ?? '')?.[1];
  expect((await get({ range: 'bytes=0-9', 'if-range': etag }, `/api/v1/audit.csv?until=${until}`)).status).toBe(206);
  const head = await owner.call('HEAD', '/api/v1/audit.csv');
  expect([head.status, head.text]).toEqual([200, '']);
});
