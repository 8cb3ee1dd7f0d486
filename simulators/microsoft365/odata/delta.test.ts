import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestClient } from '../testClient.ts';

let client: TestClient;
let delta: string;

beforeEach(async () => {
  client = await startTestClient();
  delta = `${client.me}/mailFolders/inbox/messages/delta`;
});

afterEach(() => client.simulator.close());

const SIZE = 'odata.maxpagesize=6';

async function move(id: string, destinationId: string): Promise<void> {
  expect((await client.ask('POST', `${client.me}/messages/${id}/move`, { body: { destinationId } })).status).toBe(201);
}

test('a round tells all of the folder over pages; each page has one link, the last one a deltaLink (fact 20)', async () => {
  const { json } = await client.get(`${client.me}/mailFolders/inbox`);
  let next: string | undefined = `${delta}?$select=subject`;
  const ids: string[] = [];
  while (next !== undefined) {
    const page: any = (await client.get(next, SIZE)).json;
    expect([page['@odata.nextLink'], page['@odata.deltaLink']].filter((link) => link !== undefined)).toHaveLength(1);
    expect(page.value.length).toBeLessThanOrEqual(6);
    ids.push(...page.value.map(({ id }: any) => id));
    next = page['@odata.nextLink'];
  }
  expect(new Set(ids).size).toBe(json.totalItemCount);
  expect(ids.length, 'entries come again: the last one wins (fact 21)').toBeGreaterThan(json.totalItemCount);
});

test('the next round tells what changed since this one began, with the same options, after an empty page (facts 20 to 23)', async () => {
  const round = await client.all(`${delta}?$select=subject`, SIZE);
  const [gone, changed] = round.entries;
  await move(gone.id, 'archive');
  await client.ask('PATCH', `${client.me}/messages/${changed.id}`, { body: { isRead: false } });
  const added = await client.ask('POST', `${client.me}/mailFolders/inbox/messages`, { body: { subject: 'new' } });
  const first = (await client.get(round.last['@odata.deltaLink'])).json;
  expect(first.value).toEqual([]);
  const { entries, last } = await client.all(first['@odata.nextLink']);
  expect(entries.map((entry) => entry['@removed'] ?? entry.subject)).toEqual([{ reason: 'deleted' }, changed.subject, 'new']);
  expect(entries.find((entry) => entry.subject === 'new')).toMatchObject({ id: added.json.id });
  expect(entries.find((entry) => entry.subject === 'new')).not.toHaveProperty('body');
  expect((await client.get(last['@odata.deltaLink'])).json.value).toEqual([]);
});

test('what changes during a round comes in the next one', async () => {
  const first = (await client.get(`${delta}?$select=isRead`, SIZE)).json;
  await client.ask('PATCH', `${client.me}/messages/${first.value[0].id}`, { body: { categories: ['Travel'] } });
  const { last } = await client.all(first['@odata.nextLink'], SIZE);
  const { entries } = await client.all(last['@odata.deltaLink']);
  expect(entries.map(({ id }) => id)).toEqual([first.value[0].id]);
});

test('a move is @removed here and an item there, joined by the immutable id (fact 28)', async () => {
  const immutable = 'IdType="ImmutableId"';
  const archive = `${client.me}/mailFolders/archive/messages/delta?$select=subject`;
  const [here, there] = [await client.all(`${delta}?$select=subject`, immutable), await client.all(archive, immutable)];
  const { id } = here.entries[3];
  await move(id, 'archive');
  expect((await client.all(here.last['@odata.deltaLink'], immutable)).entries).toEqual([{ '@removed': { reason: 'deleted' }, id }]);
  expect((await client.all(there.last['@odata.deltaLink'], immutable)).entries).toMatchObject([{ id, subject: here.entries[3].subject }]);
});

