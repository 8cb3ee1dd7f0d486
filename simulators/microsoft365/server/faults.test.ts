import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestClient } from '../testClient.ts';

let client: TestClient;

beforeEach(async () => {
  client = await startTestClient();
});

afterEach(() => client.simulator.close());

test.each([500, 503, 504, 401, 429])('status %i is answered to the matching request of its number, and no other', async (status) => {
  client.simulator.fault({ fault: { kind: 'status', status, retryAfterSeconds: 7 }, on: 'GET /v1.0/users?', after: 1, times: 2 });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await client.get('/users?$top=1')).status);
  expect(statuses).toEqual([200, status, status, 200]);
  expect((await client.get('/groups')).status).toBe(200);
});

test('a reset ends the connection without an answer', async () => {
  client.simulator.fault({ fault: { kind: 'reset' }, on: '/users' });
  await expect(client.get('/users')).rejects.toThrow('fetch failed');
  expect((await client.get('/users')).status).toBe(200);
});

test('a truncated body has status 200 and the length of the whole, and breaks off', async () => {
  client.simulator.fault({ fault: { kind: 'truncate', bytes: 40 }, on: '/users' });
  await expect(client.get('/users')).rejects.toThrow('terminated');
});

test('a cut body ends properly, and only its content shows that it is not whole', async () => {
  client.simulator.fault({ fault: { kind: 'cut', bytes: 40 }, on: '/users' });
  await expect(client.get('/users')).rejects.toThrow(/JSON/);
});

test('a hang gives no answer; closing the simulator ends it', async () => {
  client.simulator.fault({ fault: { kind: 'hang' }, on: '/users' });
  const ended = client.get('/users').then(() => 'answered', () => 'broken off');
  while (client.simulator.requests('/users').length === 0) await new Promise(setImmediate);
  await client.simulator.close();
  expect(await ended).toBe('broken off');
});

test('an item that vanishes between listing and fetching is 404', async () => {
  const { entries } = await client.all(`${client.me}/mailFolders/inbox/messages?$top=5&$select=id`);
  const id: string = entries[0].id;
  client.simulator.fault({ on: `/messages/${id}`, fault: { kind: 'do', action: () => client.simulator.vanish(client.address, id) } });
  const answer = await client.get(`${client.me}/messages/${id}`);
  expect(answer.status).toBe(404);
  expect(answer.json.error.code).toBe('ErrorItemNotFound');
});

test('a deleted user has no mailbox any more, an unlicensed one never had', async () => {
  const { entries } = await client.all('/users?$select=id,mail,assignedLicenses,userType');
  const unlicensed = entries.find(({ userType, mail }) => userType === 'Member' && !client.simulator.mailboxes.includes(mail));
  expect((await client.get(`/users/${unlicensed.id}/messages`)).json.error.code).toBe('MailboxNotEnabledForRESTAPI');
  client.simulator.deleteUser(client.address);
  expect((await client.get(`${client.me}/messages`)).status).toBe(404);
  client.simulator.restoreUser(client.address);
  expect((await client.get(`${client.me}/messages`)).status).toBe(200);
});

test('errors have the service\'s form, and repeat the client\'s own request id', async () => {
  const answer = await client.ask('GET', '/users/nobody', { headers: { 'client-request-id': 'mine' } });
  expect(answer.status).toBe(404);
  expect(answer.json.error).toMatchObject({ code: 'Request_ResourceNotFound', innerError: { 'client-request-id': 'mine' } });
  expect(answer.headers.get('request-id')).toBe(answer.json.error.innerError['request-id']);
});
