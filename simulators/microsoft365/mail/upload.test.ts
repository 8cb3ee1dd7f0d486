import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestAnswer, TestClient } from '../testClient.ts';

const MB = 1024 * 1024;
let client: TestClient;
let message: string;

beforeEach(async () => {
  client = await startTestClient();
  message = `${client.me}/messages/${(await client.ask('POST', `${client.me}/messages`, { body: { subject: 'x' } })).json.id}`;
});

afterEach(() => client.simulator.close());

function open(size: number): Promise<TestAnswer> {
  return client.ask('POST', `${message}/attachments/createUploadSession`, { body: { AttachmentItem: { attachmentType: 'file', name: 'large.bin', size } } });
}

function put(url: string, bytes: Buffer, from: number, total: number, headers: Record<string, string> = {}): Promise<TestAnswer> {
  return client.ask('PUT', url, { body: bytes, headers: { 'content-range': `bytes ${from}-${from + bytes.length - 1}/${total}`, ...headers } });
}

test('an attachment below 3 MB goes by POST, from 3 MB on by a session, and not otherwise (fact 47)', async () => {
  const post = (size: number) => client.ask('POST', `${message}/attachments`, { body: { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a', contentBytes: Buffer.alloc(size).toString('base64') } });
  expect((await post(1000)).status).toBe(201);
  expect((await post(3 * MB)).status).toBe(413);
  expect((await open(3 * MB - 1)).json.error.code).toBe('ErrorAttachmentSizeShouldNotBeLessThanMinimumSize');
  expect((await open(3 * MB)).status).toBe(201);
  expect((await open(150 * MB + 1)).status).toBe(400);
});

test('ranges arrive in order and below 4 MB; the last answers 201 with the attachment\'s address (fact 47)', async () => {
  const content = Buffer.alloc(5 * MB, 'content ');
  const { json } = await open(content.length);
  expect(json.nextExpectedRanges).toEqual(['0-']);
  expect((await put(json.uploadUrl, content.subarray(0, 4 * MB), 0, content.length)).status).toBe(413);
  const first = await put(json.uploadUrl, content.subarray(0, 3 * MB), 0, content.length);
  expect(first.status).toBe(200);
  expect(first.json.nextExpectedRanges).toEqual([`${3 * MB}-`]);
  expect((await put(json.uploadUrl, content.subarray(0, MB), 0, content.length)).status).toBe(416);
  expect((await put(json.uploadUrl, content.subarray(3 * MB), 3 * MB, content.length + 1)).status).toBe(400);
  expect((await client.ask('GET', json.uploadUrl)).json.nextExpectedRanges).toEqual([`${3 * MB}-`]);
  const last = await put(json.uploadUrl, content.subarray(3 * MB), 3 * MB, content.length);
  expect(last.status).toBe(201);
  const id = /attachments\/([^/]+)$/.exec(last.headers.get('location') ?? '')?.[1];
  expect((await client.get(`${message}/attachments/${id ?? ''}/$value`)).bytes.equals(content)).toBe(true);
  expect((await client.ask('GET', json.uploadUrl)).status).toBe(404);
});

test('the address is pre-authenticated: an Authorization header is refused (fact 47)', async () => {
  const { json } = await open(3 * MB);
  expect((await put(json.uploadUrl, Buffer.alloc(MB), 0, 3 * MB, { authorization: 'Bearer x' })).status).toBe(401);
  expect((await put(json.uploadUrl.replace(/authtoken=.*/, 'authtoken=wrong'), Buffer.alloc(MB), 0, 3 * MB)).status).toBe(401);
  expect(JSON.stringify(client.simulator.requests('/outlook/'))).not.toContain(new URL(json.uploadUrl).searchParams.get('authtoken'));
});

test('DELETE cancels, and a session ends by itself (fact 47)', async () => {
  const [first, second] = [(await open(3 * MB)).json, (await open(3 * MB)).json];
  expect((await client.ask('DELETE', first.uploadUrl)).status).toBe(204);
  expect((await client.ask('GET', first.uploadUrl)).status).toBe(404);
  client.simulator.advance(25 * 3_600_000);
  expect((await client.ask('GET', second.uploadUrl)).status).toBe(404);
});

test('a body of more than 4 MB is 413', async () => {
  expect((await client.ask('POST', `${client.me}/messages`, { body: { subject: 'x', body: { contentType: 'text', content: 'x'.repeat(4 * MB) } } })).status).toBe(413);
});
