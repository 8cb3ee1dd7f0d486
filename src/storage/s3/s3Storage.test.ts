/** On a real service, and through a proxy before it that breaks requests. */
import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startCeph } from '../../../tests/servers/ceph.ts';
import { S3Proxy, SLOW_DOWN, type S3Fault, type S3Request } from '../../../tests/servers/s3Proxy.ts';
import type { S3TestServer } from '../../../tests/servers/s3TestServer.ts';
import { makeCertificates } from '../../../tests/servers/testCertificates.ts';
import { readSettings, retry, systemClock, systemRandom } from '../../runtime/index.ts';
import { checkConformance, conformanceChecks } from '../conformance.ts';
import type { Storage } from '../contract.ts';
import { RetryingStorage } from '../retryingStorage.ts';
import type { S3Timing } from './s3Client.ts';
import { S3Storage } from './s3Storage.ts';
import { LARGEST_SINGLE } from './s3Upload.ts';

let server: S3TestServer;
let proxy: S3Proxy;
let bucket: string;
const folder = await mkdtemp(join(tmpdir(), 'holdfast-s3-'));
const open = (prefix: string): Promise<S3Storage> => S3Storage.open(server.address(bucket, prefix), readSettings(server.environment));
const openThrough = (timing: S3Timing = {}): Promise<S3Storage> =>
  S3Storage.open(server.address(bucket, 'faults', proxy.endpoint), readSettings(server.environment), timing);
const big = new Uint8Array(systemRandom(LARGEST_SINGLE + 5));

beforeAll(async () => {
  server = await startCeph({ inMemory: true });
  proxy = await S3Proxy.start(server);
  bucket = await server.makeBucket();
}, 300_000);
afterEach(() => proxy.reset());
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
  await rm(folder, { recursive: true });
});

describe('keeps the contract', () => {
  test.each(conformanceChecks)('$name', async (check) => {
    const storage = await open('conformance');
    const options = { clock: systemClock, random: systemRandom, checks: [check], reopen: () => open('conformance') };
    for await (const result of checkConformance(storage, options)) {
      expect(result).toEqual({ name: check.name, error: undefined });
    }
    expect((await storage.list('')).objects).toEqual([]);
  });
});

test('prefixes are apart, and keys that are none of ours are not listed, nor end a listing', async () => {
  const [one, other, whole] = [await open('p/one'), await open('p/on'), await open('')];
  await one.put('x', [Buffer.from('1')]);
  for (const Key of ['p/one/UPPER', 'p/one/a//b', 'p/one/a b', 'p/one/']) await server.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.from('x') }));
  expect(await one.list('', { limit: 1 })).toMatchObject({ objects: [{ name: 'x', size: 1 }] });
  expect((await other.list('')).objects).toEqual([]);
  expect(await whole.stat('p/one/x')).toEqual({ name: 'p/one/x', size: 1 });
  await one.delete('x');
});

