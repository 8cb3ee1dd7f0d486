import { afterAll, beforeAll, expect, test } from 'vitest';
import { eraseGone, tidy, verifyAudit } from '../../src/accounts/index.ts';
import type { Person } from './person.ts';
import { nonce, PASSWORD, testOrigin, TestService } from './testService.ts';
import { totp } from './totp.ts';

let service: TestService;

beforeAll(async () => {
  service = await TestService.start({ origin: testOrigin('url') });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

async function codeOf(answer: Promise<{ status: number; body: Readonly<Record<string, unknown>> | undefined }>): Promise<[number, unknown]> {
  const { status, body } = await answer;
  return [status, body?.['code']];
}

interface Setup {
  readonly secret: string;
  readonly recoveryCodes: string[];
}

/** Gives the person a second factor. */
async function secondFactor(person: Person): Promise<Setup> {
  const { body } = await person.must(200, 'POST', '/api/v1/profile/two-factor', { password: PASSWORD });
  const setup = body as unknown as Setup;
  await person.must(204, 'PUT', '/api/v1/profile/two-factor', { code: totp(setup.secret) });
  return setup;
}

async function kinds(person: Person): Promise<string[]> {
  return (await person.read<{ items: { kind: string }[] }>('/api/v1/audit')).items.map(({ kind }) => kind);
}

test('a second factor is set up with the password and a code, and asked for at each sign-in', async () => {
  const owner = await service.owner();
  const other = service.person();
  await other.signIn(owner.email, PASSWORD);
  expect(await owner.read('/api/v1/profile/two-factor')).toEqual({ enabled: false, enforced: false, recoveryCodesLeft: 0 });
  expect(await codeOf(owner.call('PUT', '/api/v1/profile/two-factor', { code: '123456' }))).toEqual([409, 'accounts/conflict']);
  expect(await codeOf(owner.call('POST', '/api/v1/profile/two-factor', { password: 'not the password' }))).toEqual([403, 'accounts/wrong-password']);
  const { secret, uri, recoveryCodes } = (await owner.must(200, 'POST', '/api/v1/profile/two-factor', { password: PASSWORD })).body as unknown as Setup & { uri: string };
  expect(uri).toMatch(/^otpauth:\/\/totp\/Holdfast:/);
  expect([secret.length >= 32, new Set(recoveryCodes).size]).toEqual([true, 10]);
  // Not before a code was given.
  await service.person().signIn(owner.email, PASSWORD);
  expect(await codeOf(owner.call('PUT', '/api/v1/profile/two-factor', { code: totp(secret, 5) }))).toEqual([403, 'accounts/wrong-code']);
  await owner.must(204, 'PUT', '/api/v1/profile/two-factor', { code: totp(secret) });
  expect(await owner.read('/api/v1/profile/two-factor')).toEqual({ enabled: true, enforced: false, recoveryCodesLeft: 10 });
  await other.must(401, 'GET', '/api/v1/session');
  // Once more it is nothing, and ends no session.
  expect(await codeOf(owner.call('PUT', '/api/v1/profile/two-factor', { code: totp(secret, 1) }))).toEqual([409, 'accounts/conflict']);
  expect(await codeOf(owner.call('POST', '/api/v1/profile/two-factor', { password: PASSWORD }))).toEqual([409, 'accounts/conflict']);
  const again = service.person();
  const first = await again.must(200, 'POST', '/api/v1/session', { email: owner.email, password: PASSWORD });
  expect(first.body).toEqual({ codeNeeded: true });
  // The first step alone opens nothing.
  await again.must(401, 'GET', '/api/v1/session');
  expect(await codeOf(again.call('POST', '/api/v1/session/code', { code: totp(secret, 7) }))).toEqual([403, 'accounts/wrong-code']);
  const { body } = await again.must(200, 'POST', '/api/v1/session/code', { code: totp(secret) });
  expect(body).toMatchObject({ user: { email: owner.email }, limits: [] });
  await again.must(200, 'GET', '/api/v1/session');
  const told = await kinds(owner);
  expect(told.slice(0, 3)).toEqual(['sign-in.succeeded', 'sign-in.failed', 'two-factor.enabled']);
  expect((await service.outbox.newest(owner.email, 1))[0]?.subject).toBe('Two-factor sign-in is on');
});

test('a code signs in once, also for two at the same moment; without the first step it is worth nothing', async () => {
  const owner = await service.owner();
  const { secret } = await secondFactor(owner);
  const people = [service.person(), service.person(), service.person()];
  for (const person of people) await person.must(200, 'POST', '/api/v1/session', { email: owner.email, password: PASSWORD });
  const code = totp(secret, 1);
  const statuses = await Promise.all(people.map(async (person) => (await person.call('POST', '/api/v1/session/code', { code })).status));
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 403, 403]);
  const alive = await Promise.all(people.map(async (person) => (await person.call('GET', '/api/v1/session')).status));
  expect(alive.filter((status) => status === 200).length).toBe(1);
  expect(await codeOf(service.person().call('POST', '/api/v1/session/code', { code: totp(secret) }))).toEqual([401, 'accounts/sign-in-again']);
  const forged = service.person();
  forged.cookies.set('holdfast.two_factor', `2fa-${'a'.repeat(20)}.${'A'.repeat(43)}%3D`);
  expect(await codeOf(forged.call('POST', '/api/v1/session/code', { code: totp(secret) }))).toEqual([401, 'accounts/sign-in-again']);
});

