import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Person } from './person.ts';
import { testOrigin, TestService } from './testService.ts';

const SUPPORT = 'support@holdfast.test';

let service: TestService;
let owner: Person;
let asker: Person;

beforeAll(async () => {
  service = await TestService.start({ origin: testOrigin('url'), environment: { HOLDFAST_SUPPORT_ADDRESS: SUPPORT } });
  owner = await service.owner();
  asker = await service.user(owner, { role: 'custom', permissions: ['support.view'] });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

async function subjects(person: Person, question = ''): Promise<string[]> {
  return (await person.read<{ items: { subject: string }[] }>(`/api/v1/tickets${question}`)).items.map(({ subject }) => subject);
}

test('SUP-1: a ticket is opened, mailed to the support, added to, closed and opened again', async () => {
  const { api } = asker;
  const ticket = await api.tickets.open({ subject: 'Backup <b>stands</b> still', text: 'Since Monday.\n\n<script>alert(1)</script> https://evil.example' });
  expect(ticket).toMatchObject({ subject: 'Backup <b>stands</b> still', state: 'open', openedBy: 'Una User', messages: 1 });
  const [mail] = await service.outbox.newest(SUPPORT, 1);
  expect(mail?.subject).toBe(`Ticket ${ticket.id.slice(-8)}: Backup <b>stands</b> still`);
  for (const part of ['Since Monday.', asker.email, ticket.id]) expect(mail?.text).toContain(part);
  expect(mail?.html).not.toContain('<script>');
  await api.tickets.setState({ id: ticket.id, state: 'closed' });
  expect((await api.tickets.show({ id: ticket.id })).state).toBe('closed');
  await owner.api.tickets.add({ id: ticket.id, text: 'We have the same.' });
  const { said, state, messages } = await api.tickets.show({ id: ticket.id });
  expect([state, messages, said.map(({ author, text }) => [author, text.split('\n')[0]])]).toEqual(['open', 2, [['Una User', 'Since Monday.'], ['Olive Owner', 'We have the same.']]]);
  expect((await service.outbox.newest(SUPPORT, 10)).length).toBe(2);
});

test('SUP-1: one sees one\'s own tickets, and all of the account with the permission; a token needs the scope too', async () => {
  await owner.api.tickets.open({ subject: 'Of the owner', text: 'x' });
  const all = ['Of the owner', 'Backup <b>stands</b> still'];
  expect(await subjects(owner)).toEqual(all);
  expect(await subjects(asker)).toEqual(['Backup <b>stands</b> still']);
  expect(await subjects(await service.user(owner, { role: 'custom', permissions: ['support.view', 'tickets.view-all'] }))).toEqual(all);
  expect(await subjects(await service.user(owner, { role: 'administrator' }))).toEqual(all);
  expect(await subjects(await owner.withToken('support.view', 'tickets.view-all'))).toEqual(all);
  expect(await subjects(await owner.withToken('support.view'))).toEqual(['Of the owner']);
  const { items: [own] } = await owner.api.tickets.list({ search: 'of the OWNER' });
  const id = own?.id ?? '';
  for (const call of [() => asker.api.tickets.show({ id }), () => asker.api.tickets.add({ id, text: 'x' }), () => asker.api.tickets.setState({ id, state: 'closed' })]) {
    await expect(call()).rejects.toMatchObject({ status: 404, code: 'accounts/not-found' });
  }
  await asker.api.tickets.open({ subject: 'Second', text: 'x' });
  expect(await subjects(owner, '?order=oldest&limit=1')).toEqual(['Backup <b>stands</b> still']);
  const { next } = await owner.read<{ next: string }>('/api/v1/tickets?limit=1');
  expect(await subjects(owner, `?limit=1&cursor=${next}`)).toEqual(['Of the owner']);
  await owner.api.tickets.setState({ id, state: 'closed' });
  expect([await subjects(owner, '?state=closed'), await subjects(owner, '?search=stands')]).toEqual([['Of the owner'], ['Backup <b>stands</b> still']]);
});

test('SUP-1: a ticket stays when its user is gone, and an account sends a bounded number of mails', async () => {
  const other = await service.owner();
  const user = await service.user(other, { role: 'administrator' });
  const { id } = await user.api.tickets.open({ subject: 'Kept', text: 'x' });
  const { user: { id: userId } } = await user.read<{ user: { id: string } }>('/api/v1/session');
  await other.api.users.remove({ id: userId });
  expect((await other.api.tickets.show({ id })).openedBy).toBe('Una User');
  const statuses: number[] = [];
  for (let i = 0; i < 21; i++) statuses.push((await other.call('POST', `/api/v1/tickets/${id}/messages`, { text: `${i}` })).status);
  expect([statuses.filter((status) => status === 204).length, statuses.at(-1)]).toEqual([19, 429]);
  for (const body of [{ subject: 'two\nlines', text: 'x' }, { subject: 'x', text: ' \n ' }, { subject: 'x', text: 'a\0b' }]) {
    expect((await asker.call('POST', '/api/v1/tickets', body)).body?.['code']).toBe('api/invalid');
  }
});
