/** Exports into buckets: the same on a real S3 service, on Microsoft's emulator, and on a server after Google's documents. */
import { GetObjectCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startAzurite, type Azurite } from '../../../tests/servers/azurite.ts';
import { startCeph } from '../../../tests/servers/ceph.ts';
import { startGcsStandIn, type GcsStandIn } from '../../../tests/servers/gcsStandIn.ts';
import { startHttpProxy, type HttpProxy } from '../../../tests/servers/httpProxy.ts';
import { S3Proxy, SLOW_DOWN } from '../../../tests/servers/s3Proxy.ts';
import type { S3TestServer } from '../../../tests/servers/s3TestServer.ts';
import { readSettings, systemRandom } from '../../runtime/index.ts';
import type { ObjectSink } from '../objectSink.ts';
import { openSink } from '../openStorage.ts';
import { S3ExportBucket } from '../s3/s3ExportBucket.ts';
import { BucketSink } from './bucketSink.ts';

// Many requests to a service that shares the machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const signal = new AbortController().signal;
const MIB = 1024 * 1024;
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-sinks-'));
let ceph: S3TestServer;
let s3: S3Proxy;
let bucket: string;
let azurite: Azurite;
let azure: HttpProxy;
let gcs: GcsStandIn;

beforeAll(async () => {
  ceph = await startCeph({ inMemory: true });
  s3 = await S3Proxy.start(ceph);
  bucket = await ceph.makeBucket();
  azurite = await startAzurite();
  azure = await startHttpProxy(azurite.endpoint);
  await azurite.client.getContainerClient('out').create();
  gcs = await startGcsStandIn('out');
  writeFileSync(join(scratch, 'account.json'), JSON.stringify(gcs.credentials));
}, 300_000);
afterEach(() => {
  s3.reset();
  azure.meddle = () => undefined;
  gcs.meddle = () => undefined;
});
afterAll(async () => {
  await s3?.stop();
  await ceph?.stop();
  await azure?.stop();
  await azurite?.stop();
  await gcs?.stop();
  rmSync(scratch, { recursive: true });
});

interface Place {
  sink(folder: string): Promise<ObjectSink>;
  /** Everything in the bucket, by key, read by another client. */
  content(folder: string): Promise<Map<string, Buffer>>;
  /** Puts something that is none of ours. */
  other(key: string): Promise<void>;
  /** From now on the n-th upload of a part, or of a whole small object, breaks, so many times. */
  breakPart(n: number, times: number): void;
}

const PLACES: Record<string, Place> = {
  S3: {
    sink: (folder) => openSink(ceph.address(bucket, folder, s3.endpoint), { settings: readSettings(ceph.environment) }),
    async content(folder) {
      const found = new Map<string, Buffer>();
      for (const key of await ceph.keysOf(bucket, folder)) {
        const { Body } = await ceph.client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        found.set(key, Buffer.from(await Body?.transformToByteArray() ?? []));
      }
      return found;
    },
    other: async (Key) => { await ceph.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.from('mine') })); },
    breakPart(n, times) {
      let seen = 0;
      s3.script = (kind) => {
        if (kind !== 'part' && kind !== 'put') return undefined;
        const broken = ++seen - n;
        return broken >= 0 && broken < times ? (broken % 2 === 0 ? { kind: 'lost-reply' } : SLOW_DOWN) : undefined;
      };
    },
  },
  'Azure Blob': {
    sink: (folder) => openSink(`azblob://out/${folder}?account=${azurite.account}&endpoint=${azure.endpoint}`, { settings: readSettings({ AZURE_STORAGE_KEY: azurite.key }) }),
    async content(folder) {
      const found = new Map<string, Buffer>();
      const container = azurite.client.getContainerClient('out');
      for await (const { name } of container.listBlobsFlat({ prefix: folder })) found.set(name, await container.getBlockBlobClient(name).downloadToBuffer());
      return found;
    },
    other: async (key) => { await azurite.client.getContainerClient('out').getBlockBlobClient(key).upload('mine', 4); },
    breakPart(n, times) {
      let seen = 0;
      azure.meddle = ({ method, url }) => {
        if (method !== 'PUT' || url.searchParams.get('comp') === 'blocklist') return undefined;
        const broken = ++seen - n;
        return broken >= 0 && broken < times ? (broken % 2 === 0 ? 'cut' : { status: 503 }) : undefined;
      };
    },
  },
  'Google Cloud Storage': {
    sink: (folder) => openSink(`gs://out/${folder}?endpoint=${gcs.endpoint}`, { settings: readSettings({ GOOGLE_APPLICATION_CREDENTIALS: join(scratch, 'account.json') }) }),
    content: async (folder) => new Map([...gcs.objects].filter(([key]) => key.startsWith(folder)).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, { bytes }]) => [key, bytes])),
    other: async (key) => { gcs.objects.set(key, { bytes: Buffer.from('mine'), generation: '1' }); },
    breakPart(n, times) {
      let seen = 0;
      gcs.meddle = ({ method, url, headers }) => {
        if ((method !== 'PUT' && url.searchParams.get('uploadType') !== 'multipart') || headers['content-range']?.startsWith('bytes */')) return undefined;
        const broken = ++seen - n;
        return broken >= 0 && broken < times ? (broken % 2 === 0 ? { cutAfter: MIB } : { status: 503 }) : undefined;
      };
    },
  },
};

