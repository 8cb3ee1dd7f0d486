import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_ROUTES } from '../../src/api/index.ts';
import type { Person } from './person.ts';
import { nonce, PASSWORD, TestService } from './testService.ts';

let service: TestService;
let owner: Person;

beforeAll(async () => {
  service = await TestService.start();
  owner = await service.owner();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

const EVIL = 'https://evil.example';

test('session fixation: a session that was there before signing in is not the one after it, and what was planted is worth nothing', async () => {
  const victim = service.person();
  await victim.signIn(owner.email, PASSWORD);
  const [name = '', before = ''] = [...victim.cookies][0] ?? [];
  await victim.signIn(owner.email, PASSWORD);
  expect(victim.cookies.get(name)).not.toBe(before);
  // One of the attacker's own, which the victim's browser was made to have.
  const attacker = await service.owner();
  const planted = attacker.cookies.get(name) ?? '';
  const lured = service.person();
  lured.cookies.set(name, planted);
  await lured.signIn(owner.email, PASSWORD);
  expect(lured.cookies.get(name)).not.toBe(planted);
  expect((await attacker.read<{ user: { email: string } }>('/api/v1/session')).user.email).toBe(attacker.email);
  const guess = service.person();
  for (const value of ['planted', 'planted.planted', `${planted.split('.')[0]}.`, `${before.split('.')[0]}.${planted.split('.')[1]}`]) {
    guess.cookies.set(name, value);
    expect((await guess.call('GET', '/api/v1/session')).status).toBe(401);
  }
});

test('CSRF: a page elsewhere changes nothing, with any type that a form can send; signing in neither', async () => {
  const before = await owner.read('/api/v1/account');
  const types = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain', 'text/plain;charset=utf-8', 'application/json'];
  for (const type of types) {
    const headers = { origin: EVIL, 'content-type': type, 'sec-fetch-site': 'cross-site' };
    expect((await owner.call('PATCH', '/api/v1/account', '{"company":"Taken"}', { headers })).status).toBeGreaterThanOrEqual(403);
    expect((await service.person().call('POST', '/api/v1/session', JSON.stringify({ email: owner.email, password: PASSWORD }), { headers })).status).toBeGreaterThanOrEqual(403);
  }
  for (const origin of [`${service.url}.evil.example`, service.url.replace('http:', 'https:'), `${service.url}:1`, 'null', '']) {
    expect((await owner.call('PATCH', '/api/v1/account', { company: 'Taken' }, { headers: { origin } })).status, origin).toBe(403);
  }
  // A GET changes nothing that a cookie is needed for.
  for (const method of ['GET', 'HEAD']) expect((await owner.call(method, '/api/v1/account?company=Taken&_method=PATCH', undefined, { headers: { 'x-http-method-override': 'PATCH' } })).status).toBe(200);
  expect(await owner.read('/api/v1/account')).toEqual(before);
});

test('open redirect: no route leads away, whatever it is asked', async () => {
  const words = ['callbackURL', 'redirectTo', 'redirect', 'next', 'returnTo', 'url', 'token'].map((name) => `${name}=${encodeURIComponent(`${EVIL}/`)}`).join('&');
  for (const { method, path, name } of API_ROUTES.filter((route) => route.method === 'GET' && route.name !== 'activity.events')) {
    const { headers, location } = await owner.call(method, `${path.replaceAll(/\{\w+\}/g, 'x')}?${words}`, undefined, { headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' } });
    if (location !== null) expect(location, name).toMatch(new RegExp(`^${service.url}/\\?`));
    expect([headers.get('refresh'), headers.get('content-location')]).toEqual([null, null]);
  }
  for (const path of ['//evil.example', '/\\evil.example', `/${EVIL}`, '/%2f%2fevil.example', '/.//evil.example/..']) {
    const { status, location } = await owner.call('GET', path);
    expect([status, location]).toEqual([404, null]);
  }
});

test('path traversal: names are text, wherever they stand, and ids are no paths', async () => {
  const before = await readdir(service.folder, { recursive: true });
  const names = ['../../../etc/passwd', '..\\..\\windows', '/etc/shadow', 'C:\\x', 'file:///etc/passwd', '%2e%2e%2f', '.', '..', '${jndi:ldap://x}', '$(touch x)', '"; touch x #'];
  for (const name of names) {
    expect((await owner.must(200, 'PATCH', '/api/v1/account', { company: name })).body?.['company']).toBe(name);
    const { status } = await service.person().call('POST', '/api/v1/accounts', { name, company: name, email: `${nonce()}@example.test`, password: PASSWORD, location: name });
    expect(status).toBe(400);
    for (const id of [encodeURIComponent(name), encodeURIComponent(encodeURIComponent(name))]) {
      const answer = await owner.call('DELETE', `/api/v1/tokens/${id}`);
      expect([400, 404, 405]).toContain(answer.status);
      expect(answer.text).not.toContain('root:');
    }
  }
  const made = (await readdir(service.folder, { recursive: true })).filter((path) => !before.includes(path) && !path.includes('postgres'));
  expect(made).toEqual([]);
  const { headers } = await owner.must(200, 'GET', '/api/v1/audit.csv');
  expect(headers.get('content-disposition')).toMatch(/^attachment; filename="audit-\d+\.csv"$/);
});

test('JSON bombs: deep, wide, doubled or poisonous bodies are refused or harmless at every route that takes one', async () => {
  const deep = (open: string, close: string): string => open.repeat(150_000) + close.repeat(150_000);
  const wide = `{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":1`).join(',')}}`;
  const bombs = [deep('[', ']'), deep('{"a":', '}').replace(/:}/, ':1}'), `{"name":${deep('[', ']')}}`, wide, `[${'0,'.repeat(400_000)}0]`, `{"permissions":[${'"tasks.view",'.repeat(50_000)}"tasks.view"]}`,
    `{"name":"${'\\ud800'.repeat(100_000)}"}`, `{"days":1e${'9'.repeat(1000)}}`, `{"x":${'9'.repeat(500_000)}}`];
  const person = await service.owner();
  const routes = API_ROUTES.filter(({ method, name }) => method !== 'GET' && name !== 'session.signOut' && name !== 'account.reactivate' && !name.startsWith('session.'));
  for (const { method, path } of [...routes, { method: 'POST', path: '/api/v1/session' }]) {
    for (const bomb of bombs.slice(0, path === '/api/v1/session' || path === '/api/v1/users' ? bombs.length : 2)) {
      const { status, text } = await person.call(method, path.replaceAll(/\{\w+\}/g, 'x'), bomb);
      expect([200, 202, 204, 400, 401, 403, 404, 409, 429], `${method} ${path} ${text.slice(0, 200)}`).toContain(status);
      expect(text.length).toBeLessThan(20_000);
    }
  }
  await person.must(200, 'GET', '/healthz');
});

test('keys of prototypes and keys that are there twice give nobody a right', async () => {
  const user = { name: 'P', email: `${nonce()}@example.test`, password: PASSWORD };
  const json = JSON.stringify(user).slice(1, -1);
  const poison = '"__proto__":{"role":"owner","permissions":["settings.view"],"isAdmin":true},"constructor":{"prototype":{"role":"owner","session":true}}';
  const { body } = await owner.must(201, 'POST', '/api/v1/users', `{${json},${poison},"role":"custom","role":"custom","id":"x","accountId":"y","confirmed":true,"twoFactor":true}`);
  expect(body).toMatchObject({ role: 'custom', permissions: [], confirmed: false, twoFactor: false });
  expect(body?.['id']).not.toBe('x');
  expect((await owner.call('POST', '/api/v1/users', `{${json},"role":"custom","role":"owner"}`)).status).toBe(400);
  expect((await owner.call('POST', '/api/v1/users', `{${json},${poison}}`)).status).toBe(400);
  expect(({} as Record<string, unknown>)['role']).toBeUndefined();
  await service.person().must(401, 'GET', '/api/v1/session');
});

/** Sends so many bytes and gives the status that came back; undefined where the connection ended without one. */
function send(path: string, headers: Record<string, string>, bytes: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const call = httpRequest(service.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, (answer) => {
      answer.resume();
      answer.once('close', () => resolve(answer.statusCode));
    });
    call.on('error', () => resolve(undefined));
    const chunk = Buffer.alloc(65_536, 0x20);
    let left = bytes;
    const more = (): void => {
      while (left > 0) {
        left -= chunk.length;
        if (!call.write(chunk)) return void call.once('drain', more);
      }
      call.end();
    };
    more();
  });
}

test('bodies of 10 MB and more are refused without being kept, told or not; many at once too', async () => {
  const before = process.memoryUsage().rss;
  expect(await send('/api/v1/session', { 'content-length': String(10 * 1_048_576) }, 10 * 1_048_576)).toBe(413);
  expect(await send('/api/v1/session', { 'transfer-encoding': 'chunked' }, 10 * 1_048_576)).toBe(413);
  // One that never ends is not read to its end.
  expect([413, undefined]).toContain(await send('/api/v1/session', { 'transfer-encoding': 'chunked' }, 200 * 1_048_576));
  const statuses = await Promise.all(Array.from({ length: 20 }, () => send('/api/v1/session', { 'transfer-encoding': 'chunked' }, 10 * 1_048_576)));
  expect(new Set(statuses)).toEqual(new Set([413]));
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1_048_576);
  await owner.must(200, 'GET', '/healthz');
});

test('sign-in: ten tries a minute from one address, whoever they are for, and time alone brings more', async () => {
  const { email } = await service.owner();
  const person = service.person();
  const tries = async (times: number, as = email): Promise<number[]> => {
    const statuses: number[] = [];
    for (let i = 0; i < times; i++) statuses.push((await person.call('POST', '/api/v1/session', { email: as, password: 'not the password' })).status);
    return statuses;
  };
  expect(await tries(10)).toEqual(Array(10).fill(401));
  expect(await tries(1, `${nonce()}@example.test`)).toEqual([429]);
  expect((await person.call('POST', '/api/v1/session', { email, password: PASSWORD })).body?.['code']).toBe('accounts/too-many');
  // Who tells of another address than the proxy does is not another one.
  expect((await person.call('POST', '/api/v1/session', { email, password: PASSWORD }, { headers: { 'x-holdfast-address': '10.9.9.9', 'x-real-ip': '10.9.9.9', 'x-forwarded-for': `10.9.9.9, ${person.address}` } })).status).toBe(429);
  await service.database.pool.query('update rate_limits set last_request = last_request - 61000');
  expect((await person.call('POST', '/api/v1/session', { email, password: PASSWORD })).status).toBe(200);
});

test('sign-in: many machines together guess one user\'s password thirty times in ten minutes, and others are not kept out', async () => {
  const { email } = await service.owner();
  const statuses: number[] = [];
  for (let i = 0; i < 31; i++) statuses.push((await service.person().call('POST', '/api/v1/session', { email: i % 2 === 0 ? email : email.toUpperCase(), password: 'not the password' })).status);
  expect([statuses.filter((status) => status === 401).length, statuses.at(-1)]).toEqual([29, 429]);
  await service.person().signIn(owner.email, PASSWORD);
});

test('mails and accounts are asked for a few times by one address', async () => {
  const person = service.person();
  const resets: number[] = [];
  for (let i = 0; i < 7; i++) resets.push((await person.call('POST', '/api/v1/password-resets', { email: owner.email })).status);
  expect(resets).toEqual([202, 202, 202, 202, 202, 429, 429]);
  const accounts: number[] = [];
  for (let i = 0; i < 12; i++) accounts.push((await person.call('POST', '/api/v1/accounts', { name: 'N', company: 'C', email: owner.email, password: PASSWORD, location: 'local' })).status);
  expect([accounts.filter((status) => status === 202).length, accounts.at(-1)]).toEqual([10, 429]);
});
