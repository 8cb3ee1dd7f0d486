import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startGcsStandIn, type GcsStandIn } from '../../../tests/servers/gcsStandIn.ts';
import { readSettings, systemClock, systemRandom } from '../../runtime/index.ts';
import { checkConformance, conformanceChecks } from '../conformance.ts';
import type { Storage } from '../contract.ts';
import { bytes, callsOn, MIB, requestsOf, testWatchedBucket, type WatchedBucket } from '../bucket/testWatchedBucket.ts';
import { RetryingStorage } from '../retryingStorage.ts';
import { openGcs } from './openGcs.ts';

const scratch = mkdtempSync(join(tmpdir(), 'holdfast-gcs-'));
const keyFile = join(scratch, 'account.json');
let server: GcsStandIn;

beforeAll(async () => {
  server = await startGcsStandIn('backups');
  writeFileSync(keyFile, JSON.stringify(server.credentials));
});
afterAll(async () => {
  await server?.stop();
  rmSync(scratch, { recursive: true });
});
beforeEach(() => {
  server.meddle = () => undefined;
});

interface Opened {
  readonly bucket?: string;
  readonly file?: string;
  readonly endpoint?: string;
  readonly now?: number;
  readonly quietMs?: number;
}

let folders = 0;
function open({ bucket = 'backups', file = keyFile, endpoint = server.endpoint, now, quietMs = 10_000 }: Opened = {}): Promise<Storage> {
  return openGcs(`gs://${bucket}/f${folders++}?endpoint=${endpoint}`, {
    settings: readSettings({ GOOGLE_APPLICATION_CREDENTIALS: file }), quietMs,
    clock: { ...systemClock, ...(now !== undefined && { now: () => now }) },
  });
}

const bucket: WatchedBucket = {
  wire: () => server,
  open: ({ port, quietMs } = {}) => open({ ...(port !== undefined && { endpoint: `http://127.0.0.1:${port}` }), ...(quietMs !== undefined && { quietMs }) }),
  purpose: (url) => url.searchParams.get('uploadType') ?? url.searchParams.get('alt') ?? '',
  page: 'GET',
};
testWatchedBucket(bucket);

describe('a bucket of a server that is as strict as the documents', () => {
  test.each(conformanceChecks)('$name', async (check) => {
    const storage = await open();
    for await (const result of checkConformance(storage, { clock: systemClock, random: systemRandom, checks: [check] })) {
      expect(result).toEqual({ name: check.name, error: undefined });
    }
  });
});

test('a small object is one request, a pack two', async () => {
  const storage = await open();
  expect((await requestsOf(bucket, () => storage.put('manifest', [bytes(4 * MIB)]))).what).toEqual(['POST multipart']);
  expect((await requestsOf(bucket, () => storage.put('pack', [bytes(9 * MIB), bytes(100)]))).what).toEqual(['POST resumable', 'PUT resumable']);
});

test('a range is one request, also at the end of an object', async () => {
  const storage = await open();
  await storage.put('pack', [bytes(1000)]);
  expect((await requestsOf(bucket, () => storage.get('pack', { range: { offset: 10, length: 20 } }))).what).toEqual(['GET media']);
  expect((await requestsOf(bucket, () => storage.get('pack', { range: { offset: -10, length: 10 } }))).what).toEqual(['GET media']);
});

test('after a broken connection an upload goes on where it stopped', async () => {
  const storage = await open();
  const retrying = new RetryingStorage(storage, { random: systemRandom, sleep: async () => undefined });
  const pack = bytes(16 * MIB);
  let puts = 0;
  server.meddle = ({ method }) => method === 'PUT' && ++puts === 1 ? { cutAfter: 10 * MIB } : undefined;
  const sent = await requestsOf(bucket, () => retrying.put('pack', [pack]));
  // The session, the piece that came through, the question how much did, the rest.
  expect(sent.what).toEqual(['POST resumable', 'PUT resumable', 'PUT resumable', 'PUT resumable']);
  expect(sent.bytes[2]).toBe(0);
  expect(sent.bytes[3]).toBeLessThanOrEqual(6 * MIB + 262_144);
  expect(Buffer.from(await storage.get('pack')).equals(pack)).toBe(true);
});

test('an upload whose last answer was lost is found to be done, and one that the service has forgotten begins again', async () => {
  for (const [lost, what] of [
    [{ status: 503 }, ['POST resumable', 'PUT resumable', 'PUT resumable', 'PUT resumable']],
    [{ status: 410 }, ['POST resumable', 'PUT resumable', 'PUT resumable', 'POST resumable', 'PUT resumable']],
  ] as const) {
    const storage = await open();
    const retrying = new RetryingStorage(storage, { random: systemRandom, sleep: async () => undefined });
    const pack = bytes(5 * MIB);
    let puts = 0;
    server.meddle = ({ method }) => {
      if (method === 'PUT') puts++;
      if (method === 'PUT' && puts === 1) return { status: 503 };
      return method === 'PUT' && puts === 2 && lost.status === 410 ? lost : undefined;
    };
    expect((await requestsOf(bucket, () => retrying.put('pack', [pack]))).what).toEqual(what);
    expect(Buffer.from(await storage.get('pack')).equals(pack)).toBe(true);
  }
});

