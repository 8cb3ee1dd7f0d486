import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nonce, PASSWORD, TestService } from './testService.ts';

/** On both databases. */
describe.each(['embedded', 'url'] as const)('signing in, on a database of origin %s', (origin) => {
  let service: TestService;

  beforeAll(async () => {
    service = await TestService.start({ origin });
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
  });

  test('from signing up to signing out', async () => {
    const person = service.person();
    const email = `Alice.${nonce()}@Example.test`;
    await person.must(202, 'POST', '/api/v1/accounts', { name: 'Alice', company: 'Example', email, password: PASSWORD, location: 'local' });
    const early = await person.call('POST', '/api/v1/session', { email, password: PASSWORD });
    expect([early.status, early.body?.['code'], person.cookies.size]).toEqual([403, 'accounts/not-confirmed', 0]);
    await service.confirm(person, email.toLowerCase());
    await person.signIn(email, PASSWORD);
    const { body } = await person.must(200, 'GET', '/api/v1/session');
    expect(body).toMatchObject({ user: { name: 'Alice', email: email.toLowerCase(), role: 'owner' }, account: { company: 'Example', location: 'local' } });
    const account = (await person.must(200, 'GET', '/api/v1/account')).body;
    expect(account).toMatchObject({ company: 'Example', location: { id: 'local', name: 'This machine' } });
    const days = (Date.parse(String(account?.['trialEndsAt'])) - Date.parse(String(account?.['createdAt']))) / 86_400_000;
    expect(days).toBe(14);
    const cookies = new Map(person.cookies);
    await person.must(204, 'DELETE', '/api/v1/session');
    expect(person.cookies.size).toBe(0);
    person.cookies = cookies;
    await person.must(401, 'GET', '/api/v1/session');
  });

  test('a forgotten password: the link works once, ends all sessions, and nobody learns which addresses there are', async () => {
    const owner = await service.owner();
    const person = service.person();
    const known = await person.must(202, 'POST', '/api/v1/password-resets', { email: owner.email });
    const unknown = await person.must(202, 'POST', '/api/v1/password-resets', { email: `${nonce()}@example.test` });
    expect(known.body).toEqual(unknown.body);
    const token = new URL(await service.mailedLink(owner.email)).searchParams.get('token') ?? '';
    const path = `/api/v1/password-resets/${token}`;
    expect((await person.call('PUT', path, { password: 'short' })).body?.['code']).toBe('api/invalid');
    await person.must(204, 'PUT', path, { password: 'a new password of mine' });
    expect((await person.call('PUT', path, { password: 'a third password of mine' })).body?.['code']).toBe('accounts/bad-link');
    await owner.must(401, 'GET', '/api/v1/session');
    expect((await person.call('POST', '/api/v1/session', { email: owner.email, password: PASSWORD })).status).toBe(401);
    await person.signIn(owner.email, 'a new password of mine');
  });

  test('users are added, changed and removed; their sessions follow at once', async () => {
    const owner = await service.owner();
    const user = await service.user(owner, { role: 'custom', permissions: ['activity.view'] });
    await user.must(200, 'GET', '/api/v1/audit');
    const page = (await owner.must(200, 'GET', '/api/v1/users?limit=1')).body as { items: { id: string; email: string }[]; next: string };
    expect(page.items.map(({ email }) => email)).toEqual([owner.email]);
    const next = (await owner.must(200, 'GET', `/api/v1/users?limit=1&cursor=${page.next}`)).body as { items: { id: string; email: string }[]; next?: string };
    expect([next.items.map(({ email }) => email), next.next]).toEqual([[user.email], undefined]);
    const id = next.items[0]?.id;
    await owner.must(200, 'PATCH', `/api/v1/users/${id}`, { role: 'custom', permissions: ['settings.view'], services: ['folder'] });
    await user.must(403, 'GET', '/api/v1/audit');
    expect((await user.must(200, 'GET', '/api/v1/session')).body?.['user']).toMatchObject({ permissions: ['settings.view'], services: ['folder'] });
    expect((await owner.call('DELETE', `/api/v1/users/${page.items[0]?.id}`)).body?.['code']).toBe('accounts/conflict');
    await owner.must(204, 'DELETE', `/api/v1/users/${id}`);
    await user.must(401, 'GET', '/api/v1/session');
    const taken = await service.owner();
    expect((await owner.call('POST', '/api/v1/users', { name: 'N', email: taken.email, password: PASSWORD, role: 'custom' })).body?.['code']).toBe('accounts/exists');
  });

  test('what was done stands in the audit log, newest first, page by page', async () => {
    const owner = await service.owner();
    await service.person().call('POST', '/api/v1/session', { email: owner.email, password: 'not the password' });
    await owner.must(200, 'PATCH', '/api/v1/account', { company: 'Renamed' });
    const first = (await owner.must(200, 'GET', '/api/v1/audit?limit=3')).body as { items: { seq: number; kind: string; address: string }[]; next: string };
    const second = (await owner.must(200, 'GET', `/api/v1/audit?limit=3&cursor=${first.next}`)).body as { items: { seq: number; kind: string }[] };
    expect([...first.items, ...second.items].map(({ kind }) => kind))
      .toEqual(['settings.changed', 'sign-in.failed', 'sign-in.succeeded', 'user.confirmed', 'account.made']);
    expect(first.items[0]?.address).toBe(owner.address);
    const failed = (await owner.must(200, 'GET', '/api/v1/audit?kind=sign-in.failed')).body as { items: object[] };
    expect(failed.items.length).toBe(1);
  });

  // What follows has nothing that one database could do and another not.
  if (origin === 'url') return;

  test('the cookie is for this site, over HTTP alone, and a new one each time', async () => {
    const owner = await service.owner();
    const values = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const again = service.person();
      // Fixation: what stood in the browser before does not become a session.
      again.cookies.set('holdfast.session_token', 'planted.value');
      const { headers } = await again.must(200, 'POST', '/api/v1/session', { email: owner.email, password: PASSWORD });
      const [cookie = ''] = headers.getSetCookie();
      expect(cookie).toMatch(/^holdfast\.session_token=[^;]{40,}; /);
      expect(cookie).toMatch(/HttpOnly/i);
      expect(cookie).toMatch(/SameSite=Lax/i);
      expect(cookie).toMatch(/Path=\//i);
      values.add(cookie.split(';')[0] ?? '');
    }
    expect(values.size).toBe(2);
    expect([...values].some((value) => value.includes('planted'))).toBe(false);
  });

  test('a wrong password and an unknown address are answered alike, and tries are limited by address', async () => {
    const owner = await service.owner();
    const person = service.person();
    const wrong = await person.call('POST', '/api/v1/session', { email: owner.email, password: 'not the password' });
    const unknown = await person.call('POST', '/api/v1/session', { email: `${nonce()}@example.test`, password: 'not the password' });
    expect([wrong.status, wrong.body?.['code'], wrong.body?.['detail']]).toEqual([unknown.status, unknown.body?.['code'], unknown.body?.['detail']]);
    expect(wrong.body?.['code']).toBe('accounts/wrong-credentials');
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await person.call('POST', '/api/v1/session', { email: owner.email, password: 'not the password' })).status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(8);
    const last = await person.call('POST', '/api/v1/session', { email: owner.email, password: PASSWORD });
    expect([last.status, last.body?.['code']]).toEqual([429, 'accounts/too-many']);
    const wait = Number(last.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    // Another address is not kept out, and says nothing of itself that counts without a proxy's word.
    await service.person().signIn(owner.email, PASSWORD);
  });

  test('signing up again with an address tells the address, not who asks', async () => {
    const owner = await service.owner();
    const before = await service.database.query.selectFrom('accounts').select(({ fn }) => fn.countAll().as('count')).executeTakeFirst();
    const again = await service.person().must(202, 'POST', '/api/v1/accounts', { name: 'Eve', company: 'Eve', email: owner.email, password: PASSWORD, location: 'local' });
    const fresh = await service.person().must(202, 'POST', '/api/v1/accounts', { name: 'New', company: 'New', email: `${nonce()}@example.test`, password: PASSWORD, location: 'local' });
    expect(again.body).toEqual(fresh.body);
    expect((await service.outbox.newest(owner.email, 1))[0]?.subject).toBe('You have a user of Holdfast already');
    const after = await service.database.query.selectFrom('accounts').select(({ fn }) => fn.countAll().as('count')).executeTakeFirst();
    expect(after?.count).toBe(Number(before?.count) + 1);
    expect((await service.person().call('POST', '/api/v1/accounts', { name: 'N', company: 'C', email: 'n@example.test', password: PASSWORD, location: 'elsewhere' })).body?.['code'])
      .toBe('accounts/invalid');
  });

  test('an activation link that is broken leads to the start page, and nowhere else', async () => {
    const person = service.person();
    const { location } = await person.must(303, 'GET', '/api/v1/auth/activation?token=broken&callbackURL=https://evil.example/');
    expect(location).toBe(`${service.url}/?activation=bad-link`);
  });

  test('sessions are listed, and ended one by one', async () => {
    const owner = await service.owner();
    const second = service.person();
    await second.signIn(owner.email, PASSWORD);
    const { items } = await owner.read<{ items: { id: string; current: boolean; address: string; agent: string }[] }>('/api/v1/sessions');
    expect([items.length, items.filter(({ current }) => current).length]).toEqual([2, 1]);
    const other = items.find(({ current }) => !current);
    expect(other).toMatchObject({ address: second.address, agent: 'test browser' });
    await owner.must(204, 'DELETE', `/api/v1/sessions/${other?.id}`);
    await second.must(401, 'GET', '/api/v1/session');
    await owner.must(200, 'GET', '/api/v1/session');
  });
});
