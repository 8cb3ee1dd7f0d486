import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ContainerSASPermissions, generateBlobSASQueryParameters, StorageSharedKeyCredential } from '@azure/storage-blob';
import { startAzurite, type Azurite } from '../../../tests/servers/azurite.ts';
import { startHttpProxy, type HttpProxy } from '../../../tests/servers/httpProxy.ts';
import { readSettings, systemClock, systemRandom } from '../../runtime/index.ts';
import type { Storage } from '../contract.ts';
import { bytes, callsOn, MIB, requestsOf, testWatchedBucket, type WatchedBucket } from '../bucket/testWatchedBucket.ts';
import { RetryingStorage } from '../retryingStorage.ts';
import { openAzure } from './openAzure.ts';

let azurite: Azurite;
let proxy: HttpProxy;
let folders = 0;

beforeAll(async () => {
  azurite = await startAzurite();
  await azurite.client.getContainerClient('backups').create();
  proxy = await startHttpProxy(azurite.endpoint);
});
afterAll(async () => {
  await proxy?.stop();
  await azurite?.stop();
});
beforeEach(() => {
  proxy.meddle = () => undefined;
});

interface Opened {
  readonly environment?: Record<string, string>;
  readonly container?: string;
  readonly endpoint?: string;
  readonly now?: number;
  readonly quietMs?: number;
}

/** A storage with a folder of its own, through the proxy unless told. */
function open({ environment = { AZURE_STORAGE_KEY: azurite.key }, container = 'backups', endpoint = proxy.endpoint, now, quietMs = 10_000 }: Opened = {}): Promise<Storage> {
  return openAzure(`azblob://${container}/f${folders++}?account=${azurite.account}&endpoint=${endpoint}`, {
    settings: readSettings(environment), quietMs,
    clock: { ...systemClock, ...(now !== undefined && { now: () => now }) },
  });
}

const bucket: WatchedBucket = {
  wire: () => proxy,
  open: ({ port, quietMs } = {}) => open({ ...(port !== undefined && { endpoint: `http://127.0.0.1:${port}/${azurite.account}` }), ...(quietMs !== undefined && { quietMs }) }),
  purpose: (url) => ['comp', 'restype'].map((name) => url.searchParams.get(name) ?? '').filter(Boolean).join(' '),
  page: 'GET list container',
};
testWatchedBucket(bucket);

test('a small object is one request, a pack one for each block and one that makes it appear', async () => {
  const storage = await open();
  expect((await requestsOf(bucket, () => storage.put('manifest', [bytes(4 * MIB)]))).what).toEqual(['PUT']);
  const pack = await requestsOf(bucket, () => storage.put('pack', [bytes(9 * MIB), bytes(100)]));
  expect(pack.what).toEqual(['PUT block', 'PUT block', 'PUT block', 'PUT blocklist']);
});

test('a range is one request; the end of an object is two, since the service has no suffix ranges', async () => {
  const storage = await open();
  await storage.put('pack', [bytes(1000)]);
  expect((await requestsOf(bucket, () => storage.get('pack', { range: { offset: 10, length: 20 } }))).what).toEqual(['GET']);
  expect((await requestsOf(bucket, () => storage.get('pack', { range: { offset: -10, length: 10 } }))).what).toEqual(['HEAD', 'GET']);
});

test('an object that changes between the two requests is not mixed', async () => {
  const storage = await open();
  await storage.put('x', [bytes(1000)]);
  const changed = bytes(500);
  const retrying = new RetryingStorage(storage, { random: systemRandom, sleep: () => storage.put('x', [changed]) });
  let looked = false;
  proxy.meddle = ({ method, headers }) => {
    if (method === 'HEAD') looked = true;
    // The version that it looked at is asked for; another one is not given.
    if (method === 'GET' && looked && headers['if-match'] !== undefined) {
      proxy.meddle = () => undefined;
      return { status: 412, headers: { 'x-ms-error-code': 'ConditionNotMet' } };
    }
    return undefined;
  };
  const end = await retrying.get('x', { range: { offset: -100, length: 100 } });
  expect(Buffer.from(end).equals(changed.subarray(400))).toBe(true);
});

test('a server that cannot start a listing in the middle costs more requests, and gives the same', async () => {
  const storage = await open();
  for (const name of ['a', 'b', 'c', 'd', 'e']) await storage.put(name, [bytes(1)]);
  const old = await startHttpProxy(azurite.endpoint);
  try {
    // Signed tokens cover no parameter of a listing, so this one may be taken away.
    old.meddle = ({ url }) => {
      url.searchParams.delete('startFrom');
      return undefined;
    };
    expect((await storage.list('', { after: 'c', limit: 2 })).objects.map(({ name }) => name)).toEqual(['d', 'e']);
  } finally {
    await old.stop();
  }
});

test('after a broken connection only the blocks that are missing are sent again', async () => {
  const storage = await open();
  const retrying = new RetryingStorage(storage, { random: systemRandom, sleep: async () => undefined });
  const pack = bytes(10 * MIB);
  let blocks = 0;
  proxy.meddle = ({ url }) => url.searchParams.get('comp') === 'block' && ++blocks === 3 ? 'cut' : undefined;
  const sent = await requestsOf(bucket, () => retrying.put('pack', [pack]));
  expect(sent.what).toEqual(['PUT block', 'PUT block', 'PUT block', 'PUT block', 'PUT blocklist']);
  expect(Buffer.from(await storage.get('pack')).equals(pack)).toBe(true);
});

