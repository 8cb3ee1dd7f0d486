import { afterAll, beforeAll, expect, test } from 'vitest';
import { noteActivity } from '../../src/accounts/index.ts';
import { startMicrosoft365, type Microsoft365 } from '../../simulators/microsoft365/index.ts';
import { startDovecot, type Dovecot } from '../servers/dovecot.ts';
import { waitUntil } from '../servers/startProcess.ts';
import type { Person } from './person.ts';
import { TestService } from './testService.ts';

interface Task {
  readonly id: string;
  readonly status: string;
  readonly connection: { readonly connected: boolean; readonly label: string; readonly trouble?: string };
  readonly entities: Readonly<Record<string, number>>;
  readonly discovery: { readonly at?: string; readonly running: boolean; readonly failure?: string };
  readonly reminder?: string;
}

interface Entity {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly kind: string;
  readonly licence: string;
  readonly status: string;
}

let service: TestService;
let tenant: Microsoft365;
let dovecot: Dovecot;
let owner: Person;

beforeAll(async () => {
  [tenant, dovecot] = await Promise.all([startMicrosoft365({ mailboxes: 12, items: 0, consented: false }), startDovecot({ users: { 'carol@example.test': 'her own password' } })]);
  service = await TestService.start({
    roles: ['web', 'worker'],
    environment: {
      MICROSOFT_CLIENT_ID: tenant.clientId, MICROSOFT_CLIENT_SECRET: tenant.clientSecret, MICROSOFT_LOGIN_URL: tenant.loginUrl, MICROSOFT_GRAPH_URL: tenant.graphUrl,
      HOLDFAST_OPEN_NETWORKS: '127.0.0.0/8',
    },
  });
  tenant.allowRedirect(`${service.url}/api/v1/authorisations/callback`);
  owner = await service.owner();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await Promise.all([tenant.close(), dovecot.stop()]);
});

const CALLBACK = '/api/v1/authorisations/callback';

/** Answers a page of the provider, as its form would, and gives what the provider sends to the callback. */
async function atProvider(url: string, answer: Readonly<Record<string, string>>): Promise<string> {
  const page = new URL(url);
  expect((await fetch(page)).status).toBe(200);
  for (const [name, value] of Object.entries(answer)) page.searchParams.set(name, value);
  const location = (await fetch(page, { redirect: 'manual' })).headers.get('location') ?? '';
  expect(location.startsWith(`${service.url}${CALLBACK}?`)).toBe(true);
  return location.slice(service.url.length);
}

async function begin(person: Person, name: string): Promise<string> {
  return String((await person.must(200, 'POST', '/api/v1/authorisations', { service: 'exchange', name })).body?.['url']);
}

/** Both steps. Gives what the start page is told. */
async function consent(person: Person, url: string, login = tenant.administrator): Promise<URLSearchParams> {
  const second = (await person.must(303, 'GET', await atProvider(url, { decision: 'accept' }))).location ?? '';
  const { location } = await person.must(303, 'GET', await atProvider(second, { login }));
  return new URL(location ?? '').searchParams;
}

async function show(person: Person, id: string): Promise<Task> {
  return person.read<Task>(`/api/v1/tasks/${id}`);
}

/** When its entities were read, later than `before`. */
async function read(person: Person, id: string, before?: string): Promise<Task> {
  let task = await show(person, id);
  await waitUntil(async () => {
    task = await show(person, id);
    return task.discovery.at !== undefined && task.discovery.at !== before && !task.discovery.running;
  }, () => `not read: ${JSON.stringify(task)}`);
  return task;
}

async function refresh(person: Person, id: string): Promise<Task> {
  const { discovery } = await show(person, id);
  await person.must(202, 'POST', `/api/v1/tasks/${id}/discovery`);
  return read(person, id, discovery.at);
}

async function entitiesOf(person: Person, id: string): Promise<Entity[]> {
  return (await person.read<{ items: Entity[] }>(`/api/v1/tasks/${id}/entities?limit=200`)).items;
}

async function codeOf(answer: ReturnType<Person['call']>): Promise<[number, unknown]> {
  const { status, body } = await answer;
  return [status, body?.['code']];
}

const mailbox = (more: object = {}) => ({ host: 'localhost', port: dovecot.tlsPort, user: 'carol@example.test', password: 'her own password', ca: dovecot.ca, ...more });

