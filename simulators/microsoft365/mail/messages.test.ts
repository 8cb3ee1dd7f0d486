import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestClient } from '../testClient.ts';

let client: TestClient;
const IMMUTABLE = 'IdType="ImmutableId"';

beforeEach(async () => {
  client = await startTestClient();
});

afterEach(() => client.simulator.close());

async function firstId(folder = 'inbox', prefer?: string): Promise<string> {
  return (await client.get(`${client.me}/mailFolders/${folder}/messages?$top=1&$select=id`, prefer)).json.value[0].id;
}

test('folders have the well-known names (fact 49); hidden ones are told when asked for', async () => {
  for (const name of ['inbox', 'drafts', 'sentitems', 'deleteditems', 'junkemail', 'outbox', 'archive', 'clutter', 'conflicts', 'conversationhistory', 'localfailures', 'msgfolderroot',
    'recoverableitemsdeletions', 'scheduled', 'searchfolders', 'serverfailures', 'syncissues']) {
    expect((await client.get(`${client.me}/mailFolders/${name}`)).status, name).toBe(200);
  }
  const { entries } = await client.all(`${client.me}/mailFolders?$select=displayName,totalItemCount`);
  expect(entries.map(({ displayName }) => displayName)).toContain('Inbox');
  expect(entries.map(({ displayName }) => displayName)).not.toContain('Deletions');
});

test('a list of messages is in order of arrival, newest first, and its pages together are all of the folder', async () => {
  const { json } = await client.get(`${client.me}/mailFolders/inbox`);
  const { entries, pages } = await client.all(`${client.me}/mailFolders/inbox/messages?$select=receivedDateTime&$top=7`);
  expect(entries).toHaveLength(json.totalItemCount);
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  expect(pages).toBe(Math.ceil(entries.length / 7));
  const times = entries.map(({ receivedDateTime }) => Date.parse(receivedDateTime));
  expect(times).toEqual(times.toSorted((a, b) => b - a));
});

test('$select, $filter, $orderby, $top, $skip and $count work, and what is not known is 400', async () => {
  const list = `${client.me}/mailFolders/inbox/messages`;
  const { json } = await client.get(`${list}?$select=subject&$top=3&$count=true`);
  expect(Object.keys(json.value[0]).toSorted()).toEqual(['@odata.etag', 'id', 'subject']);
  const all = await client.all(`${list}?$select=subject,isRead`);
  expect(json['@odata.count']).toBe(all.entries.length);
  const unread = await client.all(`${list}?$filter=isRead eq false&$select=isRead`);
  expect(unread.entries.length).toBe(all.entries.filter(({ isRead }) => !isRead).length);
  const sorted = await client.all(`${list}?$orderby=subject&$select=subject&$top=4`);
  const subjects = sorted.entries.map(({ subject }) => subject.toLowerCase());
  expect(subjects).toEqual(subjects.toSorted((a, b) => (a < b ? -1 : Number(a > b))));
  expect((await client.get(`${list}?$skip=${all.entries.length - 1}`)).json.value).toHaveLength(1);
  for (const query of ['$select=nonsense', '$filter=nonsense eq 1', '$filter=subject eq', '$top=1001', '$top=x', 'nonsense=1', '$top=1&$top=2', '$expand=nonsense', '$nonsense=1']) {
    expect((await client.get(`${list}?${query}`)).status, query).toBe(400);
  }
});

test('ordinary ids change with a move, immutable ones do not, each request asks for itself (facts 28 and 41)', async () => {
  const ordinary = await firstId();
  const immutable = await firstId('inbox', IMMUTABLE);
  expect(immutable).not.toBe(ordinary);
  const moved = await client.ask('POST', `${client.me}/messages/${ordinary}/move`, { body: { destinationId: 'archive' } });
  expect(moved.status).toBe(201);
  expect(moved.json.id).not.toBe(ordinary);
  expect((await client.get(`${client.me}/messages/${ordinary}`)).status).toBe(404);
  expect((await client.get(`${client.me}/messages/${moved.json.id}`)).status).toBe(200);
  const same = await client.get(`${client.me}/messages/${immutable}`, IMMUTABLE);
  expect(same.json).toMatchObject({ id: immutable, subject: moved.json.subject });
  expect(same.headers.get('preference-applied')).toContain('ImmutableId');
});