test('messages are filtered by time of arrival alone, and ordered by it alone (fact 27)', async () => {
  const all = await client.all(`${delta}?$select=receivedDateTime`);
  const middle = all.entries[5].receivedDateTime;
  const { entries } = await client.all(`${delta}?$filter=receivedDateTime ge ${middle}&$select=receivedDateTime`);
  expect(entries.length).toBeLessThan(all.entries.length);
  expect(entries.every(({ receivedDateTime }) => receivedDateTime >= middle)).toBe(true);
  for (const query of ['$filter=isRead eq true', '$filter=receivedDateTime le 2026-01-01T00:00:00Z', '$orderby=subject', '$search="x"', '$count=true', '$skip=1', '$deltatoken=nonsense']) {
    expect((await client.get(`${delta}?${query}`)).status, query).toBe(400);
  }
  expect((await client.get(`${delta}?$orderby=receivedDateTime desc`)).status).toBe(200);
});

test('a filtered round tells five thousand messages at most (fact 27)', async () => {
  await client.simulator.close();
  client = await startTestClient({ items: 40_000 });
  const { entries } = await client.all(`${client.me}/mailFolders/inbox/messages/delta?$filter=receivedDateTime ge 2000-01-01T00:00:00Z&$select=id`, 'odata.maxpagesize=1000');
  expect(new Set(entries.map(({ id }) => id)).size).toBe(5000);
});

test('delta, delta() and microsoft.graph.delta are one (fact 26)', async () => {
  for (const name of ['delta', 'delta()', 'microsoft.graph.delta', 'microsoft.graph.delta()']) {
    expect((await client.get(`${client.me}/mailFolders/inbox/messages/${name}`)).json.value.length, name).toBeGreaterThan(0);
  }
  expect((await client.get(`${client.me}/messages/delta`)).status, 'there is none over all folders (fact 27)').toBe(400);
});

test('an evicted token of a mailbox is 410 SyncStateNotFound for mail, and starting again works (facts 24 and 25)', async () => {
  const { last } = await client.all(`${delta}?$select=id`);
  client.simulator.evictDeltaTokens(client.address);
  const answer = await client.get(last['@odata.deltaLink']);
  expect([answer.status, answer.json.error.code]).toEqual([410, 'SyncStateNotFound']);
  expect((await client.get(`${delta}?$select=id`)).status).toBe(200);
});

test('the rest of a mailbox answers an evicted token with 404 syncStateNotFound (fact 24)', async () => {
  for (const path of ['/contactFolders/contacts/contacts/delta', '/todo/lists/delta', '/calendarView/delta?startDateTime=2026-01-01&endDateTime=2026-12-31']) {
    const { last } = await client.all(`${client.me}${path}`);
    client.simulator.evictDeltaTokens(client.address);
    const answer = await client.get(last['@odata.deltaLink']);
    expect([answer.status, answer.json.error.code], path).toEqual([404, 'syncStateNotFound']);
  }
});

test('a token of another folder, or with other options beside it, is refused', async () => {
  const { last } = await client.all(`${delta}?$select=id`);
  const link: string = last['@odata.deltaLink'];
  expect((await client.get(link.replace('/inbox/', '/archive/'))).status).toBe(400);
  expect((await client.get(`${link}&$select=subject`)).status).toBe(400);
});

test('folders come by delta, and a deleted one is @removed', async () => {
  const folder = (await client.ask('POST', `${client.me}/mailFolders`, { body: { displayName: 'Temporary' } })).json;
  const round = await client.all(`${client.me}/mailFolders/delta`);
  expect(round.entries.map(({ displayName }) => displayName)).toEqual(expect.arrayContaining(['Inbox', 'Newsletters', 'Atlas', 'Temporary']));
  await client.ask('POST', `${client.me}/mailFolders/${folder.id}/permanentDelete`);
  expect((await client.all(round.last['@odata.deltaLink'])).entries).toEqual([{ '@removed': { reason: 'deleted' }, id: folder.id }]);
});
