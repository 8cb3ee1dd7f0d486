import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestClient } from '../testClient.ts';
import { DOCUMENTED_LIMITS, SlidingWindow } from './throttle.ts';

let client: TestClient;

beforeEach(async () => {
  client = await startTestClient();
});

afterEach(() => client.simulator.close());

test('the limits are the documented ones (facts 1 and 4)', () => {
  expect(DOCUMENTED_LIMITS).toEqual({ globalRequests: 130_000, mailboxRequests: 10_000, mailboxConcurrency: 4, mailboxUploadBytes: 150 * 1024 * 1024 });
});

test('too many requests to one mailbox are 429 with Retry-After, until the clock has moved that far (facts 2 and 4)', async () => {
  client.simulator.limit({ mailboxRequests: 5 });
  for (let i = 0; i < 5; i++) expect((await client.get(`${client.me}/mailFolders`)).status).toBe(200);
  const refused = await client.get(`${client.me}/mailFolders`);
  expect(refused.status).toBe(429);
  expect(refused.json.error.code).toBe('TooManyRequests');
  const wait = Number(refused.headers.get('retry-after'));
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(600);
  const other = client.simulator.mailboxes[1] ?? '';
  expect((await client.get(`/users/${other}/mailFolders`)).status, 'another mailbox is another limit').toBe(200);
  client.simulator.advance(wait * 1000);
  await client.signIn();
  expect((await client.get(`${client.me}/mailFolders`)).status).toBe(200);
});

test('refused requests count, too: who asks on without waiting stays refused (fact 2)', async () => {
  client.simulator.limit({ mailboxRequests: 2 });
  for (let i = 0; i < 8; i++) {
    await client.get(`${client.me}/mailFolders`);
    client.simulator.advance(100_000);
  }
  expect(client.simulator.requests('/mailFolders').slice(2).every(({ status }) => status === 429)).toBe(true);
});

test('a fifth request at a time is 429 ApplicationThrottled (facts 4 and 5)', async () => {
  client.simulator.fault({ fault: { kind: 'hang' }, on: '/mailFolders/inbox', times: 4 });
  const controllers = Array.from({ length: 4 }, () => new AbortController());
  const hanging = controllers.map(({ signal }) => fetch(`${client.simulator.graphUrl}/v1.0${client.me}/mailFolders/inbox`, { signal, headers: { authorization: bearer } }).catch(() => undefined));
  while (client.simulator.requests('/mailFolders/inbox').filter(({ status }) => status === 200).length < 4) await new Promise(setImmediate);
  const fifth = await client.get(`${client.me}/mailFolders`);
  expect(fifth.status).toBe(429);
  expect(fifth.json.error).toMatchObject({ code: 'ApplicationThrottled', message: 'Application is over its MailboxConcurrency limit.' });
  for (const controller of controllers) controller.abort();
  await Promise.all(hanging);
  let status = 429;
  for (let attempt = 0; attempt < 1000 && status === 429; attempt++) ({ status } = await client.get(`${client.me}/mailFolders`));
  expect(status).toBe(200);
});

let bearer = '';
beforeEach(async () => {
  const { loginUrl, tenant, clientId, clientSecret } = client.simulator;
  const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' });
  const answer = await (await fetch(`${loginUrl}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body })).json() as { access_token: string };
  bearer = `Bearer ${answer.access_token}`;
});

test('uploads over the limit of five minutes are 429 (fact 4)', async () => {
  client.simulator.limit({ mailboxUploadBytes: 3000 });
  const body = { subject: 'x'.repeat(2000) };
  expect((await client.ask('POST', `${client.me}/messages`, { body })).status).toBe(201);
  const refused = await client.ask('POST', `${client.me}/messages`, { body });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(300);
});

test('a window forgets in slices', () => {
  const window = new SlidingWindow(60_000);
  window.add(0, 10);
  window.add(30_500, 5);
  expect(window.total(59_999)).toBe(15);
  expect(window.total(60_000)).toBe(5);
  expect(window.secondsUntil(31_000, 5)).toBe(29);
  expect(window.total(200_000)).toBe(0);
});