test('services tell what they include and need', async () => {
  const { items } = await owner.read<{ items: { service: string; authorisation: string; includes: string[]; needs: string[]; missing?: string }[] }>('/api/v1/services');
  expect(items.map(({ service: id, authorisation, missing }) => [id, authorisation, missing])).toEqual([['exchange', 'consent', undefined], ['imap', 'credentials', undefined]]);
  expect(items[0]?.includes).toEqual(['Mail', 'Calendar', 'Contacts', 'Tasks']);
  expect((items as { bulk?: string[] }[]).map(({ bulk }) => bulk)).toEqual([['attributes', 'csv'], []]);
  expect(items[0]?.needs.join(' ')).toMatch(/licence.*Global Administrator/);
});

test('an administrator consents and signs in, and the tenant is read; what vanishes is archived, and is again what it was when it comes back', async () => {
  const told = await consent(owner, await begin(owner, 'Our mail'));
  expect(told.get('authorisation')).toBe('done');
  const id = told.get('task') ?? '';
  const task = await read(owner, id);
  expect(task).toMatchObject({ status: 'not-active', connection: { connected: true, label: 'contoso.example' }, entities: { total: 12, active: 0 }, reminder: '0 out of 12 mailboxes have activated backups' });
  const found = await entitiesOf(owner, id);
  expect(found.map(({ address }) => address).toSorted()).toEqual([...tenant.mailboxes].toSorted());
  expect(found.filter(({ licence }) => licence === 'unlicensed').map(({ kind }) => kind)).toEqual(['shared']);
  expect(found.every(({ status }) => status === 'not-active')).toBe(true);
  const [gone, never] = tenant.mailboxes.slice(2, 4) as [string, string];
  const { id: entity } = found.find(({ address }) => address === gone)!;
  await owner.must(200, 'POST', `/api/v1/tasks/${id}/entities/activation`, { selection: { ids: [entity] } });
  for (const address of [gone, never]) tenant.deleteUser(address);
  expect((await refresh(owner, id)).entities).toMatchObject({ total: 11, active: 0, archived: 1 });
  expect((await entitiesOf(owner, id)).find((one) => one.id === entity)).toMatchObject({ status: 'archived' });
  expect((await owner.must(200, 'POST', `/api/v1/tasks/${id}/entities/activation`, { selection: { ids: [entity] } })).body).toEqual({ chosen: 1, changed: 0 });
  await owner.must(200, 'PATCH', `/api/v1/tasks/${id}`, { autoActivate: true });
  for (const address of [gone, never]) tenant.restoreUser(address);
  // One comes back as it was; the other was never more than listed, and so is new.
  expect((await refresh(owner, id)).entities).toMatchObject({ total: 12, active: 2, archived: 0 });
  expect((await entitiesOf(owner, id)).find((one) => one.id === entity)).toMatchObject({ status: 'scheduled' });
  const { items } = await owner.read<{ items: { status: string; entities: number; details: object }[] }>(`/api/v1/activities?kind=discovery&task=${id}`);
  expect(items.map(({ status, entities, details }) => [status, entities, details])).toEqual([
    ['succeeded', 12, { added: 1, returned: 1, activated: 1, archived: 0 }], ['succeeded', 10, { added: 0, returned: 0, activated: 0, archived: 1 }], ['succeeded', 12, { added: 12, returned: 0, activated: 0, archived: 0 }],
  ]);
});

test('a consent counts for the session that began it, once; what the browser claims about the tenant proves nothing', async () => {
  const other = await service.owner();
  const url = await begin(owner, 'Twice');
  const back = await atProvider(url, { decision: 'accept' });
  for (const person of [other, await service.user(owner, { role: 'administrator' })]) {
    expect((await person.must(303, 'GET', back)).location).toBe(`${service.url}/?authorisation=bad-state`);
  }
  await service.person().must(401, 'GET', back);
  expect((await owner.must(303, 'GET', back)).location).toContain('/oauth2/v2.0/authorize?');
  expect((await owner.must(303, 'GET', back)).location).toBe(`${service.url}/?authorisation=bad-state`);
  // An attacker with an account of their own names a tenant that has consented to somebody else's task; they cannot sign in as its administrator.
  const state = new URL(await begin(other, 'Stolen')).searchParams.get('state') ?? '';
  const second = (await other.must(303, 'GET', `${CALLBACK}?state=${state}&admin_consent=True&tenant=${tenant.tenant}`)).location ?? '';
  const member = await atProvider(second, { login: tenant.mailboxes[1] ?? '' });
  expect((await other.must(303, 'GET', member)).location).toBe(`${service.url}/?authorisation=no-administrator`);
  const third = new URL(await begin(other, 'Stolen')).searchParams.get('state') ?? '';
  const page = (await other.must(303, 'GET', `${CALLBACK}?state=${third}&admin_consent=True&tenant=${tenant.tenant}`)).location ?? '';
  const lastState = new URL(page).searchParams.get('state') ?? '';
  expect((await other.must(303, 'GET', `${CALLBACK}?state=${lastState}&code=made-up`)).location).toBe(`${service.url}/?authorisation=not-connected`);
  const declined = await atProvider(await begin(other, 'No'), { decision: 'cancel' });
  expect((await other.must(303, 'GET', declined)).location).toBe(`${service.url}/?authorisation=declined`);
  const late = await atProvider(await begin(other, 'Late'), { decision: 'accept' });
  await service.database.pool.query(`update authorisations set expires_at = now() - interval '1 second'`);
  expect((await other.must(303, 'GET', late)).location).toBe(`${service.url}/?authorisation=bad-state`);
  expect(await other.read('/api/v1/tasks')).toEqual({ items: [], total: 0 });
  const { items } = await other.read<{ items: { kind: string; details: { reason?: string } }[] }>('/api/v1/audit?kind=task.authorisation.failed');
  expect(items.map(({ details }) => details.reason)).toEqual([expect.stringContaining('did not agree'), expect.stringContaining('Microsoft'), expect.stringContaining('no Global Administrator')]);
});

