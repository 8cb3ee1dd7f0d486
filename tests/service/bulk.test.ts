import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Person } from './person.ts';
import { makeTask } from './testTasks.ts';
import { TestService } from './testService.ts';

interface Entity {
  readonly address: string;
  readonly status: string;
}

let service: TestService;
let owner: Person;

beforeAll(async () => {
  service = await TestService.start();
  owner = await service.owner();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

test('a list of addresses activates who can be, and tells of every line that did nothing', async () => {
  const id = await makeTask(service, owner, 70, { name: 'Listed' });
  await service.database.pool.query(`update entities set address = 'Jürgen@example.test', address_order = 'jurgen@example.test' where id = $1`, [`${id}-7`]);
  await service.database.pool.query(`update entities set deleted_at = now(), gone_at = now() + interval '7 days' where id = $1`, [`${id}-9`]);
  const before = (await owner.read<{ items: Entity[] }>(`/api/v1/tasks/${id}/entities?limit=100`)).items;
  const of = (status: string): string[] => before.filter((entity) => entity.status === status).map(({ address }) => address);
  const [first = '', second = ''] = of('not-active');
  const [paused = ''] = of('paused');
  const lines = [
    ' "ACCOUNT  email" ', first.toUpperCase(), `  "${second}"`, '', paused, `${first}  `, of('scheduled')[0], of('archived')[0], of('deleting')[0], 'Juergen@example.test', 'jurgen@example.test', 'JÜRGEN@example.test',
    '"o""brien@example.test"', '%', '',
  ];
  const activate = (csv: string, status = 200) => owner.must(status, 'POST', `/api/v1/tasks/${id}/bulk-activation/csv`, { csv });
  const { body } = await activate(`\uFEFF${lines.join('\r\n')}`);
  expect(body).toEqual({
    lines: 12, activated: 4, already: 1, repeated: 1, left: 6,
    leftLines: [
      { line: 8, address: of('archived')[0], why: 'archived' }, { line: 9, address: of('deleting')[0], why: 'deleting' }, { line: 10, address: 'Juergen@example.test', why: 'unknown' },
      { line: 11, address: 'jurgen@example.test', why: 'unknown' }, { line: 13, address: 'o"brien@example.test', why: 'unknown' }, { line: 14, address: '%', why: 'unknown' },
    ],
  });
  const changed = (await owner.read<{ items: Entity[] }>(`/api/v1/tasks/${id}/entities?limit=100`)).items.filter(({ status }, place) => status !== before[place]?.status);
  expect(changed.map(({ address }) => address).toSorted()).toEqual([first, second, paused, 'Jürgen@example.test'].toSorted());
  expect((await activate(lines.join('\n'))).body).toMatchObject({ activated: 0, already: 5, left: 6 });
  const { items } = await owner.read<{ items: { kind: string; details: object }[] }>('/api/v1/audit?limit=1');
  expect(items[0]).toMatchObject({ kind: 'entities.activated', details: { task: 'Listed', entities: 4, by: 'list' } });
  for (const [bad, says] of [
    ['', 'empty'], ['\r\n ', 'empty'], ['a@example.test', 'first line'], ['Account Email,Name\na@example.test,A', 'first line'], ['Account Email\na@example.test\na@example.test;A', 'Line 3'],
    ['Account Email\n"a@example.test', 'Line 2'], ['Account Email\na\u0000', 'Line 2'], [`Account Email\n${'a'.repeat(321)}`, 'Line 2'],
  ] as const) {
    expect((await activate(bad, 400)).body).toMatchObject({ code: 'tasks/invalid', detail: expect.stringContaining(says) });
  }
  expect((await activate('a'.repeat(900_001), 400)).body?.['code']).toBe('api/invalid');
  const many = (await activate(`Account Email\n${Array.from({ length: 12_000 }, (_, place) => `nobody${place}@example.test`).join('\n')}`)).body;
  expect(many).toMatchObject({ lines: 12_000, left: 12_000, leftLines: expect.objectContaining({ length: 500 }) });
});

test('the usage report lists all entities that its reader may see, and is mailed as a link', async () => {
  const person = await service.owner();
  const tasks = [await makeTask(service, person, 70, { name: '=Mail' }), await makeTask(service, person, 1_030, { name: 'Other', kind: 'imap' })];
  await service.database.pool.query(`update entities set licence = 'none' where task_id = $1`, [tasks[1]]);
  const linesOf = async (reader: Person, path = '/api/v1/usage.csv'): Promise<string[]> => {
    const { text, headers } = await reader.must(200, 'GET', path);
    expect([headers.get('content-type'), headers.get('content-disposition')]).toEqual(['text/csv; charset=utf-8', 'attachment; filename="usage.csv"']);
    return text.split('\r\n').slice(0, -1);
  };
  const [head, ...rows] = await linesOf(person);
  expect(head).toBe('"Service","Task","Name","Address","Status","Licence","Size in bytes","Last backup (UTC)"');
  expect([rows.length, new Set(rows).size]).toEqual([1_100, 1_100]);
  const { items } = await person.read<{ items: { name: string; address: string; status: string; licence: string; bytes: number; lastBackupAt?: string }[] }>(`/api/v1/tasks/${tasks[0]}/entities?limit=200`);
  const statusOf = (status: string): string => (status === 'archived' ? status : ['not-active', 'paused'].includes(status) ? 'inactive' : 'active');
  const expected = items.map(({ name, address, status, licence, bytes, lastBackupAt = '' }) => `"Microsoft Exchange","'=Mail","${name}","${address}","${statusOf(status)}","${licence}","${bytes}","${lastBackupAt}"`);
  expect(rows.slice(0, 70)).toEqual(expected);
  expect(rows.slice(70).every((row) => /^"IMAP","Other","Person [^,]*","[^,]*","(active|inactive|archived)","","\d+","[^,]*"$/.test(row))).toBe(true);
  const user = await service.user(person, { role: 'custom', permissions: ['tasks.view'], services: ['exchange'] });
  expect(await linesOf(user)).toEqual([head, ...rows.slice(0, 70)]);
  await user.must(202, 'POST', '/api/v1/usage-report');
  const link = await service.mailedLink(user.email);
  expect(link).toBe(`${service.url}/api/v1/usage.csv`);
  expect(await linesOf(user, link.slice(service.url.length))).toHaveLength(71);
  expect((await service.person().call('GET', '/api/v1/usage.csv')).status).toBe(401);
});
