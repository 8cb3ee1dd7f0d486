/** On a real service with object lock, with the credentials that the product has. */
import { DeleteObjectCommand, PutObjectLockConfigurationCommand, PutObjectRetentionCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startCeph } from '../../../tests/servers/ceph.ts';
import { S3Proxy } from '../../../tests/servers/s3Proxy.ts';
import type { S3TestServer } from '../../../tests/servers/s3TestServer.ts';
import { readSettings, systemClock, systemRandom } from '../../runtime/index.ts';
import type { ConformanceResult } from '../conformance.ts';
import { tryLocks } from '../lockTrial.ts';
import { ReadOnlyStorage } from '../readOnlyStorage.ts';
import { expectPages } from '../testVersionPages.ts';
import { S3Storage } from './s3Storage.ts';
import { LARGEST_SINGLE } from './s3Upload.ts';

const DAY = 86_400_000;
let server: S3TestServer;
let bucket: string;
const open = (prefix: string, other = bucket): Promise<S3Storage> => S3Storage.open(server.address(other, prefix), readSettings(server.environment));
const soon = (days: number): number => Math.ceil(Date.now() / 1000) * 1000 + days * DAY;
const bytes = Buffer.from('content');

beforeAll(async () => {
  server = await startCeph({ inMemory: true });
  bucket = await server.makeBucket({ lock: true });
}, 300_000);
afterAll(async () => {
  await server?.stop();
});

async function versionOf(storage: S3Storage, name: string): Promise<string> {
  return (await storage.locks.versions(name)).objects[0]?.versions.at(-1)?.id ?? '';
}

test('a bucket tells whether it can lock, and what it locks by itself', async () => {
  expect(await (await open('')).locks.state()).toEqual({ available: true });
  expect(await (await open('', await server.makeBucket())).locks.state()).toEqual({ available: false });
  const ruled = await server.makeBucket({ lock: true });
  await server.client.send(new PutObjectLockConfigurationCommand({
    Bucket: ruled, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 3 } } },
  }));
  expect(await (await open('', ruled)).locks.state()).toEqual({ available: true, rule: { mode: 'governance', days: 3 } });
});

