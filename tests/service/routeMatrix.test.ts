import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_ROUTES, type ApiRoute } from '../../src/api/index.ts';
import { LIMITS, PERMISSIONS, SCOPES, type Access, type Limit } from '../../src/domain/index.ts';
import { noteActivity } from '../../src/accounts/index.ts';
import type { Person } from './person.ts';
import { nonce, PASSWORD, TestService } from './testService.ts';
import { makeTask } from './testTasks.ts';

/**
 * Who may call each route, told a second time, independently of the contract: a route that is not here fails this test, and so does one whose
 * access changed. 'session' is a user in person, a permission is its name.
 */
const WHO: Readonly<Record<string, string>> = {
  'session.signUp': 'anyone', 'session.signIn': 'anyone', 'session.askReset': 'anyone', 'session.reset': 'anyone',
  'session.signInWithCode': 'anyone', 'session.show': 'user', 'session.signOut': 'session', 'session.list': 'session', 'session.end': 'session',
  'account.locations': 'anyone', 'account.show': 'settings.view', 'account.rename': 'administrator', 'account.secure': 'administrator',
  'account.terminate': 'owner in person', 'account.reactivate': 'owner in person',
  'profile.show': 'session', 'profile.rename': 'session', 'profile.changeEmail': 'session', 'profile.keepEmail': 'session', 'profile.changePassword': 'session',
  'profile.secondFactor': 'session', 'profile.beginSecondFactor': 'session', 'profile.confirmSecondFactor': 'session', 'profile.dropSecondFactor': 'session',
  'profile.renewRecoveryCodes': 'session',
  'users.list': 'administrator', 'users.add': 'administrator', 'users.change': 'administrator', 'users.remove': 'administrator',
  'users.inviteAgain': 'administrator', 'users.resetSecondFactor': 'administrator',
  'tokens.list': 'session', 'tokens.make': 'session', 'tokens.revoke': 'session',
  'activity.list': 'activity.view', 'activity.audit': 'activity.view', 'activity.events': 'activity.view',
  'plain.health': 'anyone', 'plain.readiness': 'anyone', 'plain.metrics': 'operator', 'plain.openApi': 'anyone', 'plain.auditFile': 'activity.view', 'plain.activityFile': 'activity.view',
  'tickets.list': 'support.view', 'tickets.open': 'support.view', 'tickets.show': 'support.view', 'tickets.add': 'support.view', 'tickets.setState': 'support.view',
  'plain.activate': 'anyone', 'plain.confirmEmail': 'anyone', 'service.outbox': 'operator', 'plain.consentCallback': 'session',
  'tasks.services': 'tasks.view', 'tasks.list': 'tasks.view', 'tasks.show': 'tasks.view', 'tasks.add': 'tasks.activate', 'tasks.beginConsent': 'tasks.activate in person',
  'tasks.authoriseAgain': 'tasks.modify in person', 'tasks.renewCredentials': 'tasks.modify', 'tasks.change': 'tasks.modify', 'tasks.discover': 'tasks.modify',
  'tasks.delete': 'tasks.delete', 'tasks.keep': 'tasks.delete',
  'entities.list': 'tasks.view', 'entities.count': 'tasks.view', 'entities.activate': 'tasks.activate', 'entities.pause': 'tasks.pause', 'entities.delete': 'tasks.delete',
  'entities.keep': 'tasks.delete', 'entities.tag': 'tasks.modify', 'entities.limit': 'owner in person',
  'plain.usageFile': 'tasks.view', 'tasks.mailUsage': 'tasks.view',
  'bulk.activateListed': 'tasks.activate', 'bulk.values': 'tasks.view',
  'rules.list': 'tasks.view', 'rules.make': 'tasks.activate', 'rules.change': 'tasks.activate', 'rules.delete': 'tasks.activate',
  'tags.list': 'tasks.view', 'tags.make': 'tasks.modify', 'tags.delete': 'tasks.modify',
};

const TO_MEND: readonly Limit[] = ['password-expired', 'two-factor-needed'];

/** Which routes are open to who is kept out of all others until something is mended. */
const DESPITE: Readonly<Record<string, readonly Limit[]>> = {
  'session.show': LIMITS, 'session.signOut': LIMITS, 'account.show': ['terminated'], 'account.reactivate': LIMITS,
  'profile.changePassword': TO_MEND, 'profile.secondFactor': TO_MEND, 'profile.beginSecondFactor': TO_MEND, 'profile.confirmSecondFactor': TO_MEND,
};

