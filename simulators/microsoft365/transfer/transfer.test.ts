import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestAnswer, TestClient } from '../testClient.ts';

let client: TestClient;
let mailbox: string;

beforeEach(async () => {
  client = await startTestClient({ items: 400 });
  mailbox = `/admin/exchange/mailboxes/${await exportId(client.me)}`;
});

afterEach(() => client.simulator.close());

async function exportId(user: string): Promise<string> {
  return (await client.get(`${user}/settings/exchange`)).json.primaryMailboxId;
}

async function folderNamed(name: string): Promise<any> {
  return (await client.all(`${mailbox}/folders`)).entries.find(({ displayName }) => displayName === name);
}

async function post(where: string, body: unknown, headers: Record<string, string> = {}): Promise<TestAnswer> {
  const { importUrl } = (await client.ask('POST', `${where}/createImportSession`)).json;
  return client.ask('POST', importUrl, { body, headers });
}

test('all kinds of folders and items are seen, sticky notes by this way alone (facts 53 and 55)', async () => {
  expect(mailbox).toMatch(/MBX:[0-9a-f-]{36}@[0-9a-f-]{36}$/);
  const folders = (await client.all(`${mailbox}/folders`)).entries;
  expect(new Set(folders.map(({ type }) => type))).toEqual(new Set(['IPF.Note', 'IPF.Contact', 'IPF.Appointment', 'IPF.Task', 'IPF.StickyNote']));
  const notes = await client.all(`${mailbox}/folders/${(await folderNamed('Notes')).id}/items`);
  expect(notes.entries).toHaveLength(4);
  expect(notes.entries[0]).toMatchObject({ type: 'IPM.StickyNote', size: expect.any(Number) });
  expect(notes.entries[0]).not.toHaveProperty('subject');
});

test('an exported message comes back whole: no draft, its old times, its attachments (fact 55)', async () => {
  const list = await client.all(`${client.me}/mailFolders/inbox/messages?$expand=attachments&$top=50`);
  const original = list.entries.find(({ attachments }) => attachments.length > 0);
  const { value } = (await client.ask('POST', `${mailbox}/exportItems`, { body: { itemIds: [original.id] } })).json;
  expect(value[0]).toMatchObject({ itemId: original.id, changeKey: original.changeKey });
  const target = `/users/${client.simulator.mailboxes[1] ?? ''}`;
  const other = `/admin/exchange/mailboxes/${await exportId(target)}`;
  const { id } = (await client.get(`${target}/mailFolders/archive`)).json;
  const answer = await post(other, { FolderId: id, Mode: 'create', Data: value[0].data });
  expect(answer.status).toBe(200);
  const copy = (await client.get(`${target}/messages/${answer.json.itemId}?$expand=attachments`)).json;
  for (const name of ['subject', 'body', 'receivedDateTime', 'sentDateTime', 'isDraft', 'isRead', 'categories', 'internetMessageId']) expect(copy[name], name).toEqual(original[name]);
  expect(copy.attachments.map(({ name, contentBytes }: any) => [name, contentBytes])).toEqual(original.attachments.map(({ name, contentBytes }: any) => [name, contentBytes]));
  expect(copy.id).not.toBe(original.id);
});

test('at most twenty items are exported at a time; one that is gone has an error of its own (fact 55)', async () => {
  const { entries } = await client.all(`${client.me}/mailFolders/inbox/messages?$select=id&$top=30`);
  const ids = entries.map(({ id }) => id);
  const ask = (itemIds: string[]) => client.ask('POST', `${mailbox}/exportItems`, { body: { itemIds } });
  expect((await ask(ids.slice(0, 21))).status).toBe(400);
  client.simulator.vanish(client.address, ids[1]);
  const { json } = await ask(ids.slice(0, 3));
  expect(json.value.map(({ error }: any) => error?.code)).toEqual([undefined, 'ErrorItemNotFound', undefined]);
});

test('update replaces the item under its change key (fact 55)', async () => {
  const [item] = (await client.all(`${client.me}/mailFolders/inbox/messages?$top=1`)).entries;
  const [{ data, changeKey }] = (await client.ask('POST', `${mailbox}/exportItems`, { body: { itemIds: [item.id] } })).json.value;
  const inbox = (await client.get(`${client.me}/mailFolders/inbox`)).json.id;
  await client.ask('PATCH', `${client.me}/messages/${item.id}`, { body: { categories: ['Later'] } });
  const update = { FolderId: inbox, Mode: 'update', ItemId: item.id, Data: data };
  expect((await post(mailbox, { ...update, ChangeKey: changeKey })).status).toBe(409);
  expect((await post(mailbox, update)).status).toBe(200);
  expect((await client.get(`${client.me}/messages/${item.id}`)).json.categories).toEqual(item.categories);
});

test('the import address takes no Authorization, ends, and refuses what is not a whole stream (facts 55 and 57)', async () => {
  const inbox = (await client.get(`${client.me}/mailFolders/inbox`)).json.id;
  const [item] = (await client.all(`${client.me}/mailFolders/inbox/messages?$top=1`)).entries;
  const [{ data }] = (await client.ask('POST', `${mailbox}/exportItems`, { body: { itemIds: [item.id] } })).json.value;
  const good = { FolderId: inbox, Mode: 'create', Data: data };
  expect((await post(mailbox, good, { authorization: 'Bearer x' })).status).toBe(401);
  for (const Data of [data.slice(0, 100), 'AAAA', Buffer.from('text').toString('base64')]) expect((await post(mailbox, { ...good, Data })).json.error.code).toBe('ErrorCorruptData');
  const contacts = await folderNamed('Contacts');
  expect((await post(mailbox, { ...good, FolderId: contacts.id })).json.error.code).toBe('ErrorItemFolderMismatch');
  const { importUrl } = (await client.ask('POST', `${mailbox}/createImportSession`)).json;
  client.simulator.advance(2 * 3_600_000);
  expect((await client.ask('POST', importUrl, { body: good })).status).toBe(404);
});

test('folders need a class (fact 56), and items come by delta (fact 38)', async () => {
  const make = (body: unknown) => client.ask('POST', `${mailbox}/folders`, { body });
  expect((await make({ displayName: 'Kept' })).status).toBe(400);
  const folder = (await make({ displayName: 'Kept', type: 'IPF.Note' })).json;
  const delta = `${mailbox}/folders/${folder.id}/items/delta`;
  const round = await client.all(delta);
  expect(round.entries).toEqual([]);
  await client.ask('POST', `${client.me}/mailFolders/${folder.id}/messages`, { body: { subject: 'x' } });
  expect((await client.all(round.last['@odata.deltaLink'])).entries).toMatchObject([{ type: 'IPM.Note' }]);
  expect((await client.all(`${mailbox}/folders/delta`)).entries.map(({ displayName }) => displayName)).toEqual(expect.arrayContaining(['Deletions', 'Notes', 'Kept']));
});

test('each right is asked for: reading items is not exporting, exporting not importing (fact 59)', async () => {
  for (const permission of ['MailboxItem.ImportExport.All', 'MailboxItem.Export.All']) client.simulator.withdrawPermission(permission);
  expect((await client.ask('POST', `${mailbox}/exportItems`, { body: { itemIds: ['x'] } })).status).toBe(403);
  client.simulator.grantPermission('MailboxItem.Export.All');
  expect((await client.ask('POST', `${mailbox}/createImportSession`)).status).toBe(403);
});
