/** The command line on a repository in a bucket of a real service. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCeph } from '../servers/ceph.ts';
import { S3Proxy } from '../servers/s3Proxy.ts';
import type { S3TestServer } from '../servers/s3TestServer.ts';
import { CliSandbox } from './cliSandbox.ts';

interface Tested {
  readonly fit: string;
  readonly holds: readonly string[];
  readonly lacks: readonly { readonly name: string; readonly consequence: string }[];
}

let server: S3TestServer;
let proxy: S3Proxy;
beforeAll(async () => {
  server = await startCeph({ inMemory: true });
  proxy = await S3Proxy.start(server);
}, 300_000);
afterEach(() => proxy.reset());
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});

/** A sandbox whose repository is in a new bucket, and a tree to back up. */
async function inBucket(): Promise<{ sandbox: CliSandbox; bucket: string; tree: string }> {
  const sandbox = new CliSandbox();
  const bucket = await server.makeBucket();
  Object.assign(sandbox.environment, server.environment, { HOLDFAST_REPO: server.address(bucket, 'backups') });
  const tree = sandbox.path('tree');
  mkdirSync(tree);
  writeFileSync(sandbox.path('tree', 'a.txt'), 'first\n');
  writeFileSync(sandbox.path('tree', 'big'), Buffer.alloc(3_000_000, 'some text that repeats '));
  return { sandbox, bucket, tree };
}

test('init, backup, list, restore, check and prune work in a bucket as in a folder', async () => {
  const { sandbox, bucket, tree } = await inBucket();
  using _ = sandbox;
  const made = await sandbox.json<{ location: string }>(['repo', 'init']);
  expect(made.location).toBe(server.address(bucket, 'backups'));
  expect(await sandbox.run(['repo', 'init'])).toMatchObject({ code: 1, stderr: expect.stringContaining('[repository/exists]') });
  const first = await sandbox.json<{ id: string }>(['backup', 'folder', tree]);
  writeFileSync(sandbox.path('tree', 'a.txt'), 'second\n');
  await sandbox.json(['backup', 'folder', tree]);
  expect(await sandbox.json<unknown[]>(['snapshots'])).toHaveLength(2);
  await sandbox.json(['restore', 'folder', first.id, '--to', sandbox.path('back')]);
  expect(readFileSync(sandbox.path('back', 'a.txt'), 'utf8')).toBe('first\n');
  expect(readFileSync(sandbox.path('back', 'big'))).toEqual(readFileSync(sandbox.path('tree', 'big')));
  expect(await sandbox.json(['check', '--read-data'])).toMatchObject({ sound: true });
  await sandbox.json(['prune', '--keep-last', '1']);
  expect(await sandbox.json<unknown[]>(['snapshots'])).toHaveLength(1);
  expect((await server.keysOf(bucket)).every((key) => key.startsWith('backups/'))).toBe(true);
});

test('storage test of a folder: all holds, and nothing is left behind', async () => {
  using sandbox = new CliSandbox();
  mkdirSync(sandbox.path('place'));
  const answer = await sandbox.json<Tested>(['storage', 'test', sandbox.path('place')]);
  expect(answer).toMatchObject({ fit: 'all', lacks: [] });
  expect(answer.holds.length).toBeGreaterThan(20);
  // The folder for unfinished files stays.
  expect(readdirSync(sandbox.path('place'))).toEqual(['~tmp']);
});

test('storage test: listings that lag are found out; backups may go there, prune may not; nothing is left behind', async () => {
  const { sandbox, bucket } = await inBucket();
  using _ = sandbox;
  proxy.staleLists = new Map();
  const said = await sandbox.run(['storage', 'test', server.address(bucket, 'backups', proxy.endpoint)]);
  expect(said).toMatchObject({ code: 3 });
  expect(said.stdout).toContain('LACKS  list shows at once what was put');
  expect(said.stdout).toContain('never prune');
  expect(said.stdout).toContain('fit for backups, with care: 1 promise');
  expect(await server.keysOf(bucket)).toEqual([]);
});