/** A body that each route takes, where it takes one. */
const BODIES: Readonly<Record<string, () => object>> = {
  'session.signUp': () => ({ name: 'N', company: 'C', email: `${nonce()}@example.test`, password: PASSWORD, location: 'local' }),
  'session.signIn': () => ({ email: `${nonce()}@example.test`, password: PASSWORD }),
  'session.askReset': () => ({ email: `${nonce()}@example.test` }),
  'session.reset': () => ({ password: PASSWORD }),
  'account.rename': () => ({ company: 'Renamed' }),
  'users.add': () => ({ name: 'N', email: `${nonce()}@example.test`, password: PASSWORD, role: 'custom' }),
  'account.secure': () => ({ twoFactorEnforced: false }),
  'profile.rename': () => ({ name: 'N' }),
  'users.change': () => ({ role: 'administrator' }),
  'tickets.open': () => ({ subject: 'S', text: 'T' }),
  'tickets.add': () => ({ text: 'T' }),
  'tickets.setState': () => ({ state: 'closed' }),
  'tokens.make': () => ({ name: 'N', scopes: ['tasks.view'], days: 1 }),
  'tasks.add': () => ({ service: 'none', name: 'N', credentials: CREDENTIALS }), 'tasks.beginConsent': () => ({ service: 'none', name: 'N' }),
  'tasks.renewCredentials': () => CREDENTIALS, 'tasks.change': () => ({ name: 'N' }), 'tasks.delete': () => ({ name: 'Marker Task' }),
  'entities.activate': () => CHOSEN, 'entities.pause': () => CHOSEN, 'entities.keep': () => CHOSEN, 'entities.delete': () => ({ ...CHOSEN, confirm: true }),
  'entities.tag': () => CHOSEN, 'entities.limit': () => ({ ...CHOSEN, limited: true, confirm: true }), 'tags.make': () => ({ name: nonce() }),
  'bulk.activateListed': () => ({ csv: 'Account Email\nnobody@example.test' }),
  'rules.make': () => ({ name: 'N', activates: { kind: 'all' } }), 'rules.change': () => ({ enabled: false }),
};

/** What an address has to say besides ids. */
const QUERIES: Readonly<Record<string, string>> = { 'plain.activate': '?token=x', 'plain.confirmEmail': '?token=x', 'bulk.values': '?property=department' };

const CREDENTIALS = { host: 'mail.invalid', user: 'u', password: 'p' };
const CHOSEN = { selection: { all: true } };

/** What kinds of route a caller is let into; else 401 for who is not known, 403 for who is. */
interface Caller {
  readonly name: string;
  readonly person: Person;
  readonly known: boolean;
  readonly may: (who: string) => boolean;
  /** What keeps this caller out of what they may do. */
  readonly limit?: Limit;
  /** Before each route: one of them mends it, and what is lacking depends on it. */
  readonly renew?: (who: string) => Promise<unknown>;
}

let service: TestService;
let callers: Caller[];
let owner: Person;

beforeAll(async () => {
  service = await TestService.start();
  owner = await service.owner('Marker Company');
  const { id } = await owner.read<{ id: string }>('/api/v1/account');
  await noteActivity(service.context, service.database.query, { accountId: id, kind: 'backup', status: 'running', task: { id: 'task', name: 'Marker Company' }, actor: undefined });
  const administrator = await service.user(owner, { role: 'administrator' });
  const nothing = await service.user(owner, { role: 'custom' });
  const all = await service.user(owner, { role: 'custom', permissions: PERMISSIONS });
  const known = (name: string, person: Person, may: Caller['may']): Caller => ({ name, person, known: true, may });
  const permission = (who: string) => who.includes('.');
  const throughToken = (who: string) => permission(who) && !who.endsWith(' in person');
  const inPerson = (who: string) => who === 'user' || who === 'session';
  callers = [
    ...await strangers(),
    ...await limited(),
    known('the owner', owner, (who) => who !== 'operator'),
    known('an administrator', administrator, (who) => who !== 'operator' && who !== 'owner in person'),
    known('a custom user without permissions', nothing, inPerson),
    known('a custom user with all permissions', all, (who) => inPerson(who) || permission(who)),
    known('a token of the owner for everything', await owner.withToken(...SCOPES), (who) => who === 'user' || throughToken(who) || who === 'administrator'),
    known('a token of the owner that may not administer', await owner.withToken(...PERMISSIONS), (who) => who === 'user' || throughToken(who)),
    known('a token with all scopes of a user without permissions', await nothing.withToken(...SCOPES), (who) => who === 'user'),
  ];
  const lacking = await service.user(owner, { role: 'custom', permissions: PERMISSIONS });
  const program = await owner.withToken(...SCOPES);
  callers.push({
    ...known('a custom user with all permissions but the one', lacking, inPerson),
    renew: (who) => service.database.pool.query(`update members set permissions = $1 where user_id = (select id from users where email = $2)`, [PERMISSIONS.filter((one) => !isPermission(who, one)), lacking.email]),
  }, {
    ...known('a token with all scopes but the one', program, (who) => who === 'user' || who === 'administrator'),
    renew: (who) => service.database.pool.query('update api_tokens set scopes = $1 where digest = sha256($2::bytea)', [SCOPES.filter((one) => !isPermission(who, one)), program.token]),
  });
});

afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

function isPermission(who: string, permission: string): boolean {
  return who === permission || who === `${permission} in person`;
}

/** Owners, and a program of one, who are kept out by a limit. */
async function limited(): Promise<Caller[]> {
  const { pool } = service.database;
  const of = async (limit: Limit, change: string): Promise<Caller & { readonly id: unknown }> => {
    const person = await service.owner();
    const { id } = await person.read<{ id: string }>('/api/v1/account');
    const renew = () => pool.query(change, [id]);
    return { name: `an owner with the limit ${limit}`, person, known: true, may: (who) => who !== 'operator', limit, renew, id };
  };
  const enforced = await of('two-factor-needed', 'update accounts set two_factor_enforced = true where id = $1');
  const program = await enforced.person.withToken(...SCOPES);
  return [
    enforced, { ...enforced, name: 'a program of an owner without a second factor', person: program, may: (who) => who === 'user' || (who.includes('.') && !who.endsWith(' in person')) || who === 'administrator' },
    await of('password-expired', `with a as (update accounts set password_days = 1 where id = $1 returning id)
      update members set password_set_at = now() - interval '2 days' where account_id in (select id from a)`),
    await of('terminated', `update accounts set terminated_at = now(), gone_at = now() + interval '7 days' where id = $1`),
  ];
}

/** Everybody whom the service must not know. */
async function strangers(): Promise<Caller[]> {
  const stranger = (name: string, person: Person): Caller => ({ name, person, known: false, may: () => false });
  const expired = await service.owner();
  await service.database.pool.query(`update sessions set expires_at = now() - interval '1 second' where user_id = (select id from users where email = $1)`, [expired.email]);
  const out = service.person();
  await out.signIn(expired.email, PASSWORD);
  const kept = new Map(out.cookies);
  await out.must(204, 'DELETE', '/api/v1/session');
  out.cookies = kept;
  const removed = await service.user(owner, { role: 'administrator' });
  const { user } = await removed.read<{ user: { id: string } }>('/api/v1/session');
  await owner.must(204, 'DELETE', `/api/v1/users/${user.id}`);
  const forged = service.person();
  forged.cookies = new Map([...owner.cookies].map(([name, value]) => [name, `${value.split('.')[0]}.${'A'.repeat(43)}%3D`]));
  const oldToken = await owner.withToken(...SCOPES);
  await service.database.pool.query(`update api_tokens set expires_at = now() - interval '1 second' where digest = sha256($1::bytea)`, [oldToken.token]);
  const revoked = await owner.withToken(...SCOPES);
  const { rows } = await service.database.pool.query<{ id: string }>('select id from api_tokens where digest = sha256($1::bytea)', [revoked.token]);
  await owner.must(204, 'DELETE', `/api/v1/tokens/${rows[0]?.id}`);
  const madeUp = service.person();
  madeUp.token = `holdfast_${'a'.repeat(43)}`;
  const both = service.person();
  both.cookies = owner.cookies;
  both.token = 'nonsense';
  return [
    stranger('nobody', service.person()), stranger('an expired session', expired), stranger('a session that was signed out', out),
    stranger('a user who was removed', removed), stranger('a cookie with another signature', forged), stranger('an expired token', oldToken),
    stranger('a revoked token', revoked), stranger('a token that was made up', madeUp), stranger('a token that was made up, beside a good cookie', both),
  ];
}

/** With ids that nobody has. */
async function call(person: Person, { name, method, path }: ApiRoute): Promise<{ status: number; code: unknown; type: string | null }> {
  const ending = new AbortController();
  const address = path.replaceAll(/\{\w+\}/g, 'nobody-has-this') + (QUERIES[name] ?? '');
  const response = await person.request(method, address, BODIES[name]?.(), { signal: ending.signal });
  const type = response.headers.get('content-type');
  const code = type === 'application/problem+json' ? (await response.json() as { code: string }).code : undefined;
  ending.abort();
  return { status: response.status, code, type };
}

