/** The command line on a locked repository, in a bucket with object lock of a real service. */
import { DeleteObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startCeph } from '../servers/ceph.ts';
import type { S3TestServer } from '../servers/s3TestServer.ts';
import { CliSandbox } from './cliSandbox.ts';

// Many requests to a service that shares the machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const DAY = 86_400_000;
let server: S3TestServer;
beforeAll(async () => {
  server = await startCeph({ inMemory: true });
}, 300_000);
afterAll(async () => {
  await server?.stop();
});

async function inBucket({ lock }: { lock: boolean }): Promise<{ sandbox: CliSandbox; bucket: string; tree: string }> {
  const sandbox = new CliSandbox();
  const bucket = await server.makeBucket({ lock });
  Object.assign(sandbox.environment, server.environment, { HOLDFAST_REPO: server.address(bucket, 'backups') });
  const tree = sandbox.path('tree');
  mkdirSync(tree);
  writeFileSync(sandbox.path('tree', 'a.txt'), 'first\n');
  return { sandbox, bucket, tree };
}

interface Info {
  readonly lock: unknown;
  readonly entities: readonly { readonly newest: string; readonly lockedUntil: string }[];
}

test('a locked repository: made, shown, kept by prune, and brought back after somebody deleted all of it', async () => {
  const { sandbox, bucket, tree } = await inBucket({ lock: true });
  using _ = sandbox;
  expect(await sandbox.json(['repo', 'init', '--lock-days', '7'])).toMatchObject({ lock: { mode: 'compliance', days: 7 } });
  const first = await sandbox.json<{ id: string; lockedUntil: string }>(['backup', 'folder', tree]);
  expect(Date.parse(first.lockedUntil)).toBeGreaterThan(Date.now() + 7 * DAY - 600_000);
  writeFileSync(sandbox.path('tree', 'a.txt'), 'second\n');
  const second = await sandbox.run(['backup', 'folder', tree]);
  expect(second.stdout).toMatch(/locked with all that it needs until 20\S+Z \(compliance\)/);
  const info = await sandbox.json<Info>(['repo', 'info']);
  expect(info.lock).toEqual({ mode: 'compliance', days: 7 });
  expect(Date.parse(info.entities[0]?.lockedUntil ?? '')).toBeGreaterThan(Date.parse(first.lockedUntil));
  expect((await sandbox.run(['repo', 'info'])).stdout).toContain('locked with all that it needs until');
  const pruned = await sandbox.json<{ locked: { until: string } }>(['prune', '--keep-last', '1']);
  expect(pruned).toMatchObject({ snapshotsRemoved: 0, packsDeleted: 0, locked: { snapshots: 1, packs: 0 } });
  expect(Date.parse(pruned.locked.until)).toBeGreaterThanOrEqual(Date.parse(first.lockedUntil));
  expect((await sandbox.run(['prune', '--keep-last', '1'])).stdout).toMatch(/1 snapshot and 0 packs .* stay because they are locked, the last of them until 20/);
  expect(await sandbox.json(['check'])).toMatchObject({ sound: true, errors: [], lock: { mode: 'compliance', days: 7 } });

  const keys = await server.keysOf(bucket);
  for (const Key of keys) await server.client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  rmSync(sandbox.path('cache'), { recursive: true });
  await sandbox.json(['restore', 'folder', first.id, '--to', sandbox.path('back')]);
  expect(readFileSync(sandbox.path('back', 'a.txt'), 'utf8')).toBe('first\n');
  const checked = await sandbox.run(['check']);
  expect(checked).toMatchObject({ code: 1 });
  expect(checked.stdout).toContain("although it is locked. It is still there: 'holdfast storage unhide' brings it back");
  const url = server.address(bucket, 'backups');
  const told = await sandbox.json<{ objects: string[] }>(['storage', 'unhide', url, '--dry-run']);
  expect(told.objects.length).toBeGreaterThan(10);
  expect(await server.keysOf(bucket)).not.toContain('backups/config');
  expect((await sandbox.run(['storage', 'unhide', url])).stdout).toContain(`${told.objects.length} objects brought back.`);
  expect((await sandbox.run(['storage', 'unhide', url])).stdout).toBe('Nothing that is locked is hidden.\n');
  expect(await sandbox.json(['check', '--read-data'])).toMatchObject({ sound: true, errors: [] });
});

test('a repository without a lock gets one later', async () => {
  const { sandbox, tree } = await inBucket({ lock: true });
  using _ = sandbox;
  const made = await sandbox.json<{ lock: unknown }>(['repo', 'init']);
  expect(made.lock).toBeNull();
  expect(await sandbox.json(['backup', 'folder', tree])).not.toHaveProperty('lockedUntil');
  expect(await sandbox.run(['repo', 'lock'])).toMatchObject({ code: 2 });
  expect(await sandbox.json(['repo', 'lock', '--lock-days', '2', '--lock-mode', 'governance'])).toMatchObject({ lock: { mode: 'governance', days: 2 } });
  expect(await sandbox.json(['repo', 'info'])).toMatchObject({ lock: { mode: 'governance', days: 2 }, entities: [{ lockedUntil: null }] });
  expect(await sandbox.json(['backup', 'folder', tree])).toHaveProperty('lockedUntil');
  expect(await sandbox.json(['check'])).toMatchObject({ sound: true, lock: { mode: 'governance' } });
});

test('a place that cannot lock is refused before anything is made there', async () => {
  const { sandbox, bucket } = await inBucket({ lock: false });
  using _ = sandbox;
  for (const repo of [server.address(bucket, 'backups'), sandbox.path('folder')]) {
    expect(await sandbox.json(['repo', 'init', '--lock-days', '7', '--repo', repo], 1)).toMatchObject({ error: { code: 'storage/no-lock' } });
  }
  expect(await server.keysOf(bucket)).toEqual([]);
  expect(existsSync(sandbox.path('key'))).toBe(false);
  await sandbox.json(['repo', 'init']);
  expect(await sandbox.json(['repo', 'lock', '--lock-days', '7'], 1)).toMatchObject({ error: { code: 'storage/no-lock' } });
  expect(await sandbox.json(['storage', 'unhide', server.address(bucket, 'backups')], 1)).toMatchObject({ error: { code: 'storage/no-lock' } });
  for (const days of ['0', '-1', '1.5', '40000', 'x']) expect((await sandbox.run(['repo', 'init', '--lock-days', days])).code).toBe(2);
});

test('storage test tells of the lock, and tries it with the keys at hand', async () => {
  const { sandbox, bucket } = await inBucket({ lock: true });
  using _ = sandbox;
  const said = await sandbox.run(['storage', 'test', server.address(bucket, 'trial'), '--lock-seconds', '10']);
  expect(said).toMatchObject({ code: 0 });
  expect(said.stdout).toContain('holds  the own credentials cannot delete what is locked');
  expect(said.stdout).toContain("Object lock: yes. 'holdfast repo init --lock-days N' uses it.");
  const { Versions = [], DeleteMarkers = [] } = await server.client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: 'trial/storage-test-' }));
  expect([...Versions, ...DeleteMarkers].filter(({ Key }) => Key?.endsWith('/locked'))).toEqual([]);
  expect(await server.keysOf(bucket)).toEqual([]);
  const plain = await server.makeBucket();
  expect(await sandbox.json(['storage', 'test', server.address(plain)])).toMatchObject({ fit: 'all', lock: { available: false } });
}, 300_000);