test('wrong codes end the step, and after ten in a row nothing is taken for a while', async () => {
  const owner = await service.owner();
  const { secret } = await secondFactor(owner);
  const codes: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    const person = service.person();
    await person.must(200, 'POST', '/api/v1/session', { email: owner.email, password: PASSWORD });
    for (let j = 0; j < 5; j++) codes.push((await person.call('POST', '/api/v1/session/code', { code: totp(secret, 9) })).body?.['code']);
    codes.push((await person.call('POST', '/api/v1/session/code', { code: totp(secret) })).body?.['code']);
  }
  expect(new Set(codes.slice(0, 5))).toEqual(new Set(['accounts/wrong-code']));
  expect(codes[5]).toBe('accounts/sign-in-again');
  const person = service.person();
  await person.must(200, 'POST', '/api/v1/session', { email: owner.email, password: PASSWORD });
  const locked = await person.call('POST', '/api/v1/session/code', { code: totp(secret) });
  expect([locked.status, locked.headers.get('retry-after')]).toEqual([429, '900']);
});

test('a recovery code signs in once and is told; new ones end the old ones', async () => {
  const owner = await service.owner();
  const { recoveryCodes } = await secondFactor(owner);
  const [first = '', second = ''] = recoveryCodes;
  const person = service.person();
  const step = () => person.must(200, 'POST', '/api/v1/session', { email: owner.email, password: PASSWORD });
  await step();
  await person.must(200, 'POST', '/api/v1/session/code', { recoveryCode: first });
  expect((await person.read<{ recoveryCodesLeft: number }>('/api/v1/profile/two-factor')).recoveryCodesLeft).toBe(9);
  expect((await service.outbox.newest(owner.email, 1))[0]?.subject).toBe('A recovery code was used');
  await step();
  expect(await codeOf(person.call('POST', '/api/v1/session/code', { recoveryCode: first }))).toEqual([403, 'accounts/wrong-code']);
  expect(await codeOf(owner.call('POST', '/api/v1/profile/two-factor/recovery-codes', { password: 'wrong' }))).toEqual([403, 'accounts/wrong-password']);
  const renewed = (await owner.must(200, 'POST', '/api/v1/profile/two-factor/recovery-codes', { password: PASSWORD })).body as unknown as Setup;
  expect(await codeOf(person.call('POST', '/api/v1/session/code', { recoveryCode: second }))).toEqual([403, 'accounts/wrong-code']);
  await person.must(200, 'POST', '/api/v1/session/code', { recoveryCode: renewed.recoveryCodes[0] });
});