test('rights that were taken away while the page was open count', async () => {
  const user = await service.user(owner, { role: 'custom', permissions: ['tasks.view', 'tasks.activate'] });
  const back = await atProvider(await begin(user, 'Too late'), { decision: 'accept' });
  const { user: { id } } = await user.read<{ user: { id: string } }>('/api/v1/session');
  await owner.must(200, 'PATCH', `/api/v1/users/${id}`, { role: 'custom', permissions: ['tasks.view'] });
  expect((await user.must(303, 'GET', back)).location).toBe(`${service.url}/?authorisation=bad-state`);
});

test('what a person has to mend disconnects the task, and a new authorisation of the same owner connects it', async () => {
  const id = (await consent(owner, await begin(owner, 'Withdrawn'))).get('task') ?? '';
  await read(owner, id);
  tenant.withdrawPermission('User.Read.All');
  for (const other of ['User.ReadWrite.All', 'Directory.Read.All']) tenant.withdrawPermission(other);
  await owner.must(202, 'POST', `/api/v1/tasks/${id}/discovery`);
  let task = await show(owner, id);
  await waitUntil(async () => {
    task = await show(owner, id);
    return !task.connection.connected;
  }, () => JSON.stringify(task));
  expect(task).toMatchObject({ status: 'disconnected', entities: { total: 12, archived: 0 }, connection: { trouble: expect.stringContaining('User.Read.All') } });
  expect(await codeOf(owner.call('POST', `/api/v1/tasks/${id}/discovery`))).toEqual([409, 'tasks/conflict']);
  const url = String((await owner.must(200, 'POST', `/api/v1/tasks/${id}/authorisation`)).body?.['url']);
  expect((await consent(owner, url)).get('task')).toBe(id);
  expect(await read(owner, id, task.discovery.at)).toMatchObject({ connection: { connected: true }, entities: { total: 12 } });
});

test('what another process reads is left to it, until it is silent for too long', async () => {
  const id = (await consent(owner, await begin(owner, 'Held'))).get('task') ?? '';
  const before = (await read(owner, id)).discovery.at;
  const { pool, query } = service.database;
  const { account } = await owner.read<{ account: { id: string } }>('/api/v1/session');
  const run = await noteActivity(service.context, query, { accountId: account.id, kind: 'discovery', status: 'running', service: 'exchange', task: { id, name: 'Held' }, actor: undefined });
  await pool.query(`update tasks set discovery_run = $1, discovery_lease_until = now() + interval '1 hour' where id = $2`, [run, id]);
  await owner.must(202, 'POST', `/api/v1/tasks/${id}/discovery`);
  // Somebody else's task, which is asked for afterwards, is read meanwhile.
  const other = (await consent(owner, await begin(owner, 'Free'))).get('task') ?? '';
  await read(owner, other);
  expect((await show(owner, id)).discovery).toEqual({ running: true, at: before });
  await pool.query(`update tasks set discovery_lease_until = now() - interval '1 second' where id = $1`, [id]);
  await owner.must(202, 'POST', `/api/v1/tasks/${id}/discovery`);
  await read(owner, id, before);
  const { items } = await owner.read<{ items: { id: string; status: string }[] }>(`/api/v1/activities?task=${id}&kind=discovery`);
  expect(items.map(({ id: one, status }) => [one === run, status])).toEqual([[false, 'succeeded'], [true, 'failed'], [false, 'succeeded']]);
});