test('blocks that the service has forgotten are sent again', async () => {
  const storage = await open();
  const retrying = new RetryingStorage(storage, { random: systemRandom, sleep: async () => undefined });
  let lists = 0;
  proxy.meddle = ({ url }) => url.searchParams.get('comp') === 'blocklist' && ++lists === 1
    ? { status: 400, headers: { 'x-ms-error-code': 'InvalidBlockList' } } : undefined;
  const sent = await requestsOf(bucket, () => retrying.put('pack', [bytes(5 * MIB)]));
  expect(sent.what.filter((what) => what === 'PUT block')).toHaveLength(4);
});

/** A token for the container, that allows `rights` until `end`. */
function tokenOf(rights: string, end: Date): string {
  const credential = new StorageSharedKeyCredential(azurite.account, azurite.key);
  return generateBlobSASQueryParameters({
    containerName: 'backups', permissions: ContainerSASPermissions.parse(rights), startsOn: new Date(Date.now() - 7_200_000), expiresOn: end,
  }, credential).toString();
}

test('a token in place of the key does, and a connection string', async () => {
  const token = tokenOf('rwdl', new Date(Date.now() + 3_600_000));
  const connection = `DefaultEndpointsProtocol=http;AccountName=${azurite.account};AccountKey=${azurite.key};BlobEndpoint=${azurite.endpoint};`;
  const storages = [
    await open({ environment: { AZURE_STORAGE_SAS_TOKEN: `?${token}` } }),
    await openAzure(`azblob://backups/f${folders++}`, { clock: systemClock, settings: readSettings({ AZURE_STORAGE_CONNECTION_STRING: connection }) }),
  ];
  for (const storage of storages) {
    await storage.put('x', [bytes(5)]);
    expect(await storage.stat('x')).toEqual({ name: 'x', size: 5 });
    await storage.delete('x');
    expect((await storage.list('')).objects).toEqual([]);
  }
});

const OTHER_KEY = Buffer.alloc(64, 7).toString('base64');
const HOUR = 3_600_000;

test.each<[string, () => Opened, object]>([
  ['a missing container', () => ({ container: 'nothing-here' }), { code: 'storage/no-location' }],
  ['a wrong key', () => ({ environment: { AZURE_STORAGE_KEY: OTHER_KEY } }), { code: 'storage/denied', data: { reason: 'key' } }],
  ['a wrong key on a machine with a wrong clock', () => ({ environment: { AZURE_STORAGE_KEY: OTHER_KEY }, now: Date.now() + HOUR }),
    { code: 'storage/denied', data: { reason: 'clock' } }],
  ['a token whose time is over', () => ({ environment: { AZURE_STORAGE_SAS_TOKEN: tokenOf('rwdl', new Date(Date.now() - HOUR)) } }),
    { code: 'storage/denied', data: { reason: 'expired' } }],
])('%s is told by every call, without a secret', async (_what, opened, expected) => {
  const options = opened();
  const storage = await open(options);
  for (const call of callsOn(storage)) {
    const error = await call().then(() => undefined, (failure: unknown) => failure);
    expect(error).toMatchObject({ retryClass: 'input', ...expected });
    // With all that hangs on it, as a careless log would show it.
    const shown = inspect(error, { depth: 20, showHidden: true, customInspect: false });
    for (const secret of Object.values(options.environment ?? {})) expect(shown).not.toContain(secret.slice(-20));
  }
});

test('a token that may not write says that rights are lacking', async () => {
  const storage = await open({ environment: { AZURE_STORAGE_SAS_TOKEN: tokenOf('rl', new Date(Date.now() + HOUR)) } });
  await expect(storage.list('')).resolves.toEqual({ objects: [] });
  await expect(storage.put('x', [bytes(3)])).rejects.toMatchObject({ code: 'storage/denied', data: { reason: 'rights' } });
});

// As the service's list of error codes has them; Azurite gives none of these.
test.each([
  [409, 'BlobImmutableDueToPolicy', { code: 'storage/denied', data: { reason: 'locked' } }],
  [412, 'LeaseIdMissing', { code: 'storage/denied', data: { reason: 'locked' } }],
  [503, 'ServerBusy', { code: 'storage/unavailable', retryClass: 'retry', data: { retryAfterMs: 7000 } }],
  [500, 'InternalError', { code: 'storage/unavailable', retryClass: 'retry' }],
  [507, '', { code: 'storage/full' }],
  [403, 'AuthorizationPermissionMismatch', { code: 'storage/denied', data: { reason: 'rights' } }],
  [405, 'UnsupportedHttpVerb', { code: 'storage/refused', retryClass: 'never' }],
])('the answer %i %s is told as what it means, after one try', async (status, code, expected) => {
  const storage = await open();
  proxy.meddle = () => ({ status, headers: { 'x-ms-error-code': code, 'retry-after': '7' } });
  for (const call of [() => storage.put('x', [bytes(3)]), () => storage.delete('x')]) {
    const { what } = await requestsOf(bucket, () => expect(call()).rejects.toMatchObject(expected));
    expect(what).toHaveLength(1);
  }
});

test('what others put into the container is not listed, and real folders are found out by their order', async () => {
  const storage = await open();
  const folder = `f${folders - 1}`;
  const container = azurite.client.getContainerClient('backups');
  for (const name of [`${folder}/Upper`, `${folder}/with space`, `${folder}/ok`]) {
    await container.getBlockBlobClient(name).upload('x', 1);
  }
  expect((await storage.list('')).objects.map(({ name }) => name)).toEqual(['ok']);
  const blob = (name: string): string => `<Blob><Name>${folder}/${name}</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>`;
  const body = `<?xml version="1.0"?><EnumerationResults><Blobs>${blob('a/b')}${blob('a-b')}</Blobs><NextMarker/></EnumerationResults>`;
  proxy.meddle = () => ({ status: 200, headers: { 'content-type': 'application/xml' }, body });
  await expect(storage.list('')).rejects.toMatchObject({ code: 'storage/nonconforming', retryClass: 'input' });
});