test('a second factor that all need keeps users out until they have one; administrators take off what is lost', async () => {
  const owner = await service.owner();
  const user = await service.user(owner, { role: 'administrator' });
  const program = await user.withToken('activity.view');
  const id = (await user.read<{ user: { id: string } }>('/api/v1/session')).user.id;
  expect(await codeOf(owner.call('PUT', '/api/v1/account/security', { twoFactorEnforced: true }))).toEqual([409, 'accounts/conflict']);
  await secondFactor(owner);
  await owner.must(200, 'PUT', '/api/v1/account/security', { twoFactorEnforced: true });
  for (const one of [user, program]) expect(await codeOf(one.call('GET', '/api/v1/audit'))).toEqual([403, 'accounts/two-factor-needed']);
  expect((await user.must(200, 'GET', '/api/v1/session')).body?.['limits']).toEqual(['two-factor-needed']);
  await secondFactor(user);
  for (const one of [user, program]) await one.must(200, 'GET', '/api/v1/audit');
  expect(await codeOf(user.call('POST', '/api/v1/profile/two-factor/removal', { password: PASSWORD }))).toEqual([409, 'accounts/conflict']);
  expect((await owner.read<{ items: { twoFactor: boolean }[] }>('/api/v1/users')).items.map(({ twoFactor }) => twoFactor)).toEqual([true, true]);
  await owner.must(204, 'DELETE', `/api/v1/users/${id}/two-factor`);
  await user.must(401, 'GET', '/api/v1/session');
  await user.signIn(user.email, PASSWORD);
  expect((await user.must(200, 'GET', '/api/v1/session')).body?.['limits']).toEqual(['two-factor-needed']);
  const owners = (await owner.read<{ items: { id: string }[] }>('/api/v1/users')).items[0]?.id;
  await secondFactor(user);
  expect(await codeOf(user.call('DELETE', `/api/v1/users/${owners}/two-factor`))).toEqual([409, 'accounts/conflict']);
  await owner.must(200, 'PUT', '/api/v1/account/security', { twoFactorEnforced: false });
  await owner.must(204, 'POST', '/api/v1/profile/two-factor/removal', { password: PASSWORD });
  await service.person().signIn(owner.email, PASSWORD);
});

test('a password is changed with the one before, ends all other sessions, and expires when the account says so', async () => {
  const owner = await service.owner();
  const other = service.person();
  await other.signIn(owner.email, PASSWORD);
  const next = 'a new password of mine';
  expect(await codeOf(owner.call('PUT', '/api/v1/profile/password', { current: 'wrong', password: next }))).toEqual([403, 'accounts/wrong-password']);
  for (const password of [PASSWORD, 'Password1234', owner.email]) {
    expect(await codeOf(owner.call('PUT', '/api/v1/profile/password', { current: PASSWORD, password }))).toEqual([400, 'accounts/weak-password']);
  }
  await owner.must(204, 'PUT', '/api/v1/profile/password', { current: PASSWORD, password: next });
  await owner.must(200, 'GET', '/api/v1/session');
  await other.must(401, 'GET', '/api/v1/session');
  expect((await service.outbox.newest(owner.email, 1))[0]?.subject).toBe('Your password was changed');
  const program = await owner.withToken('activity.view');
  await owner.must(200, 'PUT', '/api/v1/account/security', { twoFactorEnforced: false, passwordDays: 90 });
  await owner.must(200, 'GET', '/api/v1/audit');
  await service.database.pool.query(`update members set password_set_at = now() - interval '91 days' where user_id = (select id from users where email = $1)`, [owner.email]);
  expect(await codeOf(owner.call('GET', '/api/v1/audit'))).toEqual([403, 'accounts/password-expired']);
  await program.must(200, 'GET', '/api/v1/audit');
  await owner.must(204, 'PUT', '/api/v1/profile/password', { current: next, password: 'yet another password' });
  await owner.must(200, 'GET', '/api/v1/audit');
  expect((await kinds(owner)).slice(0, 4)).toEqual(['password.changed', 'security.changed', 'token.made', 'password.changed']);
});

test('weak passwords are refused wherever one is set', async () => {
  const owner = await service.owner();
  const email = `${nonce()}@example.test`;
  expect(await codeOf(service.person().call('POST', '/api/v1/accounts', { name: 'N', company: 'C', email, password: email, location: 'local' }))).toEqual([400, 'accounts/weak-password']);
  expect(await codeOf(owner.call('POST', '/api/v1/users', { name: 'N', email, password: 'Password1234', role: 'custom' }))).toEqual([400, 'accounts/weak-password']);
  await owner.must(202, 'POST', '/api/v1/password-resets', { email: owner.email });
  const path = `/api/v1/password-resets/${new URL(await service.mailedLink(owner.email)).searchParams.get('token')}`;
  expect(await codeOf(owner.call('PUT', path, { password: owner.email }))).toEqual([400, 'accounts/weak-password']);
  await owner.must(204, 'PUT', path, { password: 'a password that is good' });
});

test('guesses of the password within a session are counted', async () => {
  const owner = await service.owner();
  const statuses: number[] = [];
  // The minute that is counted in may end on the way: then there are ten more.
  while (statuses.at(-1) !== 429 && statuses.length < 25) statuses.push((await owner.call('PUT', '/api/v1/profile/email', { email: `${nonce()}@example.test`, password: 'not it' })).status);
  expect(statuses.slice(0, 10)).toEqual(Array(10).fill(403));
  expect([statuses.at(-1), statuses.length <= 21]).toEqual([429, true]);
  expect(await codeOf(owner.call('POST', '/api/v1/profile/two-factor', { password: PASSWORD }))).toEqual([429, 'api/too-many']);
});