test('a mailbox is tried for real before its password is kept, sealed', async () => {
  const person = await service.owner();
  const add = (credentials: object, name = 'Carol') => person.call('POST', '/api/v1/tasks', { service: 'imap', name, credentials });
  const wrong = await add(mailbox({ password: 'another one' }));
  expect([wrong.status, wrong.body?.['code'], wrong.body?.['detail']]).toEqual([422, 'tasks/not-connected', expect.stringContaining('Check user name and password')]);
  expect(await codeOf(add(mailbox({ ca: undefined })))).toEqual([422, 'tasks/not-connected']);
  for (const more of [{ port: 1 }, { ca: 'no certificate' }, { host: 'a..b' }]) expect([more, ...await codeOf(add(mailbox(more)))]).toEqual([more, 422, 'tasks/not-connected']);
  expect(await person.read('/api/v1/tasks')).toEqual({ items: [], total: 0 });
  const { body } = await add(mailbox());
  const id = String(body?.['id']);
  expect(body).toMatchObject({ service: 'imap', name: 'Carol', connection: { connected: true, label: 'carol@example.test on localhost' } });
  expect(await codeOf(add(mailbox(), 'CAROL'))).toEqual([409, 'tasks/exists']);
  expect((await read(person, id)).entities).toMatchObject({ total: 1 });
  expect(await entitiesOf(person, id)).toMatchObject([{ address: 'carol@example.test', kind: 'mailbox', licence: 'none' }]);
  expect(await codeOf(person.call('POST', `/api/v1/tasks/${id}/authorisation`))).toEqual([409, 'tasks/conflict']);
  await person.must(204, 'PUT', `/api/v1/tasks/${id}/credentials`, mailbox({ tls: 'starttls', port: dovecot.port }));
  expect(await codeOf(person.call('PUT', `/api/v1/tasks/${id}/credentials`, mailbox({ host: '127.0.0.1' })))).toEqual([409, 'tasks/conflict']);
  const { rows } = await service.database.pool.query<{ row: string }>(`select t::text as row from connections t union all select details::text from audit_entries union all select t::text from tasks t`);
  const dump = rows.map(({ row }) => row).join('\n') + service.lines.join('');
  for (const form of ['her own password', Buffer.from('her own password').toString('hex'), tenant.clientSecret, tenant.tenant]) {
    expect(dump.replaceAll(`${tenant.tenant},contoso.example`, '')).not.toContain(form);
  }
});