function whoOf(access: Access | undefined): string | undefined {
  if (access?.who === 'permitted') return access.session === true ? `${access.permission} in person` : access.permission;
  if (access?.who === 'user' && access.session === true) return 'session';
  if (access?.who === 'owner' && access.session === true) return 'owner in person';
  return access?.who;
}

test('the table names every route and no other, and the contract agrees with it', () => {
  expect(Object.fromEntries(API_ROUTES.map(({ name, access }) => [name, whoOf(access)]))).toEqual(WHO);
  const despite = API_ROUTES.flatMap(({ name, access }) => (access !== undefined && 'despite' in access ? [[name, [...access.despite ?? []].toSorted()] as const] : []));
  expect(Object.fromEntries(despite)).toEqual(Object.fromEntries(Object.entries(DESPITE).map(([name, limits]) => [name, [...limits].toSorted()])));
});

describe.each(API_ROUTES.map((route) => [route.name, route] as const))('%s', (name, route) => {
  test('is called by everybody, and lets in who may', async () => {
    const who = WHO[name] ?? 'nobody';
    // Who calls makes no difference where nobody is asked: some will do.
    for (const caller of who === 'anyone' ? callers.slice(0, 2) : callers) {
      await caller.renew?.(who);
      const { person } = caller;
      const cookies = new Map(person.cookies);
      const own = name === 'session.signOut' ? await freshSession(person) : person;
      const { status, code } = await call(own, route);
      const about = `${caller.name} calls ${route.method} ${route.path}: ${status} ${String(code)}`;
      const refusal = refusalOf(caller, name, who);
      if (refusal !== undefined) expect([status, code], about).toEqual(refusal);
      else if (name !== 'session.signIn') expect([401, 403], about).not.toContain(status);
      person.cookies = cookies;
    }
  });

  test('refuses a browser that comes from another page', async () => {
    if (route.method === 'GET') return;
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { origin: undefined }, { origin: undefined, 'sec-fetch-site': 'cross-site' }]) {
      const { status, body } = await owner.call(route.method, route.path.replaceAll(/\{\w+\}/g, 'nobody-has-this'), BODIES[name]?.(), { headers });
      expect([status, body?.['code']]).toEqual([403, 'api/other-origin']);
    }
  });
});

/** How the caller has to be refused; undefined: not at all. */
function refusalOf({ known, may, limit }: Caller, name: string, who: string): [number, string] | undefined {
  if (who === 'anyone') return undefined;
  if (!may(who)) return known || who === 'operator' ? [403, 'api/forbidden'] : [401, 'api/unknown-caller'];
  return limit === undefined || DESPITE[name]?.includes(limit) === true ? undefined : [403, `accounts/${limit}`];
}

/** Signing out ends the session that it is called with: somebody else's go on. */
async function freshSession(person: Person): Promise<Person> {
  if (person.email === '' || person.token !== undefined || person.cookies.size === 0) return person;
  const { status } = await person.call('GET', '/api/v1/session');
  if (status !== 200) return person;
  const fresh = service.person();
  await fresh.signIn(person.email, PASSWORD);
  return fresh;
}

