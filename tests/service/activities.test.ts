import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeActivity, noteActivity, type ActivityNote } from '../../src/accounts/index.ts';
import type { Person } from './person.ts';
import { TestService } from './testService.ts';

let service: TestService;
let owner: Person;
let accountId: string;
/** By what they are called here. */
const ids = new Map<string, string>();

const TASK = { id: 'task-1', name: 'Mail of Example' };
const NOTES: Readonly<Record<string, Omit<ActivityNote, 'accountId' | 'actor'>>> = {
  discovery: { kind: 'discovery', status: 'succeeded', service: 'imap', task: TASK, entities: 3 },
  backup: { kind: 'backup', status: 'running', service: 'imap', subService: 'mail', task: TASK, entity: { id: 'entity-1', name: 'ann@example.test' } },
  failed: { kind: 'backup', status: 'failed', service: 'folder', task: { id: 'task-2', name: '=HYPERLINK("http://evil.example")' }, summary: 'The folder is not there.' },
  odd: { kind: 'restore', status: 'partial', task: TASK, entity: { id: 'entity-2', name: '100%_\\"quoted", bob' } },
};

beforeAll(async () => {
  service = await TestService.start();
  owner = await service.owner();
  accountId = (await owner.read<{ id: string }>('/api/v1/account')).id;
  for (const [name, note] of Object.entries(NOTES)) ids.set(name, await noteActivity(service.context, service.database.query, { accountId, actor: undefined, ...note }));
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

interface Listed {
  readonly items: { readonly id: string; readonly kind: string; readonly status: string; readonly seconds?: number }[];
  readonly next?: string;
}

/** What the list finds, by the names of here. */
async function find(person: Person, question: string): Promise<string[]> {
  const { items } = await person.read<Listed>(`/api/v1/activities?${question}`);
  return items.map(({ id }) => [...ids].find(([, own]) => own === id)?.[0] ?? id);
}

test('ACT-1: the list answers every filter, searches, and is read both ways page by page', async () => {
  const cases: [string, string[]][] = [
    ['', ['odd', 'failed', 'backup', 'discovery']], ['order=oldest', ['discovery', 'backup', 'failed', 'odd']], ['kind=backup', ['failed', 'backup']],
    ['kind=discovery,restore', ['odd', 'discovery']], ['service=imap', ['backup', 'discovery']], ['status=running,failed', ['failed', 'backup']],
    ['task=task-1&service=imap&order=oldest', ['discovery', 'backup']], ['item=entity-1', ['backup']], ['search=EXAMPLE.test', ['backup']],
    ['search=%25_%5C', ['odd']], ['search=%25%25', []], ['from=2100-01-01T00:00:00Z', []], ['to=2100-01-01T00:00:00Z&status=partial', ['odd']], ['to=2000-01-01T00:00:00Z', []],
  ];
  for (const [question, found] of cases) expect([question, await find(owner, question)]).toEqual([question, found]);
  for (const order of ['newest', 'oldest']) {
    const seen: string[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const page: Listed = await owner.read<Listed>(`/api/v1/activities?limit=1&order=${order}${next === '' ? '' : `&cursor=${next}`}`);
      seen.push(...page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(seen).toEqual(order === 'oldest' ? [...ids.values()] : [...ids.values()].toReversed());
  }
  for (const question of ['status=nonsense', 'status=running,', 'kind=%27', 'search=', 'search=%00', 'from=yesterday', 'order=up']) {
    const { status, body } = await owner.call('GET', `/api/v1/activities?${question}`);
    expect([question, status, body?.['code']]).toEqual([question, 400, 'api/invalid']);
  }
});

test('ACT-1: a page is read from an index in its order, however many there are', async () => {
  const { pool } = service.database;
  const client = await pool.connect();
  try {
    await client.query('set enable_seqscan = off');
    await client.query('set enable_sort = off');
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain select * from activities where account_id = $1 and id < 'f' order by id desc limit 50`, [accountId]);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index Scan Backward using activities_account/);
    expect(plan).not.toContain('Sort');
  } finally {
    client.release(true);
  }
});

test('ACT-1: how something ended is noted once, with what there is to tell of it; who listens hears of it', async () => {
  const change = (status: 'succeeded' | 'failed') => changeActivity(service.context, service.database.query, { accountId, id: ids.get('backup') ?? '' },
    { status, storedBytes: 5_000_000_000, entities: 1, summary: 'All is stored.', details: { added: 2, changed: 0 } });
  const ending = new AbortController();
  const events = await owner.api.activity.events(undefined, { signal: ending.signal });
  const heard: string[] = [];
  const read = (async () => {
    for await (const event of events) {
      if (event.type === 'gap') await change('succeeded');
      if (event.type === 'activity') {
        heard.push(`${event.activity.kind} ${event.activity.status}`);
        return;
      }
    }
  })();
  await read;
  ending.abort();
  expect(heard).toEqual(['backup succeeded']);
  expect(await change('failed')).toBe(false);
  const { items } = await owner.read<Listed>('/api/v1/activities?item=entity-1');
  expect(items).toEqual([{
    id: ids.get('backup'), kind: 'backup', status: 'succeeded', startedAt: expect.any(String), endedAt: expect.any(String), seconds: expect.any(Number), service: 'imap', subService: 'mail',
    task: TASK, item: { id: 'entity-1', name: 'ann@example.test' }, performedBy: 'Holdfast', storedBytes: 5_000_000_000, entities: 1, summary: 'All is stored.', details: { added: 2, changed: 0 },
  }]);
});

test('ACT-1: as CSV, filtered like the list, and no cell of it is a formula', async () => {
  const { text, headers } = await owner.must(200, 'GET', '/api/v1/activities.csv');
  expect([headers.get('content-type'), headers.get('content-disposition')]).toEqual(['text/csv; charset=utf-8', 'attachment; filename="activities.csv"']);
  expect(text.split('\r\n').length).toBe(2 + ids.size);
  expect(text).toContain(`"'=HYPERLINK(""http://evil.example"")"`);
  expect(text).toContain('"100%_\\""quoted"", bob"');
  expect((await owner.must(200, 'GET', '/api/v1/activities.csv?kind=restore')).text.split('\r\n').length).toBe(3);
  expect((await owner.must(200, 'GET', '/api/v1/activities.csv?kind=none')).text.split('\r\n').length).toBe(2);
  expect((await owner.call('GET', '/api/v1/activities.csv?status=x')).body?.['code']).toBe('api/invalid');
  expect((await owner.must(200, 'HEAD', '/api/v1/activities.csv')).text).toBe('');
});

test('ACT-1: a file of several batches is whole', async () => {
  const other = await service.owner();
  const { id } = await other.read<{ id: string }>('/api/v1/account');
  await service.database.pool.query(`insert into activities (id, account_id, kind, status, started_at, ended_at, actor_name)
    select 'many-' || lpad(n::text, 6, '0'), $1, 'backup', 'succeeded', now(), now(), 'Holdfast' from generate_series(1, 2500) n`, [id]);
  const response = await other.request('GET', '/api/v1/activities.csv');
  const reader = response.body!.getReader();
  let lines = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) lines += Buffer.from(chunk.value).filter((byte) => byte === 10).length;
  expect(lines).toBe(2501);
});

test('SET-3: who has some services sees what is about them, and what is about none; in lists, files and events', async () => {
  const user = await service.user(owner, { role: 'custom', permissions: ['activity.view'] });
  const { user: { id } } = await user.read<{ user: { id: string } }>('/api/v1/session');
  await owner.must(200, 'PATCH', `/api/v1/users/${id}`, { role: 'custom', permissions: ['activity.view'], services: ['folder'] });
  expect(await find(user, '')).toEqual(['odd', 'failed']);
  expect(await find(user, 'service=imap')).toEqual([]);
  const { text } = await user.must(200, 'GET', '/api/v1/activities.csv');
  expect([text.includes('The folder is not there.'), text.includes('ann@example.test')]).toEqual([true, false]);
  const ending = new AbortController();
  const heard: string[] = [];
  for await (const event of await user.api.activity.events(undefined, { signal: ending.signal })) {
    if (event.type === 'gap') for (const about of ['imap', 'folder']) await noteActivity(service.context, service.database.query, { accountId, kind: about, status: 'succeeded', service: about, actor: undefined });
    if (event.type !== 'activity') continue;
    heard.push(event.activity.kind);
    break;
  }
  ending.abort();
  expect(heard).toEqual(['folder']);
  await owner.must(200, 'PATCH', `/api/v1/users/${id}`, { role: 'custom', permissions: ['activity.view'], services: [] });
  expect(await find(user, '')).toEqual(['odd']);
});

test('ACT-2: the audit log is filtered, searched, ordered, and tells method, browser and address', async () => {
  const person = await service.owner();
  await service.person().call('POST', '/api/v1/session', { email: person.email, password: 'not the password' });
  await person.must(200, 'PATCH', '/api/v1/account', { company: 'Needle Ltd' });
  const kinds = async (question: string): Promise<string[]> => (await person.read<Listed>(`/api/v1/audit?${question}`)).items.map(({ kind }) => kind);
  expect(await kinds('status=failed')).toEqual(['sign-in.failed']);
  expect(await kinds('kind=sign-in.failed,sign-in.succeeded&order=oldest')).toEqual(['sign-in.succeeded', 'sign-in.failed']);
  expect(await kinds('search=needle')).toEqual(['settings.changed']);
  expect(await kinds('performedBy=Olive%20Owner&status=succeeded&kind=settings.changed')).toEqual(['settings.changed']);
  expect(await kinds('performedBy=Nobody')).toEqual([]);
  expect(await kinds('service=imap')).toEqual([]);
  const { items: [failed] } = await person.read<Listed>('/api/v1/audit?status=failed');
  expect(failed).toMatchObject({ status: 'failed', method: 'password', agent: 'test browser', address: expect.stringMatching(/^10\./), description: expect.stringContaining('reason: ') });
  const { text } = await person.must(200, 'GET', '/api/v1/audit.csv?search=needle');
  expect(text.split('\r\n').length).toBe(3);
  const tags = await Promise.all(['', '?search=needle'].map(async (question) => (await person.must(200, 'GET', `/api/v1/audit.csv${question}`)).headers.get('etag')));
  expect(tags[0]).not.toBe(tags[1]);
});