test('a new address counts once its link was opened; old links and the old address open nothing', async () => {
  const owner = await service.owner();
  const before = owner.email;
  const email = `new.${nonce()}@example.test`;
  await owner.must(202, 'POST', '/api/v1/password-resets', { email: before });
  const reset = new URL(await service.mailedLink(before)).searchParams.get('token');
  expect(await codeOf(owner.call('PUT', '/api/v1/profile/email', { email, password: 'wrong' }))).toEqual([403, 'accounts/wrong-password']);
  await owner.must(202, 'PUT', '/api/v1/profile/email', { email, password: PASSWORD });
  const old = new URL(await service.mailedLink(email));
  await owner.must(202, 'PUT', '/api/v1/profile/email', { email, password: PASSWORD });
  const link = new URL(await service.mailedLink(email));
  expect(await owner.read('/api/v1/profile')).toEqual({ name: 'Olive Owner', email: before, pendingEmail: email });
  const follow = async (url: URL): Promise<string | null> => (await service.person().must(303, 'GET', url.pathname + url.search)).location;
  expect(await follow(old)).toBe(`${service.url}/?email-change=bad-link`);
  expect(await follow(link)).toBe(`${service.url}/?email-change=done`);
  expect(await follow(link)).toBe(`${service.url}/?email-change=bad-link`);
  expect(await owner.read('/api/v1/profile')).toEqual({ name: 'Olive Owner', email });
  expect(await codeOf(service.person().call('PUT', `/api/v1/password-resets/${reset}`, { password: 'a password that is good' }))).toEqual([400, 'accounts/bad-link']);
  expect(await codeOf(service.person().call('POST', '/api/v1/session', { email: before, password: PASSWORD }))).toEqual([401, 'accounts/wrong-credentials']);
  await service.person().signIn(email, PASSWORD);
  const [told] = await service.outbox.newest(before, 1);
  expect([told?.subject, told?.text.includes(email)]).toEqual(['Your e-mail address was changed', true]);
  // An address that has a user: the same answer, and no link.
  const taken = await service.owner();
  await owner.must(202, 'PUT', '/api/v1/profile/email', { email: taken.email, password: PASSWORD });
  expect((await service.outbox.newest(taken.email, 1))[0]?.subject).toBe('You have a user of Holdfast already');
  await owner.must(204, 'DELETE', '/api/v1/profile/email');
  await owner.must(204, 'PATCH', '/api/v1/profile', { name: 'Olivia' });
  expect(await owner.read('/api/v1/profile')).toEqual({ name: 'Olivia', email });
});

test('a user who was added is invited, also again, until the address is confirmed', async () => {
  const owner = await service.owner('Acme.Example <b>Ltd</b>');
  const email = `${nonce()}@example.test`;
  const { body } = await owner.must(201, 'POST', '/api/v1/users', { name: 'Ina', email, password: PASSWORD, role: 'custom', permissions: ['activity.view'], services: ['imap'] });
  const path = `/api/v1/users/${String(body?.['id'])}`;
  expect(body).toMatchObject({ confirmed: false, twoFactor: false, services: ['imap'] });
  const [mail] = await service.outbox.newest(email, 1);
  expect([mail?.subject, mail?.html.includes('<b>Ltd')]).toEqual(['You were added to Holdfast', false]);
  await owner.must(202, 'POST', `${path}/invitation`);
  expect((await service.outbox.newest(email, 10)).length).toBe(2);
  const person = service.person();
  await service.confirm(person, email);
  expect(await codeOf(owner.call('POST', `${path}/invitation`))).toEqual([409, 'accounts/conflict']);
  await person.signIn(email, PASSWORD);
  expect((await owner.must(200, 'PATCH', path, { name: 'Ina New', role: 'administrator' })).body).toMatchObject({ name: 'Ina New', role: 'administrator', confirmed: true });
});

