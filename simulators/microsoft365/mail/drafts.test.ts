import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestAnswer, TestClient } from '../testClient.ts';

let client: TestClient;

beforeEach(async () => {
  client = await startTestClient();
});

afterEach(() => client.simulator.close());

const RECEIVED = { id: 'SystemTime 0x0E06', value: '2019-03-04T05:06:07Z' };
const SENT = { id: 'SystemTime 0x0039', value: '2019-03-04T05:00:00Z' };

function create(body: unknown, folder = 'archive'): Promise<TestAnswer> {
  return client.ask('POST', `${client.me}/mailFolders/${folder}/messages`, { body });
}

test('MIME makes a draft in Drafts whatever it holds; its parts become properties and attachments (fact 43)', async () => {
  const mime = ['From: "A B" <a@b.example>', 'To: c@d.example', 'Subject: =?utf-8?B?w5xiZXJnYWJl?=', 'Message-ID: <1@b.example>', 'X-Own: kept', 'Date: Mon, 04 Mar 2019 05:06:07 +0000',
    'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=x', '', '--x', 'Content-Type: text/plain', '', 'Hello', '--x', 'Content-Type: application/pdf; name=a.pdf',
    'Content-Disposition: attachment; filename=a.pdf', 'Content-Transfer-Encoding: base64', '', 'AQID', '--x--', ''].join('\r\n');
  const answer = await client.ask('POST', `${client.me}/messages`, { body: Buffer.from(mime).toString('base64'), headers: { 'content-type': 'text/plain' } });
  expect(answer.status).toBe(201);
  expect(answer.json).toMatchObject({ isDraft: true, subject: 'Übergabe', internetMessageId: '<1@b.example>', hasAttachments: true, from: { emailAddress: { address: 'a@b.example', name: 'A B' } } });
  expect(answer.json.receivedDateTime, 'not the time of the message').toBe('2026-07-01T09:00:00Z');
  const drafts = (await client.get(`${client.me}/mailFolders/drafts`)).json.id;
  expect(answer.json.parentFolderId).toBe(drafts);
  const [attachment] = (await client.get(`${client.me}/messages/${answer.json.id}/attachments`)).json.value;
  expect(attachment).toMatchObject({ name: 'a.pdf', contentBytes: 'AQID', size: 3 });
  const headers = await client.get(`${client.me}/messages/${answer.json.id}?$select=internetMessageHeaders`);
  expect(headers.json.internetMessageHeaders).toContainEqual({ name: 'X-Own', value: 'kept' });
});

test('a folder takes no MIME, and MIME must be base64 (fact 43)', async () => {
  const headers = { 'content-type': 'text/plain' };
  expect((await client.ask('POST', `${client.me}/mailFolders/inbox/messages`, { body: 'QQ==', headers })).status).toBe(415);
  expect((await client.ask('POST', `${client.me}/messages`, { body: 'Subject: plain\r\n', headers })).status).toBe(400);
});

test('a draft stays a draft: neither PATCH nor copy nor move changes it (fact 44)', async () => {
  const draft = (await create({ subject: 'x' })).json;
  expect(draft.isDraft).toBe(true);
  const path = `${client.me}/messages/${draft.id}`;
  expect((await client.ask('PATCH', path, { body: { isDraft: false } })).status).toBe(400);
  expect((await client.ask('PATCH', path, { body: { singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: '1' }] } })).status).toBe(400);
  expect((await client.ask('POST', `${path}/copy`, { body: { destinationId: 'inbox' } })).json.isDraft).toBe(true);
  expect((await client.ask('POST', `${path}/move`, { body: { destinationId: 'inbox' } })).json.isDraft).toBe(true);
});

test.each([['1', false, true], ['4', false, false], ['5', false, true], ['8', true, false], ['9', true, true]])(
  'flags %s at creation make isDraft %s and isRead %s; times come from the two properties (fact 45)', async (value, isDraft, isRead) => {
    const { json } = await create({ subject: 'old', singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value }, RECEIVED, SENT] });
    expect(json).toMatchObject({ isDraft, isRead, receivedDateTime: RECEIVED.value, sentDateTime: SENT.value });
  },
);

test('receivedDateTime, sentDateTime and isDraft in a body are not taken (fact 45)', async () => {
  const { json } = await create({ subject: 'x', isDraft: false, receivedDateTime: RECEIVED.value, sentDateTime: SENT.value });
  expect(json).toMatchObject({ isDraft: true, receivedDateTime: '2026-07-01T09:00:00Z' });
});

test('a restored message lies in the order of its old time', async () => {
  await create({ subject: 'oldest', singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: '1' }, { ...RECEIVED, value: '2001-01-01T00:00:00Z' }] }, 'inbox');
  const { entries } = await client.all(`${client.me}/mailFolders/inbox/messages?$select=subject`);
  expect(entries.at(-1)?.subject).toBe('oldest');
});

test('of a message that is no draft only some properties can be changed', async () => {
  const { json } = await create({ subject: 'x', singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: '1' }] });
  const path = `${client.me}/messages/${json.id}`;
  expect((await client.ask('PATCH', path, { body: { subject: 'y' } })).status).toBe(400);
  const changed = await client.ask('PATCH', path, { body: { isRead: false, categories: ['Blue category'], flag: { flagStatus: 'flagged' } } });
  expect(changed.json).toMatchObject({ isRead: false, categories: ['Blue category'] });
  expect(changed.json.changeKey).not.toBe(json.changeKey);
});

test('an old change key in If-Match is 412', async () => {
  const { json } = await create({ subject: 'x' });
  const path = `${client.me}/messages/${json.id}`;
  const headers = { 'if-match': json['@odata.etag'] };
  expect((await client.ask('PATCH', path, { body: { isRead: false }, headers })).status).toBe(200);
  expect((await client.ask('PATCH', path, { body: { isRead: true }, headers })).status).toBe(412);
});

test('extended properties are kept, and read by $expand with a filter on id, however the tag is written (fact 46)', async () => {
  const named = 'String {00020329-0000-0000-C000-000000000046} Name Holdfast';
  const { json } = await create({ subject: 'x', singleValueExtendedProperties: [{ id: named, value: 'a' }, { id: 'Integer 0x0E07', value: '1' }] });
  const path = `${client.me}/messages/${json.id}`;
  const read = async (id: string): Promise<any> => (await client.get(`${path}?$select=id&$expand=singleValueExtendedProperties($filter=id eq '${id}')`)).json.singleValueExtendedProperties;
  expect(await read(named)).toEqual([{ id: named, value: 'a' }]);
  expect(await read('Integer 0xe07')).toEqual([{ id: 'Integer 0xe07', value: '1' }]);
  expect(await read('Integer 0x0E07')).toEqual([{ id: 'Integer 0x0E07', value: '1' }]);
  expect(await read('String 0x7777')).toBeUndefined();
  expect((await client.get(`${path}?$expand=singleValueExtendedProperties`)).status).toBe(400);
  expect((await create({ singleValueExtendedProperties: [{ id: 'Nonsense 0x1', value: '1' }] })).status).toBe(400);
});

test('unknown properties, and headers that do not begin with x-, are 400', async () => {
  expect((await create({ nonsense: 1 })).status).toBe(400);
  expect((await create({ internetMessageHeaders: [{ name: 'Received', value: 'x' }] })).json.error.code).toBe('InvalidInternetMessageHeader');
  expect((await create({ internetMessageHeaders: [{ name: 'X-Fine', value: 'x' }] })).status).toBe(201);
});