test('accounts are reviewed by what the directory says, and rules activate new ones alone', async () => {
  const person = await service.owner();
  const id = (await consent(person, await begin(person, 'By department'))).get('task')!;
  await read(person, id);
  const path = `/api/v1/tasks/${id}`;
  const filter = (department: string): object => ({ attributes: { department: [department] } });
  const inDepartment = async (department: string): Promise<Entity[]> =>
    (await person.read<{ items: Entity[] }>(`${path}/entities?attributes=${encodeURIComponent(JSON.stringify({ department: [department] }))}`)).items;
  const values = async () => (await person.read<{ items: { value: string; total: number; active: number }[]; next?: string }>(`${path}/attributes?property=department`)).items;
  const found = await values();
  for (const { value, total } of found) expect([value, (await inDepartment(value)).length]).toEqual([value, total]);
  expect(found.map(({ total }) => total).reduce((sum, total) => sum + total)).toBe(12);
  const page = await person.read<{ items: object[]; next: string }>(`${path}/attributes?property=department&limit=1`);
  expect([...page.items, ...(await person.read<{ items: object[] }>(`${path}/attributes?property=department&cursor=${page.next}`)).items]).toEqual(found);
  expect((await person.read<{ items: object[] }>(`${path}/attributes?property=department&search=${found[0]!.value.slice(1).toUpperCase()}`)).items).toEqual(found.slice(0, 1));
  const [big, other] = found.toSorted((a, b) => b.total - a.total).map(({ value }) => value) as [string, string];
  const [first, second, third] = (await inDepartment(big)).filter(({ licence }) => licence === 'licensed') as [Entity, Entity, Entity | undefined];
  const [elsewhere] = await inDepartment(other) as [Entity];
  expect((await person.must(200, 'POST', `${path}/entities/activation`, { selection: { all: true, filter: filter(other), except: [elsewhere.id] } })).body).toMatchObject({ changed: (await inDepartment(other)).length - 1 });

  const addresses = [first, second, elsewhere].map(({ address }) => address) as [string, string, string];
  const again = async (some: readonly string[]): Promise<Map<string, string>> => {
    for (const address of some) tenant.deleteUser(address);
    await refresh(person, id);
    for (const address of some) tenant.restoreUser(address);
    await refresh(person, id);
    return new Map((await entitiesOf(person, id)).map(({ address, status }) => [address, status]));
  };
  const make = (activates: object) => person.call('POST', `${path}/rules`, { name: 'New colleagues', activates });
  const made = await make({ kind: 'attributes', conditions: { department: [big], usageLocation: ['DE', ''] } });
  const rule = `/api/v1/rules/${String(made.body!['id'])}`;
  const now = await again([addresses[0], addresses[2]]);
  expect(addresses.map((address) => now.get(address))).toEqual(['scheduled', 'not-active', 'not-active']);
  if (third !== undefined) expect(now.get(third.address)).toBe('not-active');
  const activities = async () => (await person.read<{ items: object[] }>('/api/v1/activities?kind=entities.activated')).items;
  const noted = await activities();
  expect(noted[0]).toMatchObject({ performedBy: 'Holdfast', entities: 1, details: { by: 'rules' }, task: { id } });
  await person.must(200, 'PATCH', rule, { enabled: false });
  expect((await again([addresses[1]])).get(addresses[1])).toBe('not-active');
  expect(await activities()).toEqual(noted);
  expect((await person.must(200, 'PATCH', rule, { name: 'Renamed', enabled: true, conditions: { department: [other] } })).body).toMatchObject({ name: 'Renamed', enabled: true, activates: { conditions: { department: [other] } } });
  expect((await again([addresses[2]])).get(addresses[2])).toBe('scheduled');

  // The setting of the task is the rule for all.
  await person.must(200, 'PATCH', path, { autoActivate: true });
  const rules = await person.read<{ items: { id: string; name: string; activates: object }[] }>(`${path}/rules`);
  expect(rules.items.map(({ activates }) => activates)).toEqual([{ kind: 'attributes', conditions: { department: [other] } }, { kind: 'all' }]);
  expect(await codeOf(make({ kind: 'all' }))).toEqual([409, 'tasks/exists']);
  const all = `/api/v1/rules/${rules.items[1]!.id}`;
  expect(await codeOf(person.call('PATCH', all, { conditions: { department: [big] } }))).toEqual([409, 'tasks/conflict']);
  await person.must(204, 'DELETE', all);
  expect((await person.read<{ settings: { autoActivate: boolean } }>(path)).settings.autoActivate).toBe(false);
  await person.must(204, 'DELETE', rule);
  expect(await person.read(`${path}/rules`)).toEqual({ items: [] });
  expect(await codeOf(make({ kind: 'attributes', conditions: { shoeSize: ['44'] } }))).toEqual([400, 'tasks/invalid']);
  for (const bad of [{ kind: 'attributes' }, { kind: 'attributes', conditions: {} }, { kind: 'attributes', conditions: { department: [] } }, { kind: 'all', conditions: { department: ['x'] } }]) expect((await make(bad)).status).toBe(400);
  for (const bad of ['x', '[]', '{}', '{"department":"x"}', 'null']) expect((await person.call('GET', `${path}/entities?attributes=${encodeURIComponent(bad)}`)).status).toBe(400);
  expect(await codeOf(person.call('GET', `${path}/attributes?property=shoeSize`))).toEqual([400, 'tasks/invalid']);
});

test('customers do not send the service into private networks', async () => {
  await using closed = await TestService.start();
  const person = await closed.owner();
  for (const host of ['127.0.0.1', 'localhost', '10.0.0.1', '169.254.169.254', '[::1]', '::ffff:127.0.0.1', '0x7f.1']) {
    const { status, body } = await person.call('POST', '/api/v1/tasks', { service: 'imap', name: 'In', credentials: mailbox({ host }) });
    expect([host, status, body?.['code']]).toEqual([host, 422, 'tasks/not-connected']);
    expect(body?.['detail']).toMatch(/private network|no host of the name/);
  }
  const { items } = await person.read<{ items: { service: string; missing?: string }[] }>('/api/v1/services');
  expect(items.find(({ service: id }) => id === 'exchange')?.missing).toContain('MICROSOFT_CLIENT_ID');
  const refused = await person.call('POST', '/api/v1/authorisations', { service: 'exchange', name: 'X' });
  expect([refused.status, refused.body?.['detail']]).toEqual([409, expect.stringContaining('MICROSOFT_CLIENT_ID')]);
  expect(await codeOf(person.call('POST', '/api/v1/tasks', { service: 'nothing', name: 'X', credentials: mailbox() }))).toEqual([404, 'tasks/not-found']);
});