test('an account is given up in person, can be taken back, and is gone after its grace with all there was', async () => {
  const owner = await service.owner();
  const user = await service.user(owner, { role: 'administrator' });
  const program = await owner.withToken('settings.view');
  const { id } = await owner.read<{ id: string }>('/api/v1/account');
  const give = (body: object) => owner.call('POST', '/api/v1/account/termination', body);
  expect(await codeOf(give({ password: PASSWORD }))).toEqual([400, 'api/invalid']);
  expect(await codeOf(give({ password: 'wrong', consent: true }))).toEqual([403, 'accounts/wrong-password']);
  expect(await codeOf(user.call('POST', '/api/v1/account/termination', { password: PASSWORD, consent: true }))).toEqual([403, 'api/forbidden']);
  const { body } = await owner.must(200, 'POST', '/api/v1/account/termination', { password: PASSWORD, consent: true });
  const goneAt = Date.parse(String(body?.['goneAt']));
  expect(Math.round((goneAt - Date.now()) / 3_600_000)).toBe(7 * 24);
  for (const one of [owner, user]) expect(await codeOf(one.call('GET', '/api/v1/users'))).toEqual([403, 'accounts/terminated']);
  for (const one of [owner, user, program]) await one.must(200, 'GET', '/api/v1/account');
  expect((await service.outbox.newest(owner.email, 1))[0]?.text).toContain(new Date(goneAt).toISOString().slice(0, 10));
  expect(await codeOf(user.call('DELETE', '/api/v1/account/termination'))).toEqual([403, 'api/forbidden']);
  await owner.must(204, 'DELETE', '/api/v1/account/termination');
  await user.must(200, 'GET', '/api/v1/users');
  await owner.must(200, 'POST', '/api/v1/account/termination', { password: PASSWORD, consent: true });
  const signal = new AbortController().signal;
  expect(await eraseGone(service.context, service.outbox, signal)).toBe(0);
  const later = { ...service.context, clock: { ...service.context.clock, now: () => goneAt + 60_000 } };
  expect(await eraseGone(later, service.outbox, signal)).toBe(1);
  for (const one of [owner, user, program]) await one.must(401, 'GET', '/api/v1/session');
  await expectNothingLeft(id, [owner.email, user.email]);
  expect((await verifyAudit(service.database, service.context.keys, signal)).breaks).toEqual([]);
  const { rows } = await service.database.pool.query(`select kind, details->>'account' as account from audit_entries where account_id = 'service'`);
  expect(rows).toEqual([{ kind: 'account.erased', account: id }]);
  // The address is free again.
  await service.person().must(202, 'POST', '/api/v1/accounts', { name: 'N', company: 'C', email: user.email, password: PASSWORD, location: 'local' });
});

test('what has run out is tidied away, and nothing else', async () => {
  const { pool } = service.database;
  const { rows: [user] } = await pool.query<{ id: string }>('select id from users limit 1');
  const count = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ name: string }>(`select 'code ' || code as name from used_codes where code like 'tidy%' union select 'mail ' || id from outbox where id like 'tidy%'
      union select 'session ' || id from sessions where id like 'tidy%' union select 'link ' || id from verifications where id like 'tidy%' order by 1`);
    return rows.map(({ name }) => name);
  };
  for (const [name, age] of [['tidy-old', '40 days'], ['tidy-new', '1 minute']] as const) {
    await pool.query('insert into used_codes (user_id, code, used_at) values ($1, $2, now() - $3::interval)', [user?.id, name, age]);
    await pool.query(`insert into outbox (id, recipient, subject, created_at) values ($1, 'x', 'x', now() - $2::interval)`, [name, age]);
    await pool.query('insert into sessions (id, token, user_id, expires_at) values ($1, $1, $2, now() - $3::interval)', [name, user?.id, age]);
    await pool.query(`insert into verifications (id, identifier, value, expires_at) values ($1, $1, 'x', now() - $2::interval)`, [name, age]);
  }
  await tidy(service.context);
  expect(await count()).toEqual(['code tidy-new', 'link tidy-new', 'mail tidy-new', 'session tidy-new']);
});

/** In no table, but for the last mail to the owner and the service's own entry. */
async function expectNothingLeft(id: string, emails: readonly string[]): Promise<void> {
  const { rows } = await service.database.pool.query<{ name: string }>(`select table_name as name from information_schema.tables where table_schema = 'public'`);
  const left: string[] = [];
  for (const { name } of rows) {
    const found = await service.database.pool.query<{ row: string }>(`select t::text as row from "${name}" t`);
    left.push(...found.rows.map(({ row }) => `${name} ${row}`).filter((row) => [id, ...emails].some((word) => row.includes(word))));
  }
  expect(new Set(left.map((row) => row.split(' ')[0]))).toEqual(new Set(['audit_entries', 'outbox']));
  expect(left.length).toBe(2);
}