describe('another account', () => {
  test('sees nothing of this one in any list', async () => {
    const other = await service.owner('Other Company');
    const all = await other.withToken(...SCOPES);
    for (const route of API_ROUTES.filter(({ method, path, access }) => method === 'GET' && !path.includes('{') && access?.who !== 'anyone' && access?.who !== 'operator')) {
      if (route.name === 'activity.events' || route.name === 'plain.consentCallback') continue;
      for (const person of route.access !== undefined && 'session' in route.access && route.access.session === true ? [other] : [other, all]) {
        const { text } = await person.must(200, 'GET', route.path);
        expect(text, route.name).not.toMatch(/Marker (Company|Task|Tag)/);
        expect(text, route.name).not.toContain(owner.email);
      }
    }
  });

  test('reaches nothing of this one by its id', async () => {
    const other = await service.owner();
    const users = await owner.read<{ items: { id: string; role: string }[] }>('/api/v1/users');
    const user = users.items.find(({ role }) => role === 'custom')!.id;
    const token = (await owner.must(201, 'POST', '/api/v1/tokens', { name: 'kept', scopes: ['tasks.view'], days: 1 })).body?.['id'];
    const ticket = (await owner.must(201, 'POST', '/api/v1/tickets', { subject: 'Marker Company', text: 'kept' })).body?.['id'];
    const session = (await owner.read<{ items: { id: string }[] }>('/api/v1/sessions')).items[0]?.id;
    const task = await makeTask(service, owner, 3, { name: `Marker Task ${nonce()}` });
    const tag = (await owner.must(201, 'POST', '/api/v1/tags', { name: `Marker Tag ${nonce()}` })).body?.['id'];
    const rule = (await owner.must(201, 'POST', `/api/v1/tasks/${task}/rules`, { name: 'Marker', activates: { kind: 'all' } })).body?.['id'];
    const ids: Readonly<Record<string, unknown>> = {
      ...Object.fromEntries(API_ROUTES.filter(({ path }) => path.startsWith('/api/v1/tasks/{id}')).map(({ name }) => [name, task])), 'tags.delete': tag, 'rules.change': rule, 'rules.delete': rule,
      'users.change': user, 'users.remove': user, 'users.inviteAgain': user, 'users.resetSecondFactor': user, 'tokens.revoke': token, 'session.end': session,
      'tickets.show': ticket, 'tickets.add': ticket, 'tickets.setState': ticket };
    const withId = API_ROUTES.filter(({ path, access }) => path.includes('{id}') && access?.who !== 'anyone');
    expect(withId.map(({ name }) => name).toSorted()).toEqual(Object.keys(ids).toSorted());
    const before = await snapshot();
    for (const { name, method, path } of withId) {
      const answer = await other.call(method, path.replace('{id}', String(ids[name])) + (QUERIES[name] ?? ''), BODIES[name]?.());
      expect([name, answer.status, answer.body?.['code']]).toEqual([name, 404, expect.stringMatching(/^(accounts|tasks)\/not-found$/)]);
    }
    expect(await snapshot()).toEqual(before);
  });

  async function snapshot(): Promise<unknown[]> {
    const members = 'select user_id from members where account_id = (select account_id from members join users on users.id = user_id where email = $1)';
    const questions = [
      `select * from members where user_id in (${members}) order by user_id`, `select id from sessions where user_id in (${members}) order by id`,
      `select id, revoked_at from api_tokens where user_id in (${members}) order by id`,
      `select t.*, c.*, e.* from tasks t join connections c on c.task_id = t.id join entities e on e.task_id = t.id where t.account_id in (select account_id from members where user_id in (${members})) order by e.id`,
      `select * from rules where account_id in (select account_id from members where user_id in (${members})) order by id`,
      `select * from tags where account_id in (select account_id from members where user_id in (${members})) order by id`,
      `select * from tickets where user_id in (${members}) order by id`,
    ];
    return Promise.all(questions.map(async (question) => (await service.database.pool.query(question, [owner.email])).rows));
  }
});

test('a user of other services sees and reaches nothing of a task', async () => {
  const task = await makeTask(service, owner, 3, { name: 'Hidden Task' });
  const rule = String((await owner.must(201, 'POST', `/api/v1/tasks/${task}/rules`, { name: 'Hidden Task Rule', activates: { kind: 'all' } })).body?.['id']);
  const user = await service.user(owner, { role: 'custom', permissions: PERMISSIONS, services: ['imap'] });
  const rows = async (): Promise<unknown[]> => (await service.database.pool.query('select t.*, r.*, e.* from tasks t join rules r on r.task_id = t.id join entities e on e.task_id = t.id where t.id = $1 order by e.id', [task])).rows;
  const before = await rows();
  for (const { name, method, path, access } of API_ROUTES) {
    if (access?.who !== 'permitted' || name === 'activity.audit' || name === 'activity.events' || name === 'plain.auditFile') continue;
    const answer = await user.call(method, path.replace('{id}', path.startsWith('/api/v1/rules/') ? rule : task) + (QUERIES[name] ?? ''), BODIES[name]?.());
    expect(answer.text, name).not.toMatch(/Hidden Task|"exchange"/);
    if (/^\/api\/v1\/(tasks|rules)\/\{id\}/.test(path)) expect([name, answer.status, answer.body?.['code']]).toEqual([name, 404, 'tasks/not-found']);
  }
  expect(await user.read('/api/v1/services')).toMatchObject({ items: [{ service: 'imap' }] });
  expect((await user.call('POST', '/api/v1/authorisations', { service: 'exchange', name: 'N' })).status).toBe(404);
  expect(await rows()).toEqual(before);
});