test('ids are case-sensitive, and an id of one mailbox is none of another (fact 41)', async () => {
  const id = await firstId();
  expect((await client.get(`${client.me}/messages/${id.toUpperCase()}`)).status).toBe(400);
  expect((await client.get(`/users/${client.simulator.mailboxes[1] ?? ''}/messages/${id}`)).status).toBe(400);
});

test('translateExchangeIds goes between both forms, for a thousand ids at most (fact 41)', async () => {
  const [ordinary, immutable] = [await firstId(), await firstId('inbox', IMMUTABLE)];
  const ask = (inputIds: string[]) => client.ask('POST', `${client.me}/translateExchangeIds`, { body: { inputIds, sourceIdType: 'restId', targetIdType: 'restImmutableEntryId' } });
  expect((await ask([ordinary])).json.value).toEqual([{ sourceId: ordinary, targetId: immutable }]);
  expect((await ask(Array.from({ length: 1001 }, () => ordinary))).status).toBe(400);
});

test('the MIME form holds what the message and its attachments hold, the same at each reading (fact 42)', async () => {
  await client.simulator.close();
  client = await startTestClient({ items: 400 });
  const { entries } = await client.all(`${client.me}/messages?$filter=hasAttachments eq true&$top=50&$expand=attachments`);
  const message = entries.find(({ attachments }) => attachments.some((attachment: any) => attachment.contentBytes?.length > 100));
  const [first, second] = [await client.get(`${client.me}/messages/${message.id}/$value`), await client.get(`${client.me}/messages/${message.id}/$value`)];
  expect(first.headers.get('content-type')).toContain('text/plain');
  expect(first.bytes.equals(second.bytes)).toBe(true);
  const text = first.bytes.toString();
  expect(text).toContain(`Message-ID: ${message.internetMessageId}`);
  expect(text.replace(/\r\n/g, '')).toContain(message.attachments.find((attachment: any) => attachment.contentBytes !== undefined).contentBytes);
  const value = await client.get(`${client.me}/messages/${message.id}/attachments/${message.attachments[0].id}/$value`);
  expect(value.bytes.length).toBe(message.attachments[0].size);
});

test('an item attachment shows its item when that is expanded', async () => {
  await client.simulator.close();
  client = await startTestClient({ items: 800 });
  const { entries } = await client.all(`${client.me}/messages?$filter=hasAttachments eq true&$top=100&$expand=attachments($select=name)`);
  const message = entries.find(({ attachments }) => attachments.some((attachment: any) => attachment['@odata.type'].endsWith('itemAttachment')));
  const attachment = message.attachments.find((candidate: any) => candidate['@odata.type'].endsWith('itemAttachment'));
  const path = `${client.me}/messages/${message.id}/attachments/${attachment.id}`;
  expect((await client.get(path)).json).not.toHaveProperty('item');
  expect((await client.get(`${path}?$expand=microsoft.graph.itemattachment/item`)).json.item).toMatchObject({ '@odata.type': '#microsoft.graph.message' });
  expect((await client.get(`${path}/$value`)).headers.get('content-type')).toBe('message/rfc822');
});

test('a delete goes to Deleted Items, from there to Recoverable Items, and there it ends (fact 50)', async () => {
  const id = await firstId('inbox', IMMUTABLE);
  const path = `${client.me}/messages/${id}`;
  const parent = async (): Promise<string> => {
    const { parentFolderId } = (await client.get(`${path}?$select=parentFolderId`)).json;
    return (await client.get(`${client.me}/mailFolders/${parentFolderId}`)).json.displayName;
  };
  for (const folder of ['Deleted Items', 'Deletions']) {
    expect((await client.ask('DELETE', path)).status).toBe(204);
    expect(await parent()).toBe(folder);
  }
  const refused = await client.ask('DELETE', path);
  expect(refused.json.error.code).toBe('ErrorCannotDeleteObject');
  expect((await client.all(`${client.me}/mailFolders/recoverableitemsdeletions/messages?$select=id`, IMMUTABLE)).entries.map((entry) => entry.id)).toContain(id);
  expect((await client.ask('POST', `${path}/permanentDelete`)).status).toBe(204);
  expect((await client.get(path)).status).toBe(404);
});

