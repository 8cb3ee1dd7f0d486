import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestAnswer, TestClient } from '../testClient.ts';

let client: TestClient;

beforeEach(async () => {
  client = await startTestClient();
});

afterEach(() => client.simulator.close());

function batch(requests: unknown[]): Promise<TestAnswer> {
  return client.ask('POST', '/$batch', { body: { requests } });
}

test('the batch is 200 though a request in it fails, each judged alone (fact 8)', async () => {
  const { status, json } = await batch([{ id: 'a', method: 'GET', url: `${client.me}/mailFolders/inbox` }, { id: 'b', method: 'GET', url: '/users/nobody' }]);
  expect(status).toBe(200);
  const byId = Object.fromEntries(json.responses.map((response: any) => [response.id, response]));
  expect(byId['a']).toMatchObject({ status: 200, body: { displayName: 'Inbox' } });
  expect(byId['b']).toMatchObject({ status: 404, body: { error: { code: 'Request_ResourceNotFound' } } });
});

test('what depends on a failed request is 424, and what depends on a good one runs after it (fact 8)', async () => {
  const { json } = await batch([
    { id: '3', method: 'GET', url: '/users', dependsOn: ['2'] },
    { id: '2', method: 'GET', url: '/users/nobody', dependsOn: ['1'] },
    { id: '1', method: 'GET', url: '/users?$top=1' },
  ]);
  expect(json.responses.map(({ id, status }: any) => [id, status])).toEqual([['1', 200], ['2', 404], ['3', 424]]);
});

test('bytes and MIME travel as base64', async () => {
  const mime = Buffer.from('Subject: in a batch\r\n\r\nHello').toString('base64');
  const { json } = await batch([{ id: '1', method: 'POST', url: `${client.me}/messages`, headers: { 'Content-Type': 'text/plain' }, body: mime }]);
  expect(json.responses[0]).toMatchObject({ status: 201, body: { subject: 'in a batch', isDraft: true } });
  const value = await batch([{ id: '1', method: 'GET', url: `${client.me}/messages/${json.responses[0].body.id}/$value` }]);
  expect(Buffer.from(value.json.responses[0].body, 'base64').toString()).toContain('Subject: in a batch');
});

test.each([
  ['21 requests', Array.from({ length: 21 }, (_, id) => ({ id: String(id), method: 'GET', url: '/users' }))],
  ['none', []],
  ['the same id twice', [{ id: '1', method: 'GET', url: '/users' }, { id: '1', method: 'GET', url: '/users' }]],
  ['a dependency that is not there', [{ id: '1', method: 'GET', url: '/users', dependsOn: ['9'] }]],
  ['a circle', [{ id: '1', method: 'GET', url: '/users', dependsOn: ['2'] }, { id: '2', method: 'GET', url: '/users', dependsOn: ['1'] }]],
  ['an absolute url', [{ id: '1', method: 'GET', url: 'https://graph.microsoft.com/v1.0/users' }]],
  ['a body without its type', [{ id: '1', method: 'POST', url: '/users', body: {} }]],
])('a batch with %s is malformed: 400 (fact 8)', async (_, requests) => {
  expect((await batch(requests)).status).toBe(400);
});

test('twenty requests to one mailbox run four at a time, so none is refused for that (fact 6)', async () => {
  const { json } = await batch(Array.from({ length: 20 }, (_, id) => ({ id: String(id), method: 'GET', url: `${client.me}/messages?$top=1` })));
  expect(json.responses.map(({ status }: any) => status)).toEqual(Array.from({ length: 20 }, () => 200));
});

test('a request in a batch is throttled alone, with its own Retry-After (fact 8)', async () => {
  client.simulator.limit({ mailboxRequests: 1 });
  const { status, json } = await batch([1, 2].map((id) => ({ id: String(id), method: 'GET', url: `${client.me}/mailFolders` })));
  expect(status).toBe(200);
  const refused = json.responses.find((response: any) => response.status === 429);
  expect(Number(refused.headers['Retry-After'])).toBeGreaterThan(0);
});

test('faults hit requests inside of a batch, too', async () => {
  client.simulator.fault({ fault: { kind: 'status', status: 503, retryAfterSeconds: 3 }, on: '/mailFolders' });
  const { json } = await batch([{ id: '1', method: 'GET', url: `${client.me}/mailFolders` }]);
  expect(json.responses[0]).toMatchObject({ status: 503, headers: { 'Retry-After': '3' } });
});