let folders = 0;
describe.each(Object.entries(PLACES))('%s', (_name, place) => {
  async function claimed(): Promise<{ sink: ObjectSink; folder: string }> {
    const folder = `export-${++folders}`;
    const sink = await place.sink(folder);
    await sink.claim({ signal });
    return { sink, folder };
  }

  test('an object has its name only when it is finished, with all that was written in order', async () => {
    const { sink, folder } = await claimed();
    const sizes = [0, 1, 8 * MIB, 8 * MIB + 1, 17 * MIB];
    const wholes = sizes.map((size) => Buffer.from(systemRandom(size)));
    await sink.folder('Grüße');
    for (const [i, whole] of wholes.entries()) {
      const writer = await sink.open(`Grüße/a b&c+d%/${i} #?.eml`, { signal });
      for (let at = 0; at < whole.length; at += 700_001) await writer.write(whole.subarray(at, at + 700_001));
      expect((await place.content(folder)).size).toBe(i);
      await writer.finish();
      await writer.abandon();
    }
    await sink.settle();
    const found = await place.content(folder);
    expect([...found.keys()]).toEqual(sizes.map((_, i) => `${folder}/Grüße/a b&c+d%/${i} #?.eml`));
    expect([...found.values()].map((bytes, i) => bytes.equals(wholes[i] ?? Buffer.alloc(1)))).toEqual(sizes.map(() => true));
  });

  test('what breaks on the way is sent again, and comes whole', async () => {
    const whole = Buffer.from(systemRandom(20 * MIB));
    for (const n of [1, 2, 3]) {
      const { sink, folder } = await claimed();
      place.breakPart(n, 2);
      const writer = await sink.open('big', { signal });
      await writer.write(whole);
      await writer.finish();
      place.breakPart(1, 1);
      const small = await sink.open('small', { signal });
      await small.write(Buffer.from('small'));
      await small.finish();
      place.breakPart(1, 0);
      const found = await place.content(folder);
      expect(found.get(`${folder}/big`)?.equals(whole)).toBe(true);
      expect(found.get(`${folder}/small`)?.toString()).toBe('small');
    }
  }, 60_000);

  test('only an empty place is claimed; one beside it is another', async () => {
    const folder = `export-${++folders}`;
    await place.other(`${folder}0/x`);
    await (await place.sink(folder)).claim({ signal });
    await place.other(`${folder}/Ünknown name`);
    await expect(place.sink(folder).then((sink) => sink.claim({ signal }))).rejects.toMatchObject({ code: 'export/not-empty', retryClass: 'input' });
    await expect((await place.sink(`${folder}x`)).claim({ signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });

  test('what is abandoned or aborted leaves nothing', async () => {
    const { sink, folder } = await claimed();
    const stop = new AbortController();
    const writer = await sink.open('a', { signal: stop.signal });
    await writer.write(Buffer.alloc(9 * MIB));
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(writer.write(Buffer.alloc(1))).rejects.toBe(reason);
    await expect(writer.finish()).rejects.toBe(reason);
    await writer.abandon();
    await writer.abandon();
    expect((await place.content(folder)).size).toBe(0);
  });

  test('discarding takes away what this sink wrote and nothing else', async () => {
    const { sink, folder } = await claimed();
    for (const name of ['tree/one', 'tree/two/three', 'top']) {
      const writer = await sink.open(name, { signal });
      await writer.write(Buffer.from(name));
      await writer.finish();
    }
    await place.other(`${folder}/topmost`);
    await place.other(`${folder}/tree-house/mine`);
    await sink.discard();
    expect([...(await place.content(folder)).keys()]).toEqual([`${folder}/topmost`, `${folder}/tree-house/mine`]);
  });
});

test('S3: an abandoned upload leaves no parts that are paid for, and a lost last reply no second object', async () => {
  const sink = await PLACES['S3']?.sink('uploads');
  const writer = await sink?.open('gone', { signal });
  await writer?.write(Buffer.alloc(9 * MIB));
  await writer?.abandon();
  let lost = 0;
  s3.script = (kind) => (kind === 'finish' && ++lost === 1 ? { kind: 'lost-reply' } : undefined);
  const kept = await sink?.open('kept', { signal });
  await kept?.write(Buffer.alloc(9 * MIB));
  await kept?.finish();
  expect(lost).toBe(2);
  expect((await ceph.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([]);
  expect([...(await PLACES['S3']?.content('uploads') ?? [])].map(([key, { length }]) => [key, length])).toEqual([['uploads/kept', 9 * MIB]]);
});

test('S3: what a service does not let go of a broken export is taken away at the end, also uploads whose begin was never answered; what stays is told', async () => {
  const left = async (): Promise<unknown[]> => (await ceph.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];
  let begun = 0;
  s3.script = (kind) => {
    if (kind === 'give-up') return SLOW_DOWN;
    return kind === 'begin' && ++begun === 1 ? { kind: 'lost-reply' } : undefined;
  };
  const folder = `export-${++folders}`;
  const sink = new BucketSink(await S3ExportBucket.open(ceph.address(bucket, folder, s3.endpoint), readSettings(ceph.environment)), (_signal, work) => work().catch(work));
  const writer = await sink.open('tree/gone', { signal });
  await writer.write(Buffer.alloc(9 * MIB));
  await writer.abandon();
  expect(await left()).toHaveLength(2);
  await expect(sink.discard()).rejects.toMatchObject({ code: 'storage/unavailable' });
  s3.reset();
  await sink.discard();
  expect(await left()).toEqual([]);
});

test('Google Cloud Storage: a first page without a key does not make a place empty', async () => {
  const place = PLACES['Google Cloud Storage'];
  await place?.other('paged/mine');
  let pages = 0;
  gcs.meddle = ({ method, url }) => (method === 'GET' && url.searchParams.get('prefix') === 'paged/' && ++pages === 1 ? { status: 200, body: JSON.stringify({ nextPageToken: 'paged/' }) } : undefined);
  await expect(place?.sink('paged').then((sink) => sink.claim({ signal }))).rejects.toMatchObject({ code: 'export/not-empty' });
  expect(pages).toBe(2);
});

test('a bucket that is not there, and keys that are wrong, are told', async () => {
  const claim = async (url: string, environment: Record<string, string>): Promise<void> => (await openSink(url, { settings: readSettings(environment) })).claim({ signal });
  await expect(claim(ceph.address('no-such-bucket'), ceph.environment)).rejects.toMatchObject({ code: 'storage/no-location', retryClass: 'input' });
  await expect(claim(ceph.address(bucket), { ...ceph.environment, AWS_SECRET_ACCESS_KEY: 'wrong' })).rejects.toMatchObject({ code: 'storage/bad-credentials' });
  await expect(claim(`azblob://nothing/x?account=${azurite.account}&endpoint=${azurite.endpoint}`, { AZURE_STORAGE_KEY: azurite.key })).rejects.toMatchObject({ code: 'storage/no-location' });
  await expect(claim(`gs://nothing/x?endpoint=${gcs.endpoint}`, { GOOGLE_APPLICATION_CREDENTIALS: join(scratch, 'account.json') })).rejects.toMatchObject({ code: 'storage/no-location' });
});
