/** Exports from the command line into buckets: of a real S3 service, of Microsoft's emulator, of Google's. */
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readManifest, sha256Of, testZip, unpackZip } from '../export/readers.ts';
import { startAzurite, type Azurite } from '../servers/azurite.ts';
import { startCeph } from '../servers/ceph.ts';
import { startGcsEmulator, type GcsEmulator } from '../servers/gcsEmulator.ts';
import { S3Proxy } from '../servers/s3Proxy.ts';
import type { S3TestServer } from '../servers/s3TestServer.ts';
import { waitUntil } from '../servers/startProcess.ts';
import { CliSandbox } from './cliSandbox.ts';

// Many requests to a service that shares the machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

let ceph: S3TestServer;
let proxy: S3Proxy;
let bucket: string;
let azurite: Azurite;
let gcs: GcsEmulator;

beforeAll(async () => {
  ceph = await startCeph({ inMemory: true });
  proxy = await S3Proxy.start(ceph);
  bucket = await ceph.makeBucket();
  azurite = await startAzurite();
  await azurite.client.getContainerClient('out').create();
  gcs = await startGcsEmulator();
}, 300_000);
afterAll(async () => {
  await proxy?.stop();
  await ceph?.stop();
  await azurite?.stop();
  await gcs?.stop();
});

interface Place {
  readonly environment: Record<string, string>;
  readonly url: (folder: string) => string;
  /** Names below the folder with their bytes, by another client than the product's. */
  readonly files: (folder: string) => Promise<Map<string, Buffer>>;
  /** Large enough for several parts, where the server knows parts. */
  readonly bytes: number;
}

const PLACES: Record<string, () => Place> = {
  S3: () => ({
    environment: ceph.environment, bytes: 20_000_000, url: (folder) => ceph.address(bucket, folder),
    async files(folder) {
      const found = new Map<string, Buffer>();
      for (const key of await ceph.keysOf(bucket, `${folder}/`)) {
        const { Body } = await ceph.client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        found.set(key.slice(folder.length + 1), Buffer.from(await Body?.transformToByteArray() ?? []));
      }
      return found;
    },
  }),
  'Azure Blob': () => ({
    environment: { AZURE_STORAGE_KEY: azurite.key }, bytes: 20_000_000, url: (folder) => `azblob://out/${folder}?account=${azurite.account}&endpoint=${azurite.endpoint}`,
    async files(folder) {
      const found = new Map<string, Buffer>();
      const container = azurite.client.getContainerClient('out');
      for await (const { name } of container.listBlobsFlat({ prefix: `${folder}/` })) found.set(name.slice(folder.length + 1), await container.getBlockBlobClient(name).downloadToBuffer());
      return found;
    },
  }),
  'Google Cloud Storage': () => ({
    // The emulator takes an upload in one request alone.
    environment: { STORAGE_EMULATOR_HOST: gcs.endpoint }, bytes: 5_000_000, url: (folder) => `gs://out/${folder}`,
    async files(folder) {
      const found = new Map<string, Buffer>();
      const { items = [] } = await (await fetch(`${gcs.endpoint}/storage/v1/b/out/o?prefix=${folder}/`)).json() as { items?: { name: string }[] };
      for (const { name } of items) {
        const answer = await fetch(`${gcs.endpoint}/storage/v1/b/out/o/${encodeURIComponent(name)}?alt=media`);
        found.set(name.slice(folder.length + 1), Buffer.from(await answer.arrayBuffer()));
      }
      return found;
    },
  }),
};

async function withSnapshot({ environment, bytes }: Pick<Place, 'environment' | 'bytes'>): Promise<CliSandbox> {
  const sandbox = new CliSandbox();
  Object.assign(sandbox.environment, environment);
  mkdirSync(sandbox.path('tree', 'Grüße & more'), { recursive: true });
  writeFileSync(sandbox.path('tree', 'Grüße & more', 'big #1.bin'), randomBytes(bytes));
  writeFileSync(sandbox.path('tree', 'small'), 'small');
  await sandbox.json(['backup', 'folder', sandbox.path('tree'), '--init']);
  return sandbox;
}