const unfinishedUploads = async (): Promise<number> =>
  (await server.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;

describe('an upload', () => {
  test('goes in parts above the size of one, and in one request up to it', async () => {
    const storage = await openThrough();
    await storage.put('big', [big.subarray(0, 100), big.subarray(100)]);
    expect(Object.fromEntries(proxy.counts)).toEqual({ list: 1, begin: 1, part: 3, finish: 1 });
    expect(Buffer.compare(await storage.get('big'), big)).toBe(0);
    proxy.reset();
    await storage.put('small', [big.subarray(0, LARGEST_SINGLE)]);
    expect(Object.fromEntries(proxy.counts)).toEqual({ put: 1 });
  });

  test.each<[string, S3Request, S3Fault]>([
    ['is refused in the middle', 'part', SLOW_DOWN], ['breaks in the middle', 'part', { kind: 'reset' }], ['is refused at its end', 'finish', SLOW_DOWN],
  ])('that %s leaves neither object nor parts', async (_, kind, fault) => {
    const storage = await openThrough();
    let seen = 0;
    proxy.script = (asked) => (asked === kind && ++seen === (kind === 'part' ? 3 : 1) ? fault : undefined);
    await expect(storage.put('none', [big])).rejects.toMatchObject({ code: 'storage/unavailable', retryClass: 'retry' });
    expect(await storage.stat('none')).toBeUndefined();
    expect(await unfinishedUploads()).toBe(0);
  });

  test('that is aborted leaves neither object nor parts', async () => {
    const storage = await openThrough();
    const controller = new AbortController();
    const reason = new Error('enough');
    proxy.script = (kind) => {
      if (kind === 'part') controller.abort(reason);
      return undefined;
    };
    await expect(storage.put('none', [big], { signal: controller.signal })).rejects.toBe(reason);
    expect(await storage.stat('none')).toBeUndefined();
    expect(await unfinishedUploads()).toBe(0);
  });

  test('whose last reply is lost leaves the whole object, and putting it again succeeds', async () => {
    const storage = await openThrough();
    proxy.script = (kind) => (kind === 'finish' ? { kind: 'lost-reply' } : undefined);
    await expect(storage.put('whole', [big])).rejects.toMatchObject({ code: 'storage/unavailable' });
    expect(Buffer.compare(await storage.get('whole'), big)).toBe(0);
    proxy.reset();
    await storage.put('whole', [big]);
    expect(await unfinishedUploads()).toBe(0);
  });
});

describe('a failure that passes is told as one, and repeated once by who repeats', () => {
  const calls: Record<string, [kind: S3Request, call: (storage: Storage) => Promise<unknown>]> = {
    get: ['get', (storage) => storage.get('here')],
    put: ['put', (storage) => storage.put('here', [Buffer.from('content')])],
    list: ['list', (storage) => storage.list('he')],
    delete: ['delete', (storage) => storage.delete('gone')],
    stat: ['head', (storage) => storage.stat('here')],
  };
  const faults: S3Fault[] = [
    SLOW_DOWN, { kind: 'reply', status: 500, code: 'InternalError' }, { kind: 'reply', status: 429, code: 'TooManyRequests' }, { kind: 'reset' }, { kind: 'lost-reply' },
  ];
  test.each(Object.keys(calls))('%s', async (name) => {
    const [kind, call] = calls[name]!;
    const storage = await openThrough();
    await storage.put('here', [Buffer.from('content')]);
    for (const fault of faults) {
      proxy.reset();
      let left = 1;
      proxy.script = (asked) => (asked === kind && left-- > 0 ? fault : undefined);
      await call(new RetryingStorage(storage, { random: systemRandom, sleep: async () => undefined, attempts: 2 }));
      expect([fault, proxy.counts.get(kind), proxy.requests]).toEqual([fault, 2, 2]);
    }
    expect(Buffer.from(await storage.get('here')).toString()).toBe('content');
  });

  test('a reply that ends too early, or stops on the way', async () => {
    await (await openThrough()).put('here', [big.subarray(0, 300_000)]);
    // On a machine that is busy the opening may stall for so long, too.
    const storage = await retry(() => openThrough({ idleMs: 1000 }), { random: systemRandom });
    for (const fault of [{ kind: 'cut', after: 100_000 }, { kind: 'stall', after: 100_000 }, { kind: 'stall', after: 0 }] as const) {
      proxy.script = () => fault;
      await expect(storage.get('here')).rejects.toMatchObject({ code: 'storage/unavailable', retryClass: 'retry' });
    }
  });

  test('a wait that the service asks for is handed on, within bounds', async () => {
    const storage = await openThrough();
    proxy.script = () => ({ ...SLOW_DOWN, headers: { 'retry-after': '7' } });
    await expect(storage.get('here')).rejects.toMatchObject({ data: { retryAfterMs: 7000 } });
    proxy.script = () => ({ ...SLOW_DOWN, headers: { 'retry-after': '86400' } });
    await expect(storage.get('here')).rejects.toMatchObject({ data: { retryAfterMs: 120_000 } });
  });

  test('an abort ends a call that waits for the rest of a reply', async () => {
    const storage = await openThrough();
    await storage.put('here', [big.subarray(0, 300_000)]);
    proxy.script = () => ({ kind: 'stall', after: 1000 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const call = storage.get('here', { signal: controller.signal });
    proxy.stalled.then(() => controller.abort(reason), () => undefined);
    await expect(call).rejects.toBe(reason);
  });
});

describe('what a person must change is told in one sentence', () => {
  interface Case { readonly what: string; readonly code: string; readonly says: string; readonly url?: () => string; readonly environment?: Record<string, string>; readonly timing?: S3Timing; readonly fault?: S3Fault }
  const cases: Case[] = [
    { what: 'a bucket that is not there', url: () => server.address('no-such-bucket'), code: 'storage/no-location', says: 'There is no bucket "no-such-bucket"' },
    { what: 'an unknown key', environment: { AWS_ACCESS_KEY_ID: 'stranger' }, code: 'storage/bad-credentials', says: 'does not know the access key' },
    { what: 'a wrong secret', environment: { AWS_SECRET_ACCESS_KEY: 'wrong' }, code: 'storage/bad-credentials', says: 'secret key is not the one' },
    { what: 'no keys', environment: { AWS_ACCESS_KEY_ID: '', AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none') }, code: 'storage/no-credentials', says: 'Set AWS_ACCESS_KEY_ID' },
    { what: 'a clock that is slow', timing: { clockOffsetMs: -3_600_000 }, code: 'storage/wrong-clock', says: 'Set the clock' },
    { what: 'a clock that is fast', timing: { clockOffsetMs: 3_600_000 }, code: 'storage/wrong-clock', says: 'Set the clock' },
    { what: 'an endpoint that is not there', url: () => server.address(bucket, '', 'http://127.0.0.1:1'), code: 'storage/unavailable', says: 'Nothing answers at http://127.0.0.1:1' },
    { what: 'TLS where none is spoken', url: () => server.address(bucket, '', `${server.host}:${server.port}`), code: 'storage/bad-location', says: 'write endpoint=http://' },
    { what: 'an expired token', fault: { kind: 'reply', status: 400, code: 'ExpiredToken' }, code: 'storage/expired-credentials', says: 'AWS_SESSION_TOKEN' },
    { what: 'a right that lacks', fault: { kind: 'reply', status: 403, code: 'AccessDenied' }, code: 'storage/denied', says: 's3:ListBucket' },
    { what: 'a bucket of another region', fault: { kind: 'reply', status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-north-1' } }, code: 'storage/wrong-region', says: 'region=eu-north-1' },
    { what: 'a signature for another region', fault: { kind: 'reply', status: 400, code: 'AuthorizationHeaderMalformed', elements: '<Region>eu-west-9</Region>' }, code: 'storage/wrong-region', says: 'region=eu-west-9' },
    { what: 'a full quota', fault: { kind: 'reply', status: 403, code: 'QuotaExceeded' }, code: 'storage/full', says: 'is full' },
  ];
  test.each(cases)('$what', async ({ url, environment, timing, fault, code, says }) => {
    proxy.script = () => fault;
    const settings = readSettings({ ...server.environment, ...environment });
    const opened = S3Storage.open(url?.() ?? server.address(bucket, '', fault && proxy.endpoint), settings, timing);
    const error: unknown = await opened.then(() => undefined, (failure: unknown) => failure);
    expect(error).toMatchObject({ code, retryClass: code === 'storage/unavailable' ? 'retry' : 'input' });
    expect(String(error)).toContain(says);
    expect(String(error)).not.toContain(server.keys.secretAccessKey);
  });

  test('a certificate that is not trusted; with its authority it is', async () => {
    const certificates = await makeCertificates(folder);
    const secure = await S3Proxy.start(server, certificates);
    try {
      const url = server.address(bucket, '', secure.endpoint);
      const settings = readSettings(server.environment);
      await expect(S3Storage.open(url, settings)).rejects.toMatchObject({ code: 'storage/untrusted-certificate', retryClass: 'input' });
      await expect(S3Storage.open(`${url}&ca-file=${certificates.caFile}`, settings)).resolves.toBeInstanceOf(S3Storage);
      await expect(S3Storage.open(`${url}&ca-file=${join(folder, 'none')}`, settings)).rejects.toMatchObject({ code: 'storage/bad-location' });
    } finally {
      await secure.stop();
    }
  });

  test('a stat that is refused says why, although its reply has no words', async () => {
    const storage = await openThrough();
    proxy.script = () => ({ kind: 'reply', status: 403, code: 'InvalidAccessKeyId' });
    await expect(storage.stat('here')).rejects.toMatchObject({ code: 'storage/bad-credentials' });
  });
});

test('keys can be in a file, in a section of it, and are read again', async () => {
  const file = join(folder, 'credentials');
  const { accessKeyId, secretAccessKey } = server.keys;
  await writeFile(file, `[default]\naws_access_key_id = other\naws_secret_access_key = other\n[backup]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
  const url = `${server.address(bucket)}&credentials-file=${file}`;
  await expect(S3Storage.open(url, readSettings({}))).rejects.toMatchObject({ code: 'storage/bad-credentials' });
  await expect(S3Storage.open(url, readSettings({ AWS_PROFILE: 'backup' }))).resolves.toBeInstanceOf(S3Storage);
});