test('on hold what is purged is kept where no mail route reaches it', async () => {
  client.simulator.setHold(client.address, true);
  const id = await firstId();
  expect((await client.ask('POST', `${client.me}/messages/${id}/permanentDelete`)).status).toBe(204);
  expect((await client.get(`${client.me}/messages/${id}`)).status).toBe(404);
  const { entries } = await client.all(`${client.me}/mailFolders/recoverableitemspurges/messages`);
  expect(entries).toHaveLength(1);
});

test('folders are made, renamed, moved, copied and deleted; a name twice is 409', async () => {
  const make = (displayName: string, parent = '') => client.ask('POST', `${client.me}/mailFolders${parent}`, { body: { displayName } });
  const folder = (await make('New')).json;
  expect((await make('new')).json.error.code).toBe('ErrorFolderExists');
  const child = (await make('Child', `/${folder.id}/childFolders`)).json;
  expect((await client.ask('PATCH', `${client.me}/mailFolders/${child.id}`, { body: { displayName: 'Kid' } })).json.displayName).toBe('Kid');
  await client.ask('POST', `${client.me}/mailFolders/${child.id}/messages`, { body: { subject: 'inside' } });
  const copy = await client.ask('POST', `${client.me}/mailFolders/${child.id}/copy`, { body: { destinationId: 'inbox' } });
  expect(copy.json).toMatchObject({ displayName: 'Kid', totalItemCount: 1 });
  expect((await client.ask('POST', `${client.me}/mailFolders/${folder.id}/move`, { body: { destinationId: child.id } })).status).toBe(400);
  expect((await client.ask('DELETE', `${client.me}/mailFolders/inbox`)).json.error.code).toBe('ErrorDeleteDistinguishedFolder');
  expect((await client.ask('DELETE', `${client.me}/mailFolders/${folder.id}`)).status).toBe(204);
  expect((await client.all(`${client.me}/mailFolders/deleteditems/childFolders`)).entries.map(({ displayName }) => displayName)).toEqual(['New']);
  expect((await client.ask('DELETE', `${client.me}/mailFolders/${folder.id}`)).status).toBe(204);
  expect((await client.get(`${client.me}/mailFolders/${child.id}`)).status).toBe(404);
});

test('Prefer shows bodies as text', async () => {
  const { json } = await client.get(`${client.me}/messages/${await firstId()}?$select=body`, 'outlook.body-content-type="text"');
  expect(json.body.contentType).toBe('text');
  expect(json.body.content).not.toContain('<p>');
});

test('settings, categories and rules are read and written (fact 54)', async () => {
  expect((await client.get(`${client.me}/mailboxSettings`)).json.timeZone).toBe('W. Europe Standard Time');
  expect((await client.ask('PATCH', `${client.me}/mailboxSettings`, { body: { timeZone: 'UTC' } })).json.timeZone).toBe('UTC');
  const rules = `${client.me}/mailFolders/inbox/messageRules`;
  const rule = await client.ask('POST', rules, { body: { displayName: 'Move it', sequence: 1, conditions: { senderContains: ['x'] }, actions: { stopProcessingRules: true } } });
  expect(rule.status).toBe(201);
  expect((await client.get(rules)).json.value).toHaveLength(1);
  const categories = `${client.me}/outlook/masterCategories`;
  const [category] = (await client.get(categories)).json.value;
  expect((await client.ask('PATCH', `${categories}/${category.id}`, { body: { color: 'preset3' } })).json.color).toBe('preset3');
  expect((await client.ask('DELETE', `${categories}/${category.id}`)).status).toBe(204);
});