test('prune refuses where listings lag, and remembers it until a trial finds nothing; backups and restores go on', async () => {
  const { sandbox, bucket, tree } = await inBucket();
  using _ = sandbox;
  await sandbox.json(['backup', 'folder', tree, '--init']);
  writeFileSync(sandbox.path('tree', 'a.txt'), 'second\n');
  await sandbox.json(['backup', 'folder', tree]);
  const before = await server.keysOf(bucket);
  const behind = ['--repo', server.address(bucket, 'backups', proxy.endpoint)];
  proxy.staleLists = new Map();
  const refused = await sandbox.json<{ error: { code: string; message: string } }>(['prune', '--keep-last', '1', ...behind], 1);
  expect(refused.error).toMatchObject({ code: 'repository/prune-refused', message: expect.stringContaining('a listing did not show an object right after its put') });
  proxy.reset();
  expect(await server.keysOf(bucket)).toEqual([...before, 'backups/weak'].toSorted());
  // The listings are good again; nobody knows for how long.
  for (const way of [behind, []]) {
    const again = await sandbox.json<{ error: { message: string } }>(['prune', '--keep-last', '1', ...way], 1);
    expect(again.error).toMatchObject({ code: 'repository/prune-refused', message: expect.stringContaining('it was seen there that listings or reads lag behind') });
  }
  expect(await sandbox.json(['prune', '--keep-last', '1', '--dry-run'])).toMatchObject({ snapshotsRemoved: 1 });
  expect(await sandbox.json(['check'])).toMatchObject({ sound: true, notices: [expect.objectContaining({ code: 'weak-storage' })] });
  await sandbox.json(['backup', 'folder', tree]);
  await sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path('back')]);
  expect(await sandbox.json(['storage', 'test', server.address(bucket, 'backups')])).toMatchObject({ fit: 'all' });
  expect(await sandbox.json(['prune', '--keep-last', '1'])).toMatchObject({ snapshotsRemoved: 2 });
  expect((await server.keysOf(bucket)).filter((key) => /weak|storage-test/.test(key))).toEqual([]);
}, 120_000);

test('storage test in the place of a repository keeps what it found for its prunes', async () => {
  const { sandbox, bucket, tree } = await inBucket();
  using _ = sandbox;
  await sandbox.json(['backup', 'folder', tree, '--init']);
  proxy.staleLists = new Map();
  await sandbox.json(['storage', 'test', server.address(bucket, 'backups', proxy.endpoint)], 3);
  proxy.reset();
  expect(await sandbox.json(['prune', '--keep-last', '1'], 1)).toMatchObject({ error: { code: 'repository/prune-refused' } });
}, 120_000);

test('storage test: a place that loses what was put is no place for a repository', async () => {
  const { sandbox, bucket } = await inBucket();
  using _ = sandbox;
  proxy.script = (kind) => (kind === 'get' ? { kind: 'reply', status: 404, code: 'NoSuchKey' } : undefined);
  const answer = await sandbox.json<Tested>(['storage', 'test', server.address(bucket, 'backups', proxy.endpoint)], 1);
  expect(answer.fit).toBe('none');
  expect(answer.lacks.map(({ consequence }) => consequence)).toContain('No repository should be there.');
  expect(await server.keysOf(bucket)).toEqual([]);
});

test('wrong settings end a command with one sentence that says what to do, and no secret', async () => {
  const { sandbox, bucket, tree } = await inBucket();
  using _ = sandbox;
  await sandbox.json(['backup', 'folder', tree, '--init']);
  const cases: [environment: Record<string, string>, code: string][] = [
    [{ HOLDFAST_REPO: server.address('no-such-bucket') }, 'storage/no-location'],
    [{ AWS_ACCESS_KEY_ID: 'stranger' }, 'storage/bad-credentials'],
    [{ AWS_SECRET_ACCESS_KEY: 'a-wrong-secret' }, 'storage/bad-credentials'],
    [{ HOLDFAST_REPO: server.address(bucket, 'backups', 'http://127.0.0.1:1') }, 'storage/unavailable'],
    [{ HOLDFAST_REPO: `${server.address(bucket)}&regoin=x` }, 'storage/bad-location'],
    [{ HOLDFAST_REPO: server.address(bucket, 'elsewhere') }, 'repository/none'],
  ];
  for (const [environment, code] of cases) {
    const said = await sandbox.run(['snapshots'], { environment });
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toMatch(/^holdfast: [^\n]+\n$/);
    expect(said.stderr).toContain(`[${code}]`);
    expect(said.stderr).not.toMatch(/testsecret|a-wrong-secret/);
  }
});

test('a bucket that was emptied behind our back is named, and a backup into it does not pretend to go on', async () => {
  const { sandbox, bucket, tree } = await inBucket();
  using _ = sandbox;
  await sandbox.json(['backup', 'folder', tree, '--init']);
  await server.empty(bucket);
  for (const args of [['snapshots'], ['backup', 'folder', tree], ['check'], ['restore', 'folder', 'latest', '--to', sandbox.path('back')]]) {
    const said = await sandbox.run(args);
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toContain('[repository/none]');
  }
});

test('a bucket that lost all packs behind our back: check names what is gone', async () => {
  const { sandbox, bucket, tree } = await inBucket();
  using _ = sandbox;
  await sandbox.json(['backup', 'folder', tree, '--init']);
  await server.empty(bucket, 'backups/packs/');
  const { sound, errors } = await sandbox.json<{ sound: boolean; errors: { object: string }[] }>(['check'], 1);
  expect(sound).toBe(false);
  expect(errors.some(({ object }) => object.startsWith('packs/'))).toBe(true);
});
