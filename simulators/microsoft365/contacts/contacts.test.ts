import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePicture } from '../seed/pictures.ts';
import { startTestClient } from '../testClient.ts';
import type { TestClient } from '../testClient.ts';

let client: TestClient;

beforeEach(async () => {
  client = await startTestClient({ items: 400 });
});

afterEach(() => client.simulator.close());

test('the default folder is reached by /contacts, the others by contactFolders', async () => {
  const folders = (await client.all(`${client.me}/contactFolders`)).entries;
  expect(folders.map(({ displayName }) => displayName)).toEqual(['Suppliers']);
  const [first, other] = [await client.all(`${client.me}/contacts?$select=id`), await client.all(`${client.me}/contactFolders/${folders[0].id}/contacts?$select=id`)];
  expect([first.entries.length, other.entries.length]).toEqual([16, 4]);
  expect((await client.all(`${client.me}/contactFolders/contacts/contacts?$select=id`)).entries).toEqual(first.entries);
});

test('contacts are made, changed and deleted, and come by delta (facts 29 and 65)', async () => {
  const round = await client.all(`${client.me}/contactFolders/contacts/contacts/delta?$select=displayName`);
  const made = await client.ask('POST', `${client.me}/contactFolders/contacts/contacts`, { body: { givenName: 'Åsa', surname: 'Ek', emailAddresses: [{ address: 'a@b.example', name: 'Åsa' }] } });
  expect(made.json).toMatchObject({ displayName: 'Åsa Ek', primaryEmailAddress: { address: 'a@b.example' } });
  const path = `${client.me}/contacts/${made.json.id}`;
  expect((await client.ask('PATCH', path, { body: { jobTitle: 'Boss' } })).json.jobTitle).toBe('Boss');
  const next = await client.all(round.last['@odata.deltaLink']);
  expect(next.entries.map(({ displayName }) => displayName)).toEqual(['Åsa Ek']);
  expect((await client.ask('DELETE', path)).status).toBe(204);
  expect((await client.all(next.last['@odata.deltaLink'])).entries).toEqual([{ '@removed': { reason: 'deleted' }, id: made.json.id }]);
  expect((await client.ask('POST', `${client.me}/contacts`, { body: { nonsense: 1 } })).status).toBe(400);
});

test('photos are read and written by /photo/$value; without one it is 404 (fact 65)', async () => {
  const { entries } = await client.all(`${client.me}/contacts?$select=id`);
  const statuses = [];
  for (const { id } of entries) statuses.push((await client.get(`${client.me}/contacts/${id}/photo/$value`)).status);
  expect(new Set(statuses)).toEqual(new Set([200, 404]));
  const bare = entries[statuses.indexOf(404)];
  const picture = makePicture(16, 'mine');
  expect((await client.ask('PUT', `${client.me}/contacts/${bare.id}/photo/$value`, { body: picture, headers: { 'content-type': 'image/png' } })).status).toBe(200);
  expect((await client.get(`${client.me}/contacts/${bare.id}/photo/$value`)).bytes.equals(picture)).toBe(true);
});

test('contact folders are made, renamed and deleted', async () => {
  const folder = (await client.ask('POST', `${client.me}/contactFolders`, { body: { displayName: 'Friends' } })).json;
  expect((await client.ask('PATCH', `${client.me}/contactFolders/${folder.id}`, { body: { displayName: 'Close friends' } })).json.displayName).toBe('Close friends');
  const round = await client.all(`${client.me}/contactFolders/delta`);
  expect(round.entries.map(({ displayName }) => displayName)).toContain('Close friends');
  expect((await client.ask('DELETE', `${client.me}/contactFolders/${folder.id}`)).status).toBe(204);
  expect((await client.all(round.last['@odata.deltaLink'])).entries).toEqual([{ '@removed': { reason: 'deleted' }, id: folder.id }]);
});
