import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginOnce, tidy } from '../../src/accounts/index.ts';
import type { Answer, Person } from './person.ts';
import { nonce, PASSWORD, testOrigin, TestService } from './testService.ts';

let service: TestService;
let owner: Person;

beforeAll(async () => {
  service = await TestService.start({ origin: testOrigin('url') });
  owner = await service.owner();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

const TOKEN = { name: 'one', scopes: ['tasks.view'], days: 1 };

function make(person: Person, key: string, body: object = TOKEN, path = '/api/v1/tokens'): Promise<Answer> {
  return person.call('POST', path, body, { headers: { 'idempotency-key': key } });
}

async function tokensOf(person: Person): Promise<number> {
  return (await person.read<{ items: unknown[] }>('/api/v1/tokens')).items.length;
}

test('the same request with the same key is done once, and answered as the first time', async () => {
  const key = nonce();
  const before = await tokensOf(owner);
  const first = await make(owner, key);
  const again = await make(owner, key);
  expect([first.status, again.status, again.body]).toEqual([201, 201, first.body]);
  expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([null, 'true']);
  expect(await tokensOf(owner)).toBe(before + 1);
  const { rows } = await service.database.pool.query<{ row: string }>('select t::text as row from idempotency_keys t');
  expect(rows.some(({ row }) => row.includes(String(first.body?.['token'])) || row.includes(key))).toBe(false);
});

test('another request with that key is refused, and does nothing', async () => {
  const key = nonce();
  await make(owner, key);
  const before = await tokensOf(owner);
  for (const answer of [await make(owner, key, { ...TOKEN, days: 2 }), await make(owner, key, { name: 'N', email: `${nonce()}@example.test`, password: PASSWORD, role: 'custom' }, '/api/v1/users')]) {
    expect([answer.status, answer.body?.['code']]).toEqual([422, 'accounts/key-reused']);
  }
  expect(await tokensOf(owner)).toBe(before);
});

test('of many at the same moment one does the work; the others are told to wait, or get its answer', async () => {
  const key = nonce();
  const before = await tokensOf(owner);
  const answers = await Promise.all(Array.from({ length: 8 }, () => make(owner, key)));
  const made = answers.filter(({ status }) => status === 201);
  expect(new Set(made.map(({ text }) => text)).size).toBe(1);
  for (const { status, body, headers } of answers.filter((answer) => answer.status !== 201)) {
    expect([status, body?.['code'], headers.get('retry-after')]).toEqual([409, 'accounts/in-progress', '1']);
  }
  expect(await tokensOf(owner)).toBe(before + 1);
});

test('a refusal is not kept: what was wrong can be mended, and the key used', async () => {
  const key = nonce();
  expect((await make(owner, key, { ...TOKEN, days: 0 })).status).toBe(400);
  expect((await make(owner, key)).status).toBe(201);
});

test('keys are each user\'s own', async () => {
  const key = nonce();
  const user = await service.user(owner, { role: 'administrator' });
  const tokens = [owner, user, await service.owner()].map(async (person) => (await make(person, key)).body?.['token']);
  expect(new Set(await Promise.all(tokens)).size).toBe(3);
});

test('one that broke off says so until it expires; what expired is tidied away, and its key is new again', async () => {
  const key = nonce();
  const { user, account } = await owner.read<{ user: { id: string }; account: { id: string } }>('/api/v1/session');
  const own = { principal: { userId: user.id, accountId: account.id }, key };
  const asked = JSON.stringify(['/api/v1/tokens', '', JSON.stringify(TOKEN)]);
  expect(await beginOnce(service.context, own, asked)).toBeUndefined();
  expect((await make(owner, key)).body?.['code']).toBe('accounts/in-progress');
  const age = (time: string) => service.database.pool.query('update idempotency_keys set started_at = started_at - $1::interval, expires_at = expires_at - $1::interval', [time]);
  await age('3 minutes');
  const { status, body } = await make(owner, key);
  expect([status, body?.['code']]).toEqual([409, 'accounts/outcome-unknown']);
  await age('24 hours');
  expect((await make(owner, key)).status).toBe(201);
  await age('24 hours');
  await tidy(service.context);
  expect((await service.database.pool.query('select from idempotency_keys')).rowCount).toBe(0);
});

test('a key that is none is refused, and who is nobody has none', async () => {
  for (const key of ['short', 'with a space', 'x'.repeat(201), 'ümlaut-key']) {
    const { status, body } = await make(owner, key);
    expect([key, status, body?.['code']]).toEqual([key, 400, 'api/invalid']);
  }
  const stranger = service.person();
  expect((await make(stranger, 'a-good-key')).status).toBe(401);
  const { headers } = await make(stranger, 'a-good-key', { email: `${nonce()}@example.test` }, '/api/v1/password-resets');
  expect(headers.get('idempotency-replayed')).toBeNull();
});

test('lists of tokens and sessions go on where a page ended', async () => {
  const { api } = await service.owner();
  for (let i = 0; i < 3; i++) await api.tokens.make({ ...TOKEN, name: `token ${i}`, scopes: ['tasks.view'] });
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page: Awaited<ReturnType<typeof api.tokens.list>> = await api.tokens.list({ limit: 2, ...(cursor !== undefined && { cursor }) });
    names.push(...page.items.map(({ name }) => name));
    cursor = page.next;
  } while (cursor !== undefined);
  expect(names).toEqual(['token 2', 'token 1', 'token 0']);
  const sessions = await api.session.list({ limit: 1 });
  expect([sessions.items.length, sessions.next]).toEqual([1, undefined]);
});

test('a token tells when it was used last, and ends with its time or when it is revoked; it is shown once', async () => {
  const { api } = owner;
  const made = await api.tokens.make({ name: 'used', scopes: ['settings.view'], days: 1 });
  const program = service.person();
  program.token = made.token;
  await program.must(200, 'GET', '/api/v1/account');
  await program.must(403, 'GET', '/api/v1/audit');
  const { items } = await api.tokens.list({});
  const listed = items.find(({ id }) => id === made.id);
  expect(listed).toMatchObject({ name: 'used', scopes: ['settings.view'], lastUsedAt: expect.stringMatching(/^20/) });
  expect(JSON.stringify(items)).not.toContain(made.token);
  await api.tokens.revoke({ id: made.id });
  await program.must(401, 'GET', '/api/v1/account');
});

test('every answer tells how many calls are left; who has none is told when', async () => {
  const person = service.person();
  const counts: number[] = [];
  for (const path of ['/healthz', '/nothing', '/api/v1/session']) {
    const { headers } = await person.call('GET', path);
    expect(headers.get('ratelimit-policy')).toBe('"address";q=1200;w=60');
    const [, left = '', seconds = ''] = /^"address";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '') ?? [];
    counts.push(Number(left));
    expect(Number(seconds)).toBeLessThanOrEqual(60);
  }
  expect(counts.every((count, i) => i === 0 || count === (counts[i - 1] ?? 0) - 1 || count === 1199)).toBe(true);
});