interface Exported {
  readonly location: string;
  readonly parts: readonly { readonly file: string; readonly size: number; readonly sha256: string }[];
}

function save(files: ReadonlyMap<string, Buffer>, to: string): void {
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), bytes);
  }
}

describe.each(Object.entries(PLACES))('%s', (_name, made) => {
  test('a ZIP comes back whole: other programs take it, hashes are those of the manifest, files are as they were', async () => {
    const place = made();
    using sandbox = await withSnapshot(place);
    const command = ['export', 'latest', '--format', 'zip', '--to', place.url('out/zip')];
    const document = await sandbox.json<Exported>(command);
    expect(document).toMatchObject({ location: place.url('out/zip'), items: 2, missing: 0 });
    const files = await place.files('out/zip');
    expect([...files.keys()]).toEqual(['export-0001.zip', 'manifest.jsonl']);
    save(files, sandbox.path('got'));
    for (const { file, size, sha256 } of document.parts) {
      expect([files.get(file)?.length, await sha256Of(sandbox.path('got', file))]).toEqual([size, sha256]);
    }
    expect(readManifest(sandbox.path('got')).at(-1)).toMatchObject({ type: 'end', items: 2 });
    await testZip(sandbox.path('got', 'export-0001.zip'));
    await unpackZip('unzip', sandbox.path('got', 'export-0001.zip'), sandbox.path('back'));
    for (const name of ['small', 'Grüße & more/big #1.bin']) expect(readFileSync(sandbox.path('back', name)).equals(readFileSync(sandbox.path('tree', name)))).toBe(true);
    const again = await sandbox.run(command);
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain('[export/not-empty]');
    expect([...(await place.files('out/zip')).keys()]).toEqual([...files.keys()]);
  });
});

test('an export into the repository, or what is around it, is refused, whatever the address says besides', async () => {
  using sandbox = new CliSandbox();
  Object.assign(sandbox.environment, ceph.environment, { HOLDFAST_REPO: ceph.address(bucket, 'repository') });
  mkdirSync(sandbox.path('tree'));
  await sandbox.json(['backup', 'folder', sandbox.path('tree'), '--init']);
  const inside = ceph.address(bucket, 'repository/export');
  for (const to of [inside, ceph.address(bucket, 'repository'), inside.replace(/&region=.*/, '')]) {
    expect(await sandbox.json(['export', 'latest', '--format', 'zip', '--to', to], 1)).toMatchObject({ error: { code: 'cli/export-in-repository' } });
  }
  await sandbox.json(['export', 'latest', '--format', 'zip', '--to', ceph.address(bucket, 'repository-export')]);
});

test('Ctrl-C ends it with 130, and nothing of it is left: no object, no part', async () => {
  using sandbox = await withSnapshot({ environment: ceph.environment, bytes: 60_000_000 });
  const running = sandbox.start(['export', 'latest', '--format', 'zip', '--part-size', '20MB', '--to', ceph.address(bucket, 'stopped', proxy.endpoint)]);
  await waitUntil(async () => (proxy.counts.get('part') ?? 0) >= 3 || running.child.exitCode !== null, () => 'no part was sent');
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 130, stderr: 'holdfast: interrupted\n' });
  expect(await ceph.keysOf(bucket, 'stopped')).toEqual([]);
  expect(await ceph.unfinished(bucket)).toBe(0);
});

test('kill -9 leaves no manifest, and no object that is not whole', async () => {
  using sandbox = await withSnapshot({ environment: ceph.environment, bytes: 60_000_000 });
  proxy.reset();
  const running = sandbox.start(['export', 'latest', '--format', 'zip', '--part-size', '20MB', '--to', ceph.address(bucket, 'killed', proxy.endpoint)]);
  await waitUntil(async () => (proxy.counts.get('part') ?? 0) >= 3 || running.child.exitCode !== null, () => 'no part was sent');
  running.child.kill('SIGKILL');
  expect(await running.ended).toMatchObject({ signal: 'SIGKILL' });
  expect(await ceph.keysOf(bucket, 'killed')).not.toContain('killed/manifest.jsonl');
});