test('other bytes under the name of an upload that broke off are not joined to it', async () => {
  const storage = await open();
  server.meddle = ({ method }) => method === 'PUT' ? { cutAfter: 2 * MIB } : undefined;
  await expect(storage.put('pack', [bytes(5 * MIB)])).rejects.toMatchObject({ code: 'storage/unavailable' });
  server.meddle = () => undefined;
  const pack = bytes(5 * MIB);
  await storage.put('pack', [pack]);
  expect(Buffer.from(await storage.get('pack')).equals(pack)).toBe(true);
});

test('a missing bucket is told by every call; while the bucket is there, only the first missing object costs a request more', async () => {
  for (const i of callsOn(await open()).keys()) {
    const call = callsOn(await open({ bucket: 'nothing-here' }))[i] as () => Promise<unknown>;
    await expect(call()).rejects.toMatchObject({ code: 'storage/no-location', retryClass: 'input' });
  }
  const storage = await open();
  expect((await requestsOf(bucket, () => storage.stat('x'))).what).toEqual(['GET', 'GET']);
  expect((await requestsOf(bucket, () => storage.stat('x'))).what).toEqual(['GET']);
});

function otherAccount(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
  const file = join(scratch, 'other.json');
  writeFileSync(file, JSON.stringify({ ...server.credentials, private_key: privateKey }));
  return file;
}

test('a key that is not accepted is told by every call, and told apart from a wrong clock; no secret is shown', async () => {
  const file = otherAccount();
  for (const [now, reason] of [[undefined, 'key'], [Date.now() + 3_600_000, 'clock']] as const) {
    const storage = await open({ file, ...(now !== undefined && { now }) });
    for (const call of callsOn(storage)) {
      const error = await call().then(() => undefined, (failure: unknown) => failure);
      expect(error).toMatchObject({ code: 'storage/denied', retryClass: 'input', data: { reason } });
      expect(inspect(error, { depth: 20, showHidden: true, customInspect: false })).not.toMatch(/PRIVATE KEY|Bearer/);
    }
  }
});

// As the service's list of statuses and reasons has them.
test.each([
  [403, 'forbidden', { code: 'storage/denied', data: { reason: 'rights' } }],
  [403, 'retentionPolicyNotMet', { code: 'storage/denied', data: { reason: 'locked' } }],
  [403, 'quotaExceeded', { code: 'storage/full' }],
  [403, 'rateLimitExceeded', { code: 'storage/unavailable', retryClass: 'retry' }],
  [429, 'rateLimitExceeded', { code: 'storage/unavailable', data: { retryAfterMs: 7000 } }],
  [503, 'backendError', { code: 'storage/unavailable', retryClass: 'retry' }],
  [405, 'methodNotAllowed', { code: 'storage/refused', retryClass: 'never' }],
])('the answer %i %s is told as what it means, after one try', async (status, reason, expected) => {
  const storage = await open();
  server.meddle = () => ({ status, headers: { 'retry-after': '7' }, body: JSON.stringify({ error: { errors: [{ reason }] } }) });
  for (const call of [() => storage.put('x', [bytes(3)]), () => storage.delete('x')]) {
    const { what } = await requestsOf(bucket, () => expect(call()).rejects.toMatchObject(expected));
    expect(what).toHaveLength(1);
  }
});

test('bytes that were damaged on the way are refused by the service, and sent again', async () => {
  const storage = await open();
  server.meddle = () => ({ status: 400, body: '{"error":{"errors":[{"reason":"invalid"}]}}' });
  await expect(storage.put('x', [bytes(3)])).rejects.toMatchObject({ code: 'storage/unavailable', retryClass: 'retry' });
});

test('credentials that are missing or none are told before any request, without a piece of the file', async () => {
  const broken = join(scratch, 'broken.json');
  writeFileSync(broken, '{"private_key": "SECRET');
  const text = join(scratch, 'text.json');
  writeFileSync(text, '"SECRET"');
  for (const file of ['', join(scratch, 'missing.json'), broken, text]) {
    const error: unknown = await open({ file }).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'storage/no-credentials', retryClass: 'input' });
    expect(inspect(error, { showHidden: true })).not.toContain('SECRET');
  }
});

test('what others put into the bucket is not listed', async () => {
  const storage = await open();
  const folder = `f${folders - 1}`;
  for (const name of ['Upper', 'with space', 'ok', 'folder/']) server.objects.set(`${folder}/${name}`, { bytes: Buffer.from('x'), generation: '1' });
  expect((await storage.list('')).objects.map(({ name }) => name)).toEqual(['ok']);
});
