/** Whole flows with the repository in a container of Azurite, and in a bucket of the emulator of Cloud Storage. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAzurite, type Azurite } from '../servers/azurite.ts';
import { freePorts } from '../servers/freePorts.ts';
import { startGcsEmulator, type GcsEmulator } from '../servers/gcsEmulator.ts';
import { startGcsStandIn } from '../servers/gcsStandIn.ts';
import { CliSandbox } from './cliSandbox.ts';

interface Place {
  readonly repo: string;
  readonly environment: Record<string, string>;
}

let azurite: Azurite;
let emulator: GcsEmulator;
let count = 0;

beforeAll(async () => {
  azurite = await startAzurite();
  await azurite.client.getContainerClient('backups').create();
  emulator = await startGcsEmulator();
});
afterAll(async () => {
  await azurite?.stop();
  await emulator?.stop();
});

const azure = (container = 'backups', endpoint = azurite.endpoint): string =>
  `azblob://${container}/customer-${count++}?account=${azurite.account}&endpoint=${endpoint}`;

const PLACES: Record<string, () => Place> = {
  'Azure Blob': () => ({ repo: azure(), environment: { AZURE_STORAGE_KEY: azurite.key } }),
  'Google Cloud Storage': () => ({ repo: `gs://backups/customer-${count++}`, environment: { STORAGE_EMULATOR_HOST: emulator.endpoint } }),
};

function sandboxAt({ repo, environment }: Place): CliSandbox {
  const sandbox = new CliSandbox();
  Object.assign(sandbox.environment, environment, { HOLDFAST_REPO: repo });
  return sandbox;
}

/** What does not compress, so that packs are of full size. */
function writeTree(folder: string, files: Readonly<Record<string, number>>): void {
  for (const [path, size] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), randomBytes(size));
  }
}

function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true }).map(String).filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(files.sort().map((path) => [path, readFileSync(join(folder, path), 'base64')]));
}

describe.each(Object.entries(PLACES))('%s', (_name, place) => {
  test('init, backup, another backup, restore, check of every byte, prune, and restore again', async () => {
    using sandbox = sandboxAt(place());
    const tree = sandbox.path('tree');
    writeTree(tree, { 'a.bin': 9_000_000, 'docs/b.bin': 300_000, 'docs/empty': 0 });
    expect(await sandbox.json(['repo', 'init'])).toMatchObject({ location: sandbox.environment['HOLDFAST_REPO'], keyFileMade: true });
    expect(await sandbox.json(['repo', 'init'], 1)).toMatchObject({ error: { code: 'repository/exists' } });
    const first = await sandbox.json<{ id: string }>(['backup', 'folder', tree]);
    expect(first).toMatchObject({ status: 'complete', items: 3, bytes: 9_300_000, warnings: 0 });
    const before = contentOf(tree);

    rmSync(join(tree, 'a.bin'));
    writeTree(tree, { 'docs/c.bin': 2_000_000 });
    const second = await sandbox.json<{ id: string }>(['backup', 'folder', tree]);
    expect(second).toMatchObject({ status: 'complete', items: 3 });
    expect(await sandbox.json(['snapshots'])).toHaveLength(2);

    await sandbox.json(['restore', 'folder', first.id, '--to', sandbox.path('out1')]);
    expect(contentOf(sandbox.path('out1'))).toEqual(before);
    expect(await sandbox.json(['check', '--read-data'])).toMatchObject({ sound: true, errors: [], counts: { snapshots: 2 } });
    expect(await sandbox.json(['prune', '--keep-last', '1'])).toMatchObject({ snapshotsRemoved: 1 });
    // Another machine: nothing is known but address and key.
    rmSync(sandbox.path('cache'), { recursive: true });
    await sandbox.json(['restore', 'folder', second.id, '--to', sandbox.path('out2')]);
    expect(contentOf(sandbox.path('out2'))).toEqual(contentOf(tree));
    expect(await sandbox.json(['check', '--read-data'])).toMatchObject({ sound: true, errors: [], counts: { snapshots: 1 } });
  });

  test('the command itself comes to its end, and says nothing but its answer', async () => {
    using sandbox = sandboxAt(place());
    await sandbox.json(['repo', 'init']);
    const ended = await sandbox.start(['snapshots', '--json']).ended;
    expect(ended).toEqual({ code: 0, stdout: expect.stringMatching(/^\[\]\s*$/), stderr: '', signal: null });
  });
});

/** Runs `repo init` there, which must fail with this code and leave no key file that nothing was sealed with. */
async function refused(place: Place, code: string, secrets: readonly string[] = []): Promise<void> {
  using sandbox = sandboxAt(place);
  const said = await sandbox.run(['repo', 'init']);
  expect(said).toMatchObject({ code: 1, stdout: '' });
  expect(said.stderr).toContain(`[${code}]`);
  for (const secret of secrets) expect(said.stderr).not.toContain(secret);
  expect(readdirSync(sandbox.directory)).not.toContain('key');
}

test('a wrong container, a wrong key, a missing key and an account that nobody serves are told', async () => {
  const environment = { AZURE_STORAGE_KEY: azurite.key };
  const wrong = Buffer.alloc(64, 3).toString('base64');
  const [port = 0] = await freePorts(1);
  await refused({ repo: azure('nothing-here'), environment }, 'storage/no-location', [azurite.key]);
  await refused({ repo: azure(), environment: { AZURE_STORAGE_KEY: wrong } }, 'storage/denied', [wrong]);
  await refused({ repo: azure(), environment: {} }, 'storage/no-credentials');
  await refused({ repo: azure('backups', `http://127.0.0.1:${port}/x`), environment }, 'storage/unavailable', [azurite.key]);
  await refused({ repo: `${azure()}&sig=SECRET`, environment }, 'storage/bad-location', ['SECRET']);
});

test('a wrong bucket, a wrong key, a missing key and a server that is not there are told', async () => {
  const [port = 0] = await freePorts(1);
  await refused({ repo: 'gs://backups/x', environment: { STORAGE_EMULATOR_HOST: `127.0.0.1:${port}` } }, 'storage/unavailable');
  await refused({ repo: 'gs://backups/x', environment: {} }, 'storage/no-credentials');
  // The emulator knows neither keys nor missing buckets.
  const server = await startGcsStandIn('backups');
  const other = await startGcsStandIn('backups');
  try {
    using scratch = new CliSandbox();
    for (const [name, { credentials }] of [['right', server], ['wrong', other]] as const) writeFileSync(scratch.path(name), JSON.stringify(credentials));
    const place = (bucket: string, file: string): Place =>
      ({ repo: `gs://${bucket}/x?endpoint=${server.endpoint}`, environment: { GOOGLE_APPLICATION_CREDENTIALS: scratch.path(file) } });
    await refused(place('nothing-here', 'right'), 'storage/no-location');
    await refused(place('backups', 'wrong'), 'storage/denied', ['PRIVATE']);
    using sandbox = sandboxAt(place('backups', 'right'));
    await sandbox.json(['repo', 'init']);
    expect(await sandbox.json(['snapshots'])).toEqual([]);
  } finally {
    await server.stop();
    await other.stop();
  }
});
