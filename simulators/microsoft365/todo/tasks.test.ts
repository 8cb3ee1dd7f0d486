import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestClient } from '../testClient.ts';

const MB = 1024 * 1024;
let client: TestClient;
let lists: string;

beforeEach(async () => {
  client = await startTestClient({ items: 400 });
  lists = `${client.me}/todo/lists`;
});

afterEach(() => client.simulator.close());

async function newTask(): Promise<string> {
  const list = (await client.ask('POST', lists, { body: { displayName: 'Mine' } })).json;
  return `${lists}/${list.id}/tasks/${(await client.ask('POST', `${lists}/${list.id}/tasks`, { body: { title: 'Do it', linkedResources: [{ webUrl: 'https://a.example', applicationName: 'A', displayName: 'B', externalId: '1' }] } })).json.id}`;
}

test('lists are the default one, flagged mail and others; a built-in one cannot be deleted', async () => {
  const { entries } = await client.all(lists);
  expect(entries.map(({ wellknownListName }) => wellknownListName)).toEqual(['defaultList', 'flaggedEmails', 'none']);
  expect((await client.ask('DELETE', `${lists}/${entries[0].id}`)).status).toBe(400);
  expect((await client.ask('DELETE', `${lists}/${entries[2].id}`)).status).toBe(204);
});

test('tasks have steps, links and attachments by $expand, and come by delta (facts 29 and 66)', async () => {
  const [list] = (await client.all(lists)).entries;
  const { entries } = await client.all(`${lists}/${list.id}/tasks?$expand=checklistItems,linkedResources,attachments`);
  expect(entries).toHaveLength(12);
  expect(entries.some(({ checklistItems }) => checklistItems.length > 0)).toBe(true);
  const round = await client.all(`${lists}/${list.id}/tasks/delta`);
  await client.ask('PATCH', `${lists}/${list.id}/tasks/${entries[0].id}`, { body: { status: 'completed' } });
  await client.ask('DELETE', `${lists}/${list.id}/tasks/${entries[1].id}`);
  const next = await client.all(round.last['@odata.deltaLink']);
  expect(next.entries).toMatchObject([{ id: entries[0].id, status: 'completed', completedDateTime: { timeZone: 'UTC' } }, { id: entries[1].id, '@removed': { reason: 'deleted' } }]);
});

test('steps and links are made, changed and deleted (fact 66)', async () => {
  const task = await newTask();
  expect((await client.get(`${task}/linkedResources`)).json.value).toMatchObject([{ webUrl: 'https://a.example', externalId: '1' }]);
  const step = (await client.ask('POST', `${task}/checklistItems`, { body: { displayName: 'First' } })).json;
  expect(step).toMatchObject({ isChecked: false });
  expect((await client.ask('PATCH', `${task}/checklistItems/${step.id}`, { body: { isChecked: true } })).json).toMatchObject({ isChecked: true, displayName: 'First' });
  expect((await client.ask('DELETE', `${task}/checklistItems/${step.id}`)).status).toBe(204);
  expect((await client.get(`${task}/checklistItems/${step.id}`)).status).toBe(404);
});

test('attachments below 3 MB go by POST, up to 25 MB by a session (fact 66)', async () => {
  const task = await newTask();
  const body = { '@odata.type': '#microsoft.graph.taskFileAttachment', name: 'a.txt', contentType: 'text/plain', contentBytes: 'YWJj' };
  const small = await client.ask('POST', `${task}/attachments`, { body });
  expect(small.json).not.toHaveProperty('contentBytes');
  expect((await client.get(`${task}/attachments/${small.json.id}/$value`)).bytes.toString()).toBe('abc');
  expect((await client.ask('POST', `${task}/attachments`, { body: { ...body, '@odata.type': '#microsoft.graph.fileAttachment' } })).status).toBe(400);
  const open = (size: number) => client.ask('POST', `${task}/attachments/createUploadSession`, { body: { attachmentInfo: { attachmentType: 'file', name: 'b', size } } });
  expect((await open(25 * MB + 1)).status).toBe(400);
  const session = (await open(3 * MB)).json;
  const sent = await client.ask('PUT', session.uploadUrl, { body: Buffer.alloc(3 * MB), headers: { 'content-range': `bytes 0-${3 * MB - 1}/${3 * MB}` } });
  expect(sent.status).toBe(201);
  expect((await client.get(`${task}/attachments`)).json.value.map(({ size }: any) => size)).toEqual([3, 3 * MB]);
  expect((await client.get(task)).json.hasAttachments).toBe(true);
});

test('open extensions come with a task or later, are expanded, and need their type and name', async () => {
  const list = (await client.ask('POST', lists, { body: { displayName: 'Mine' } })).json;
  const extension = { '@odata.type': '#microsoft.graph.openTypeExtension', extensionName: 'com.example.note', word: 'a' };
  const task = `${lists}/${list.id}/tasks/${(await client.ask('POST', `${lists}/${list.id}/tasks`, { body: { title: 'x', extensions: [extension] } })).json.id}`;
  expect((await client.get(`${lists}/${list.id}/tasks?$expand=extensions`)).json.value).toMatchObject([{ extensions: [{ word: 'a', id: 'microsoft.graph.openTypeExtension.com.example.note' }] }]);
  expect((await client.ask('PATCH', `${task}/extensions/microsoft.graph.openTypeExtension.com.example.note`, { body: { ...extension, word: 'b' } })).json).toMatchObject({ word: 'b' });
  expect((await client.ask('POST', `${task}/extensions`, { body: extension })).status).toBe(409);
  for (const odd of [{ extensionName: 'x' }, { '@odata.type': extension['@odata.type'] }, { ...extension, extensionName: 'y', word: {} }]) expect((await client.ask('POST', `${task}/extensions`, { body: odd })).status).toBe(400);
  expect((await client.ask('DELETE', `${task}/extensions/com.example.note`)).status).toBe(204);
  expect((await client.get(`${task}/extensions`)).json.value).toEqual([]);
});
