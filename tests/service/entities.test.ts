import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs, RootOperationNode } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENTITY_SORTS, ENTITY_STATUSES, type EntitySort, type Principal } from '../../src/domain/index.ts';
import { changeEntities, countEntities, entityQuery, eraseDue, PAUSE, pageOfEntities, pageOfTasks, type TasksContext } from '../../src/tasks/index.ts';
import type { Person } from './person.ts';
import { makeTask } from './testTasks.ts';
import { TestService } from './testService.ts';

interface Entity {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly kind: string;
  readonly licence: string;
  readonly status: string;
  readonly bytes: number;
  readonly lastBackupAt?: string;
  readonly goneAt?: string;
  readonly limited: boolean;
  readonly opens: boolean;
  readonly tags: readonly { readonly name: string }[];
  readonly elsewhere?: string;
}

interface Page {
  readonly items: Entity[];
  readonly next?: string;
}

const DAY_MS = 86_400_000;
let service: TestService;
let owner: Person;

beforeAll(async () => {
  service = await TestService.start();
  owner = await service.owner();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

async function all(person: Person, path: string, limit = 200): Promise<Entity[]> {
  const items: Entity[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const page: Page = await person.read<Page>(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}

const post = async (person: Person, path: string, body: object): Promise<unknown> => (await person.must(200, 'POST', path, body)).body;

test('every sort goes through all entities once, both ways, also where many are equal', async () => {
  const id = await makeTask(service, owner, 260);
  const valueOf: Record<EntitySort, (entity: Entity) => string | number> = {
    name: ({ name }) => name.toLowerCase(), address: ({ address }) => address.toLowerCase(), kind: ({ kind }) => kind, licence: ({ licence }) => licence, status: ({ status }) => status,
    bytes: ({ bytes }) => bytes, lastBackup: ({ lastBackupAt }) => lastBackupAt ?? '',
  };
  for (const sort of ENTITY_SORTS) {
    const up = await all(owner, `/api/v1/tasks/${id}/entities?sort=${sort}`, 47);
    expect([sort, new Set(up.map((entity) => entity.id)).size, up.length]).toEqual([sort, 260, 260]);
    const values = up.map(valueOf[sort]);
    expect(values, sort).toEqual(values.toSorted((a, b) => (a < b ? -1 : Number(a > b))));
    expect(await all(owner, `/api/v1/tasks/${id}/entities?sort=${sort}&order=down`, 91), sort).toEqual(up.toReversed());
  }
  const { next = '' } = await owner.read<Page>(`/api/v1/tasks/${id}/entities?limit=5`);
  for (const bad of [`sort=bytes&cursor=${next}`, `sort=lastBackup&cursor=${next}`, 'cursor=eA', `cursor=${Buffer.from('["a\\u0000","b"]').toString('base64url')}`]) {
    expect((await owner.must(400, 'GET', `/api/v1/tasks/${id}/entities?${bad}`)).body?.['code']).toBe('api/invalid');
  }
});

test('filters and search find what they say, and counts tell the same', async () => {
  const person = owner;
  const id = await makeTask(service, person, 140, { name: 'Filtered', kind: 'filtered' });
  const path = `/api/v1/tasks/${id}/entities`;
  const everything = await all(person, path);
  expect(new Set(everything.map(({ status }) => status))).toEqual(new Set(ENTITY_STATUSES.filter((status) => status !== 'deleting')));
  const { body: tag } = await person.must(201, 'POST', '/api/v1/tags', { name: 'Führung' });
  const tagged = everything.filter((_, place) => place % 9 === 0).map((entity) => entity.id);
  expect(await post(person, `${path}/tags`, { selection: { ids: tagged }, add: [tag?.['id']] })).toEqual({ chosen: tagged.length });
  const cases: [string, (entity: Entity) => boolean][] = [
    ['status=success', ({ status }) => status === 'success'], ['status=failed,partial', ({ status }) => status === 'failed' || status === 'partial'],
    ['licence=unlicensed', ({ licence }) => licence === 'unlicensed'], ['kind=shared', ({ kind }) => kind === 'shared'], [`tag=${String(tag?.['id'])}`, (entity) => tagged.includes(entity.id)],
    ['search=person%20A', ({ name }) => name.startsWith('Person A')], ['search=12%40EXAMPLE', ({ address }) => address.includes('12@example')], ['search=%25', () => false], ['search=_', () => false],
    ['status=paused&licence=licensed&search=Person', ({ status, licence }) => status === 'paused' && licence === 'licensed'], ['elsewhere=true', () => false], ['limited=true', () => false],
    ['limited=false', () => true],
  ];
  for (const [question, fits] of cases) {
    const found = await all(person, `${path}?${question}`, 30);
    expect([question, found.map(({ name }) => name)]).toEqual([question, everything.filter(fits).map(({ name }) => name)]);
    expect([question, await person.read(`${path}/counts?${question}`)]).toEqual([question, expect.objectContaining({ matching: found.length, total: 140 })]);
  }
  const counts = await person.read<{ byStatus: Record<string, number>; active: number; licensed: number }>(`${path}/counts`);
  for (const status of ENTITY_STATUSES) expect([status, counts.byStatus[status]]).toEqual([status, everything.filter((entity) => entity.status === status).length]);
  expect(counts).toMatchObject({ active: 60, licensed: 126, unlicensed: 14 });
  for (const bad of ['status=unknown', 'status=', 'licence=x', 'search=', 'elsewhere=yes', 'sort=size', 'kind=%00']) await person.must(400, 'GET', `${path}?${bad}`);
});

test('what another task of the account protects is marked, and found', async () => {
  const person = await service.owner();
  const one = await makeTask(service, person, 20, { name: 'First' });
  const two = await makeTask(service, person, 30, { name: 'Second' });
  await makeTask(service, person, 5, { name: 'Of another service', kind: 'imap' });
  const first = await all(person, `/api/v1/tasks/${one}/entities`);
  const elsewhere = await all(person, `/api/v1/tasks/${two}/entities?elsewhere=true`);
  const protects = first.filter(({ status }) => status !== 'not-active' && status !== 'archived').map(({ name }) => name);
  expect(elsewhere.map(({ name, elsewhere: task }) => [name, task])).toEqual(protects.map((name) => [name, 'First']));
  expect((await all(person, `/api/v1/tasks/${two}/entities?elsewhere=false`)).length).toBe(30 - protects.length);
  await post(person, `/api/v1/tasks/${one}/deletion`, { name: 'First' });
  expect(await all(person, `/api/v1/tasks/${two}/entities?elsewhere=true`)).toEqual([]);
});

test('deeds change those that are chosen and can be, and are noted', async () => {
  const person = owner;
  const id = await makeTask(service, person, 70, { name: 'Deeds' });
  const path = `/api/v1/tasks/${id}/entities`;
  const before = await all(person, path);
  const inactive = before.filter(({ status }) => status === 'not-active').map((entity) => entity.id);
  const archived = before.filter(({ status }) => status === 'archived').map((entity) => entity.id);
  expect(await post(person, `${path}/activation`, { selection: { ids: [...inactive.slice(0, 3), ...archived.slice(0, 2), 'nobody-has-this'] } })).toEqual({ chosen: 5, changed: 3 });
  expect((await all(person, path)).filter((entity) => inactive.slice(0, 3).includes(entity.id)).every(({ status }) => status === 'scheduled')).toBe(true);
  expect(await post(person, `${path}/activation`, { selection: { all: true, filter: { statuses: ['not-active'] }, except: inactive.slice(3, 5) } })).toEqual({ chosen: 15, changed: 15 });
  const active = (await person.read<{ active: number }>(`${path}/counts`)).active;
  expect(await post(person, `${path}/pause`, { selection: { all: true } })).toEqual({ chosen: 70, changed: active });
  expect(await post(person, `${path}/pause`, { selection: { all: true } })).toEqual({ chosen: 70, changed: 0 });
  const one = inactive[0];
  await post(person, `${path}/activation`, { selection: { ids: [one] } });
  const { items } = await person.read<{ items: { kind: string; details: object }[] }>('/api/v1/audit?limit=4');
  expect(items.map(({ kind, details }) => [kind, details])).toEqual([
    ['entities.activated', { service: 'exchange', task: 'Deeds', entities: 1, entity: before.find((entity) => entity.id === one)?.name }],
    ['entities.paused', { service: 'exchange', task: 'Deeds', entities: active }], ['entities.activated', { service: 'exchange', task: 'Deeds', entities: 15 }],
    ['entities.activated', { service: 'exchange', task: 'Deeds', entities: 3 }],
  ]);
  for (const selection of [{}, { ids: [] }, { all: false }, { all: true, ids: ['x'] }, { all: true, filter: { unknown: 1 } }]) await person.must(400, 'POST', `${path}/pause`, { selection });
});

test('a deletion of entities can be taken back for seven days; then the provider\'s are there again as new, and archived ones are gone', async () => {
  const person = owner;
  const id = await makeTask(service, person, 70, { name: 'Deleting' });
  const path = `/api/v1/tasks/${id}/entities`;
  const before = await all(person, path);
  const of = (status: string): Entity[] => before.filter((entity) => entity.status === status);
  const chosen = [...of('success').slice(0, 2), ...of('archived').slice(0, 2), ...of('not-active').slice(0, 1)];
  await person.must(400, 'POST', `${path}/deletion`, { selection: { ids: chosen.map((entity) => entity.id) } });
  const removed = await post(person, `${path}/deletion`, { selection: { ids: chosen.map((entity) => entity.id) }, confirm: true });
  expect(removed).toMatchObject({ chosen: 5, changed: 4, goneAt: expect.stringMatching(/^20/) });
  expect((await all(person, `${path}?status=deleting`)).map((entity) => entity.id).toSorted()).toEqual(chosen.slice(0, 4).map((entity) => entity.id).toSorted());
  expect(await post(person, `${path}/deletion/withdrawal`, { selection: { all: true } })).toEqual({ chosen: 70, changed: 4 });
  expect(await all(person, path)).toEqual(before);
  await post(person, `${path}/deletion`, { selection: { ids: chosen.map((entity) => entity.id) }, confirm: true });
  const at = (ms: number): TasksContext => ({ ...service.context, services: [], publicUrl: service.url, clock: { now: () => Date.now() + ms, monotonic: () => 0 } });
  const signal = new AbortController().signal;
  expect(await eraseDue(at(6.9 * DAY_MS), signal)).toEqual({ tasks: expect.any(Number), entities: 0 });
  expect((await eraseDue(at(7.1 * DAY_MS), signal)).entities).toBe(4);
  const after = await all(person, path);
  expect(after.length).toBe(68);
  expect(after.filter((entity) => chosen.slice(0, 2).some((one) => one.id === entity.id)).map(({ status, bytes, lastBackupAt }) => [status, bytes, lastBackupAt])).toEqual([['not-active', 0, undefined], ['not-active', 0, undefined]]);
  // Archived ones stay for ever, unless the task says for how long.
  const left = after.filter(({ status }) => status === 'archived').length;
  expect((await eraseDue(at(400 * DAY_MS), signal)).entities).toBe(0);
  await person.must(200, 'PATCH', `/api/v1/tasks/${id}`, { archivedDays: 30 });
  expect((await eraseDue(at(29 * DAY_MS), signal)).entities).toBe(0);
  expect((await eraseDue(at(31 * DAY_MS), signal)).entities).toBe(left);
});

test('a task is renamed, set, listed with all that the overview shows, and deleted with grace', async () => {
  const person = await service.owner();
  const ids = [await makeTask(service, person, 30, { name: 'Beta' }), await makeTask(service, person, 7, { name: 'Álpha' }), await makeTask(service, person, 0, { name: 'gamma', kind: 'imap' })];
  const settings = { name: 'Alpha two', indexContent: false, autoActivate: true, frequency: '3-times-a-day', backupHour: 5, archivedDays: 90, retention: { count: 2, unit: 'years' } };
  const { name, ...kept } = settings;
  expect((await person.must(200, 'PATCH', `/api/v1/tasks/${ids[1]}`, settings)).body).toMatchObject({ name, settings: kept });
  const { body } = await person.must(200, 'PATCH', `/api/v1/tasks/${ids[1]}`, { archivedDays: null, retention: null });
  expect(body?.['settings']).toEqual({ indexContent: false, autoActivate: true, frequency: '3-times-a-day', backupHour: 5 });
  for (const bad of [{ backupHour: 24 }, { frequency: 'hourly' }, { retention: { count: 0, unit: 'days' } }, { retention: { count: 1, unit: 'weeks' } }, { archivedDays: 0 }, { name: '' }]) await person.must(400, 'PATCH', `/api/v1/tasks/${ids[1]}`, bad);
  expect((await person.must(409, 'PATCH', `/api/v1/tasks/${ids[1]}`, { name: 'BETA' })).body?.['code']).toBe('tasks/exists');
  const list = await person.read<{ items: { name: string; status: string; entities: { total: number; active: number } }[]; total: number; next: string }>('/api/v1/tasks?limit=2');
  expect(list).toMatchObject({ total: 3, items: [{ name: 'Alpha two', entities: { total: 7, active: 3 } }, { name: 'Beta', status: 'failed', entities: { total: 30 }, lastBackupAt: expect.any(String) }] });
  expect(await person.read(`/api/v1/tasks?limit=2&cursor=${list.next}`)).toMatchObject({ items: [{ name: 'gamma', status: 'not-active', bytes: 0 }] });
  expect(await person.read('/api/v1/tasks?search=ALPHA')).toMatchObject({ total: 1, items: [{ name: 'Alpha two' }] });
  expect((await person.must(400, 'POST', `/api/v1/tasks/${ids[0]}/deletion`, { name: 'beta' })).body?.['code']).toBe('tasks/invalid');
  await post(person, `/api/v1/tasks/${ids[0]}/deletion`, { name: 'Beta' });
  expect(await person.read(`/api/v1/tasks/${ids[0]}`)).toMatchObject({ status: 'deleting', goneAt: expect.any(String) });
  await person.must(409, 'POST', `/api/v1/tasks/${ids[0]}/entities/activation`, { selection: { all: true } });
  await person.must(204, 'DELETE', `/api/v1/tasks/${ids[0]}/deletion`);
  await person.must(409, 'DELETE', `/api/v1/tasks/${ids[0]}/deletion`);
  await post(person, `/api/v1/tasks/${ids[0]}/deletion`, { name: 'Beta' });
  const later: TasksContext = { ...service.context, services: [], publicUrl: service.url, clock: { now: () => Date.now() + 7.1 * DAY_MS, monotonic: () => 0 } };
  expect((await eraseDue(later, new AbortController().signal)).tasks).toBeGreaterThanOrEqual(1);
  expect((await person.must(404, 'GET', `/api/v1/tasks/${ids[0]}`)).body?.['code']).toBe('tasks/not-found');
});

test('tags are made, searched, put on, taken off and deleted', async () => {
  const person = owner;
  const id = await makeTask(service, person, 14, { name: 'Tags' });
  const path = `/api/v1/tasks/${id}/entities`;
  const make = async (name: string): Promise<string> => String((await person.must(201, 'POST', '/api/v1/tags', { name })).body?.['id']);
  const [board, sales] = [await make('Board'), await make('Sales')];
  expect((await person.must(409, 'POST', '/api/v1/tags', { name: 'BOARD' })).body?.['code']).toBe('tasks/exists');
  expect((await person.must(409, 'POST', '/api/v1/tags', { name: 'limited access' })).body?.['code']).toBe('tasks/exists');
  expect(await person.read('/api/v1/tags?search=SAL')).toEqual({ items: [{ id: sales, name: 'Sales' }] });
  await post(person, `${path}/tags`, { selection: { all: true }, add: [board, sales] });
  await post(person, `${path}/tags`, { selection: { all: true, filter: { statuses: ['paused'] } }, remove: [sales] });
  const found = await all(person, path);
  expect(found.map(({ status, tags }) => [status === 'paused', tags.map(({ name }) => name).join()])).toEqual(found.map(({ status }) => [status === 'paused', status === 'paused' ? 'Board' : 'Board,Sales']));
  const other = await service.owner();
  const { id: foreign } = (await other.must(201, 'POST', '/api/v1/tags', { name: 'Board' })).body as { id: string };
  expect((await person.must(404, 'POST', `${path}/tags`, { selection: { all: true }, add: [foreign] })).body?.['code']).toBe('tasks/not-found');
  await person.must(204, 'DELETE', `/api/v1/tags/${board}`);
  expect((await all(person, path)).some(({ tags }) => tags.some(({ name }) => name === 'Board'))).toBe(false);
});

test('Limited Access is set by the primary user alone, and keeps all others out of the backups', async () => {
  const person = owner;
  const id = await makeTask(service, person, 7, { name: 'Board' });
  const path = `/api/v1/tasks/${id}/entities`;
  const [chosen] = await all(person, path);
  const administrator = await service.user(person, { role: 'administrator' });
  const body = { selection: { ids: [chosen?.id] }, limited: true, confirm: true };
  await administrator.must(403, 'POST', `${path}/limited-access`, body);
  await person.must(400, 'POST', `${path}/limited-access`, { ...body, confirm: false });
  expect(await post(person, `${path}/limited-access`, body)).toEqual({ chosen: 1, changed: 1 });
  const seen = async (who: Person): Promise<unknown> => (await all(who, `${path}?limited=true`)).map(({ id: one, limited, opens }) => [one, limited, opens]);
  expect(await seen(person)).toEqual([[chosen?.id, true, true]]);
  expect(await seen(administrator)).toEqual([[chosen?.id, true, false]]);
  expect((await all(administrator, `${path}?limited=false`)).every(({ opens }) => opens)).toBe(true);
  expect(await post(person, `${path}/limited-access`, { ...body, limited: false })).toEqual({ chosen: 1, changed: 1 });
  const { items } = await person.read<{ items: { kind: string }[] }>('/api/v1/audit?limit=2');
  expect(items.map(({ kind }) => kind)).toEqual(['entities.opened', 'entities.limited']);
});

test('each page is one question over the index of its sort, which reads no more than the page', async () => {
  const person = owner;
  const id = await makeTask(service, person, 5_000, { name: 'Large' });
  const { pool, query } = service.database;
  await pool.query('analyze entities');
  const { id: accountId } = await person.read<{ id: string }>('/api/v1/account');
  const viewer = { accountId, services: undefined, role: 'owner' as const };
  for (const sort of ENTITY_SORTS) {
    const value = { name: 'person m', address: 'person m', kind: 'user', licence: 'licensed', status: 'success', bytes: '500000', lastBackup: '2026-01-01 00:05:00+00' }[sort];
    for (const after of [undefined, { value, id: `${id}-7` }]) {
      const { sql, parameters } = entityQuery(viewer, id, {}, { sort, order: 'down', after, limit: 51 }).compile(query);
      const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain (analyze, timing off) ${sql}`, [...parameters]);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(/Index Scan Backward using entities_by_/);
      expect(plan).not.toMatch(/Sort Key: e\.|Seq Scan on entities/);
      const read = /Index Scan Backward using entities_by_\w+ on entities e .*rows=(\d+)/.exec(plan)?.[1];
      expect(Number(read)).toBe(51);
    }
  }
});

test('a page, its counts and the overview ask one question each, and a deed asks no more for many than for few', async () => {
  const person = owner;
  const { account, user } = await person.read<{ account: { id: string }; user: { id: string } }>('/api/v1/session');
  const principal: Principal = {
    userId: user.id, accountId: account.id, name: 'N', email: 'n@example.test', role: 'owner', permissions: [], services: undefined, limits: [], via: { kind: 'session', sessionId: 's' },
  };
  const counter = new QuestionCounter();
  const context: TasksContext = { ...service.context, services: [], publicUrl: service.url, database: { ...service.database, query: service.database.query.withPlugin(counter) } };
  const costs: number[][] = [];
  for (const count of [8, 400]) {
    const id = await makeTask(service, person, count, { kind: 'counted' });
    const page = { sort: 'name', order: 'up', limit: 200 } as const;
    const asked: number[] = [];
    for (const ask of [
      () => pageOfEntities(context, principal, id, { search: 'person', elsewhere: false, statuses: ['not-active'] }, page), () => countEntities(context, principal, id, { tags: ['x'] }),
      () => pageOfTasks(context, principal, { limit: 50 }), () => changeEntities(context, principal, { address: undefined, agent: undefined }, id, { all: true }, PAUSE),
    ]) {
      counter.asked = 0;
      await ask();
      asked.push(counter.asked);
    }
    costs.push(asked);
  }
  expect(costs[0]?.slice(0, 3)).toEqual([1, 1, 1]);
  expect(costs[1]).toEqual(costs[0]);
});

/** Counts what is asked through a handle. */
class QuestionCounter implements KyselyPlugin {
  asked = 0;

  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    this.asked++;
    return node;
  }

  transformResult({ result }: PluginTransformResultArgs): Promise<PluginTransformResultArgs['result']> {
    return Promise.resolve(result);
  }
}