test.each(['compliance', 'governance'] as const)('%s: what is put with a lock is locked; neither we nor the service delete or shorten it; it can be made longer', async (mode) => {
  const storage = await open(`hold-${mode}`);
  const until = soon(2);
  await storage.put('one', [bytes], { lock: { mode, until } });
  const version = await versionOf(storage, 'one');
  expect(await storage.locks.lockOf('one', version)).toEqual({ mode, until });
  await expect(storage.locks.remove('one', version)).rejects.toMatchObject({ code: 'storage/locked', retryClass: 'input', data: { until } });
  await expect(storage.locks.lock('one', version, { mode, until: soon(1) })).rejects.toMatchObject({ code: 'storage/locked', data: { until } });
  // The same without any code of ours in between.
  const raw = { Bucket: bucket, Key: `hold-${mode}/one`, VersionId: version };
  await expect(server.client.send(new DeleteObjectCommand(raw))).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  const shorter = { Mode: mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE', RetainUntilDate: new Date(soon(1)) } as const;
  await expect(server.client.send(new PutObjectRetentionCommand({ ...raw, Retention: shorter }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  await storage.locks.lock('one', version, { mode, until: until + DAY });
  expect(await storage.locks.lockOf('one', version)).toEqual({ mode, until: until + DAY });
  expect(Buffer.from(await storage.get('one'))).toEqual(bytes);
});

test('a lock of governance becomes one of compliance, and is not shortened by that; keys without the right for it are told', async () => {
  const proxy = await S3Proxy.start(server);
  onTestFinished(() => proxy.stop());
  const storage = await S3Storage.open(server.address(bucket, 'stricter', proxy.endpoint), readSettings(server.environment));
  const until = soon(2);
  await storage.put('one', [bytes], { lock: { mode: 'governance', until } });
  const version = await versionOf(storage, 'one');
  await expect(storage.locks.lock('one', version, { mode: 'compliance', until: soon(1) })).rejects.toMatchObject({ code: 'storage/locked', data: { until } });
  proxy.script = (kind) => (kind === 'put' ? { kind: 'reply', status: 403, code: 'AccessDenied' } : undefined);
  await expect(storage.locks.lock('one', version, { mode: 'compliance', until })).rejects.toMatchObject({ code: 'storage/denied', message: expect.stringContaining('s3:BypassGovernanceRetention') });
  proxy.script = () => undefined;
  await storage.locks.lock('one', version, { mode: 'compliance', until });
  expect(await storage.locks.lockOf('one', version)).toEqual({ mode: 'compliance', until });
});

test('an upload in parts is locked as a whole, and odd milliseconds are rounded up', async () => {
  const storage = await open('parts');
  const big = new Uint8Array(systemRandom(LARGEST_SINGLE + 5));
  const until = soon(2) + 1;
  await storage.put('big', [big], { lock: { mode: 'compliance', until } });
  expect(await storage.locks.lockOf('big', await versionOf(storage, 'big'))).toEqual({ mode: 'compliance', until: until + 999 });
  expect(Buffer.compare(await storage.get('big'), big)).toBe(0);
});

test('a put with a lock into a bucket that has none fails in words', async () => {
  const storage = await open('', await server.makeBucket());
  await expect(storage.put('one', [bytes], { lock: { mode: 'compliance', until: soon(1) } })).rejects.toMatchObject({ code: 'storage/no-lock', retryClass: 'input' });
  await expect(new ReadOnlyStorage(storage).locks?.lock('one', 'x', { mode: 'compliance', until: soon(1) })).rejects.toMatchObject({ code: 'storage/read-only' });
});

test('missing rights are not told as a lock, and an answer that is no answer not as a bucket without locks', async () => {
  const proxy = await S3Proxy.start(server);
  onTestFinished(() => proxy.stop());
  const storage = await S3Storage.open(server.address(bucket, 'rights', proxy.endpoint), readSettings(server.environment));
  const until = soon(2);
  await storage.put('one', [bytes], { lock: { mode: 'compliance', until } });
  const version = await versionOf(storage, 'one');
  proxy.script = (kind) => (kind === 'put' ? { kind: 'reply', status: 403, code: 'AccessDenied' } : undefined);
  await expect(storage.locks.lock('one', version, { mode: 'compliance', until: until + DAY })).rejects.toMatchObject({ code: 'storage/denied', message: expect.stringContaining('s3:PutObjectRetention') });
  await expect(storage.locks.lock('one', version, { mode: 'compliance', until: until - DAY })).rejects.toMatchObject({ code: 'storage/locked' });
  proxy.script = (kind) => (kind === 'delete' ? { kind: 'reply', status: 403, code: 'AccessDenied' } : undefined);
  await storage.put('two', [bytes]);
  await expect(storage.locks.remove('two', await versionOf(storage, 'two'))).rejects.toMatchObject({ code: 'storage/denied', message: expect.stringContaining('s3:DeleteObjectVersion') });
  proxy.script = () => ({ kind: 'reply', status: 400, code: 'InvalidArgument' });
  await expect(storage.locks.state()).rejects.toMatchObject({ code: 'storage/refused' });
});

test('what is not locked has no lock, and can be taken away for good', async () => {
  const storage = await open('free');
  await storage.put('one', [bytes]);
  const version = await versionOf(storage, 'one');
  expect(await storage.locks.lockOf('one', version)).toBeUndefined();
  await storage.locks.remove('one', version);
  expect((await storage.locks.versions('')).objects).toEqual([]);
  await expect(storage.locks.lockOf('one', version)).rejects.toMatchObject({ code: 'storage/not-found' });
});

test('versions are listed by pages: every object once, with all that was put and deleted, newest first', async () => {
  const storage = await open('pages');
  await expectPages(storage, storage.locks);
});

async function tried(storage: S3Storage): Promise<ConformanceResult[]> {
  const results: ConformanceResult[] = [];
  const options = { clock: systemClock, random: systemRandom, signal: new AbortController().signal };
  for await (const result of tryLocks(storage, storage.locks, options)) results.push(result);
  return results;
}

test('the trial finds out a place whose locks hold nothing', async () => {
  const plain = await server.makeBucket();
  const storage = await open('trial', plain);
  const results = await tried(storage);
  expect(results).toEqual([{ name: 'an object can be locked', error: expect.objectContaining({ code: 'storage/no-lock' }), without: expect.stringContaining('make none with a lock') }]);
});
