import { execFileSync } from 'node:child_process';
import {
  appendFileSync, chmodSync, existsSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CliSandbox } from './cliSandbox.ts';

interface Snapshot {
  readonly id: string;
  readonly entity: string;
  readonly [field: string]: unknown;
}

interface Item {
  readonly id: string;
  readonly path: string;
  readonly [field: string]: unknown;
}

/** A tree and a repository with one snapshot of it. */
async function withSnapshot(): Promise<{ sandbox: CliSandbox; first: Snapshot }> {
  const sandbox = new CliSandbox();
  mkdirSync(sandbox.path('tree', 'docs', 'old'), { recursive: true });
  mkdirSync(sandbox.path('tree', 'empty'));
  writeFileSync(sandbox.path('tree', 'a.txt'), 'first\n');
  writeFileSync(sandbox.path('tree', 'docs', 'b.txt'), 'bytes');
  writeFileSync(sandbox.path('tree', 'docs', 'old', 'new\nline\x1b[31m'), '');
  symlinkSync('a.txt', sandbox.path('tree', 'link'));
  // Whole seconds, each its own; times pass through floating point on their way back.
  for (const [i, path] of ['.', ...filesBelow(sandbox.path('tree'))].toReversed().entries()) {
    lutimesSync(sandbox.path('tree', path), 1_600_000_000 + i, 1_600_000_000 + i);
  }
  const first = await sandbox.json<Snapshot>(['backup', 'folder', sandbox.path('tree'), '--init']);
  return { sandbox, first };
}

const HEX = expect.stringMatching(/^[0-9a-f]{32}$/);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

test('a backup says what it stored, with exactly the documented fields', async () => {
  const { sandbox, first } = await withSnapshot();
  using _ = sandbox;
  const { made, exceptions, ...snapshot } = first;
  expect(snapshot).toEqual({
    id: HEX, service: 'folder', entity: `folder:${sandbox.path('tree')}`, startedAt: TIME, finishedAt: TIME, status: 'complete',
    items: 4, bytes: 11, added: 8, changed: 0, removed: 0, warnings: 0,
  });
  expect(exceptions).toEqual([]);
  expect(made).toMatchObject({ keyFileMade: true, keyFile: sandbox.path('key') });
  expect(await sandbox.json(['days'])).toEqual([{
    entity: snapshot.entity, day: String(snapshot.startedAt).slice(0, 10), snapshots: 1, added: snapshot.added, changed: 0, removed: 0,
  }]);
  expect(await sandbox.json(['snapshots'])).toEqual([snapshot]);

  const again = await sandbox.run(['backup', 'folder', sandbox.path('tree'), '--init']);
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toMatch(/^Snapshot [0-9a-f]{32} of folder:.*: complete\n {2}4 items in 4 folders, 11 B\n {2}0 added, 0 changed, 0 removed, in \d+ s\n$/);
  expect((await sandbox.run(['snapshots'])).stdout.split('\n')).toHaveLength(4);
});

test('ls shows a folder, all below it, or one item', async () => {
  const { sandbox } = await withSnapshot();
  using _ = sandbox;
  const paths = async (...args: string[]): Promise<string[]> => (await sandbox.json<Item[]>(['ls', 'latest', ...args])).map(({ path }) => path);
  const odd = 'docs/old/new\nline\x1b[31m';
  expect(await paths()).toEqual(['a.txt', 'docs', 'empty', 'link']);
  expect(await paths('docs')).toEqual(['docs/b.txt', 'docs/old']);
  expect(await paths('/docs/', '--recursive')).toEqual(['docs/b.txt', 'docs/old', odd]);
  expect(await paths('-r')).toEqual(['a.txt', 'docs', 'docs/b.txt', 'docs/old', odd, 'empty', 'link']);
  expect(await paths('empty')).toEqual([]);
  expect(await sandbox.json(['ls', 'latest', 'docs/b.txt'])).toEqual([
    { id: Buffer.from('docs\0b.txt').toString('base64url'), path: 'docs/b.txt', name: 'b.txt', kind: 'file', size: 5, modified: TIME },
  ]);
  // What would steer a terminal or break the line is shown, not done.
  const text = (await sandbox.run(['ls', 'latest', 'docs/old'])).stdout;
  expect(text).toContain('docs/old/new\\x0aline\\x1b[31m\n');
  expect(text.split('\n')).toHaveLength(2);
  const gone = await sandbox.run(['ls', 'latest', 'docs/none', '--json']);
  expect(gone.code).toBe(1);
  expect(JSON.parse(gone.stdout)).toMatchObject({ error: { code: 'cli/no-item', data: { path: 'docs/none' } } });
});

test('diff tells what was added, changed and removed, in both directions', async () => {
  const { sandbox, first } = await withSnapshot();
  using _ = sandbox;
  appendFileSync(sandbox.path('tree', 'a.txt'), 'second\n');
  writeFileSync(sandbox.path('tree', 'docs', 'c.txt'), '');
  rmSync(sandbox.path('tree', 'empty'), { recursive: true });
  const second = await sandbox.json<Snapshot>(['backup', 'folder', sandbox.path('tree')]);
  const found = await sandbox.json<Item[]>(['diff', first.id, 'latest']);
  const seen = Object.fromEntries(found.filter(({ kind }) => kind !== 'folder').map(({ path, change }) => [path, change]));
  expect(seen).toEqual({ 'a.txt': 'changed', 'docs/c.txt': 'added' });
  expect(found.find(({ path }) => path === 'empty')).toMatchObject({ change: 'removed', kind: 'folder' });
  expect(found.find(({ path }) => path === 'a.txt')).toEqual({
    change: 'changed', id: 'YS50eHQ', path: 'a.txt', name: 'a.txt', kind: 'file', size: 13, modified: TIME, parts: ['content', 'fields'],
    before: { path: 'a.txt', name: 'a.txt', kind: 'file', size: 6, modified: TIME },
  });
  const { stdout } = await sandbox.run(['diff', second.id, first.id]);
  expect(stdout).toContain('\n- docs/c.txt\n');
  expect(stdout).toContain('\n+ empty/\n');
  expect(await sandbox.json(['diff', first.id, first.id])).toEqual([]);
  expect((await sandbox.run(['diff', first.id, first.id])).stdout).toBe('0 added, 0 changed, 0 removed\n');
});

test('a snapshot is meant by its id, a beginning of it, or as the latest of an entity', async () => {
  const { sandbox, first } = await withSnapshot();
  using _ = sandbox;
  mkdirSync(sandbox.path('other'));
  const other = await sandbox.json<Snapshot>(['backup', 'folder', sandbox.path('other')]);
  const listed = await sandbox.json<Item[]>(['ls', first.id]);
  // Ids begin with the time: only their later digits tell two of the same minute apart.
  const unique = Array.from(first.id).findIndex((digit, i) => digit !== other.id[i]) + 1;
  expect(await sandbox.json(['ls', first.id.slice(0, unique).toUpperCase()])).toEqual(listed);
  expect(await sandbox.json(['ls', 'latest', '--entity', first.entity])).toEqual(listed);
  expect(await sandbox.json(['ls', 'latest', '--entity', 'tree'])).toEqual(listed);
  expect(await sandbox.json(['snapshots', '--entity', 'other'])).toHaveLength(1);

  for (const [text, candidate] of [['latest', other.entity], [first.id.slice(0, unique - 1), other.id]] as const) {
    const said = await sandbox.run(['ls', text]);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toContain('[usage/ambiguous-snapshot]');
    expect(said.stderr).toContain(candidate);
    const document = await sandbox.json<{ error: { data: { candidates: string } } }>(['ls', text], 2);
    expect(document.error.data.candidates.split('\n')).toHaveLength(2);
  }
  for (const [args, code] of [
    [['ls', 'ffff'], 'cli/no-snapshot'], [['ls', '../x'], 'cli/no-snapshot'], [['ls', 'latest', '--entity', 'nobody'], 'cli/no-entity'],
  ] as const) {
    expect(await sandbox.json(args, 1)).toMatchObject({ error: { code } });
  }
  expect(await sandbox.json(['diff', first.id, other.id], 2)).toMatchObject({ error: { code: 'usage/two-entities' } });
});

/** Everything of a tree that a restore gives back: kind, mode, time, bytes or target by path. */
function treeAt(top: string): Record<string, string> {
  const seen = ['.', ...filesBelow(top)].map((path) => {
    const at = join(top, path);
    const stats = lstatSync(at, { bigint: true });
    const body = stats.isFile() ? readFileSync(at, 'latin1') : stats.isSymbolicLink() ? readlinkSync(at) : '';
    return [path, `${stats.mode.toString(8)} ${stats.mtimeNs} ${body}`] as const;
  });
  return Object.fromEntries(seen);
}

const filesBelow = (path: string): string[] => readdirSync(path, { recursive: true }).map(String).sort();

test('restore gives everything back, and a second time finds it there', async () => {
  const { sandbox, first } = await withSnapshot();
  using _ = sandbox;
  const restore = ['restore', 'folder', first.id, '--to', sandbox.path('out')];
  expect(await sandbox.json(restore)).toEqual({
    snapshot: first.id, dryRun: false, written: 4, replaced: 0, unchanged: 0, skipped: 0, failed: 0, folders: 4, bytes: 11, issues: [],
  });
  expect(treeAt(sandbox.path('out'))).toEqual(treeAt(sandbox.path('tree')));
  expect(await sandbox.json(restore)).toMatchObject({ written: 0, unchanged: 4, bytes: 0 });
  const { stdout } = await sandbox.run(restore);
  expect(stdout).toMatch(/^Restored snapshot [0-9a-f]{32}\n {2}4 items in 4 folders: 4 unchanged\n {2}0 B in \d+ s\n$/);
});

test('restore gives back one item or one folder, below the folders above it', async () => {
  const { sandbox } = await withSnapshot();
  using _ = sandbox;
  const restore = (path: string, to: string): Promise<object> =>
    sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path(to), '--path', path]);
  expect(await restore('docs/b.txt', 'one')).toMatchObject({ written: 1, bytes: 5 });
  expect(filesBelow(sandbox.path('one'))).toEqual(['docs', 'docs/b.txt']);
  expect(await restore('/docs/old/', 'two')).toMatchObject({ written: 1 });
  expect(filesBelow(sandbox.path('two'))).toEqual(['docs', 'docs/old', 'docs/old/new\nline\x1b[31m']);
  expect(await sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path('none'), '--path', 'docs/c'], 1))
    .toMatchObject({ error: { code: 'cli/no-item' } });
  expect(existsSync(sandbox.path('none'))).toBe(false);
});

test('what stands at the destination is refused, left or written over, as told', async () => {
  const { sandbox } = await withSnapshot();
  using _ = sandbox;
  mkdirSync(sandbox.path('out'));
  writeFileSync(sandbox.path('out', 'a.txt'), 'mine');
  const restore = ['restore', 'folder', 'latest', '--to', sandbox.path('out')];
  const refused = await sandbox.run(restore);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain('warning: a.txt: ');
  expect(await sandbox.json([...restore, '--mode', 'skip'])).toMatchObject({ skipped: 1, failed: 0 });
  expect(readFileSync(sandbox.path('out', 'a.txt'), 'utf8')).toBe('mine');
  expect(await sandbox.json([...restore, '--mode', 'replace'])).toMatchObject({ failed: 0 });
  expect(readFileSync(sandbox.path('out', 'a.txt'), 'utf8')).toBe('first\n');
});

/** The packs of the repository, as paths. */
const packsOf = (sandbox: CliSandbox): string[] =>
  readdirSync(sandbox.path('repo', 'packs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));

test('check proves a sound repository, and names the items that a damage hits', async () => {
  const { sandbox, first } = await withSnapshot();
  using _ = sandbox;
  const counts = { snapshots: 1, items: expect.any(Number), packs: packsOf(sandbox).length, blobs: expect.any(Number), packsRead: 0, bytesRead: 0 };
  expect(await sandbox.json(['check'])).toEqual({ sound: true, errors: [], notices: [], counts });
  const whole = await sandbox.json<{ counts: { packsRead: number } }>(['check', '--read-data']);
  expect(whole.counts.packsRead).toBe(packsOf(sandbox).length);
  const shown = await sandbox.run(['check', '--read-data=100%']);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(/^The repository is sound\.\n {2}1 snapshot with /);

  for (const pack of packsOf(sandbox)) {
    const bytes = readFileSync(pack);
    // Frames are first in a pack, its directory last.
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    chmodSync(pack, 0o600);
    writeFileSync(pack, bytes);
  }
  const said = await sandbox.run(['check', '--read-data']);
  expect(said).toMatchObject({ code: 1, stderr: '' });
  expect(said.stdout).toMatch(/^DAMAGE packs\//);
  expect(said.stdout).toContain(`\n  hits docs/b.txt of tree, snapshot ${first.id}\n`);
  expect(said.stdout).toContain('The repository is DAMAGED');
  const document = await sandbox.json<{ errors: { items: { path: string }[] }[] }>(['check', '--read-data'], 1);
  expect(document).toMatchObject({ sound: false });
  expect(document.errors.flatMap(({ items }) => items.map(({ path }) => path))).toContain('docs/b.txt');
});

test('prune drops what the policy does not keep; before, it only tells', async () => {
  const { sandbox } = await withSnapshot();
  using _ = sandbox;
  await sandbox.json(['backup', 'folder', sandbox.path('tree')]);
  const last = await sandbox.json<Snapshot>(['backup', 'folder', sandbox.path('tree')]);
  const fields = { packsDeleted: 0, packsRewritten: 0, bytesFreed: 0, bytesKept: expect.any(Number), deadKept: expect.any(Number), locked: { snapshots: 0, packs: 0, bytes: 0, until: null } };
  expect(await sandbox.json(['prune', '--keep-within', '1m', '--dry-run'])).toEqual({ dryRun: true, snapshotsRemoved: 0, ...fields });
  expect(await sandbox.json(['prune', '--keep-last', '1', '--dry-run'])).toEqual({ dryRun: true, snapshotsRemoved: 2, ...fields });
  expect(await sandbox.json(['snapshots'])).toHaveLength(3);
  expect((await sandbox.run(['prune', '--keep-last', '1'])).stdout).toMatch(/^Removed 2 snapshots\n/);
  expect(await sandbox.json(['snapshots'])).toMatchObject([{ id: last.id }]);
  await sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path('out')]);
});

test('rebuild makes the index and all caches again', async () => {
  const { sandbox } = await withSnapshot();
  using _ = sandbox;
  rmSync(sandbox.path('repo', 'index'), { recursive: true });
  rmSync(sandbox.path('cache'), { recursive: true });
  expect((await sandbox.run(['restore', 'folder', 'latest', '--to', sandbox.path('out')])).code).toBe(3);
  expect(await sandbox.json(['rebuild'])).toMatchObject({ packs: expect.any(Number), unreadable: [] });
  expect(await sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path('out')])).toMatchObject({ failed: 0 });
  expect(treeAt(sandbox.path('out'))).toEqual(treeAt(sandbox.path('tree')));
});

test('what is missing is named, and ends with 3', async () => {
  const { sandbox } = await withSnapshot();
  using _ = sandbox;
  execFileSync('mkfifo', [sandbox.path('tree', 'pipe\x1b]0;x')]);
  const said = await sandbox.run(['backup', 'folder', sandbox.path('tree')]);
  expect(said.code).toBe(3);
  expect(said.stdout).toContain('1 item not stored as at the source: 0 failed, 1 skipped, 0 altered');
  expect(said.stderr).toMatch(/^warning: pipe\\x1b\]0;x: .+ \[special-file\]\n$/);
  const document = await sandbox.json<Snapshot>(['backup', 'folder', sandbox.path('tree')], 3);
  expect(document).toMatchObject({ status: 'complete', warnings: 1 });
});

test('a folder that is not there is an error before anything is made', async () => {
  using sandbox = new CliSandbox();
  const said = await sandbox.run(['backup', 'folder', sandbox.path('none'), '--init']);
  expect(said).toMatchObject({ code: 1, stdout: '' });
  expect(said.stderr).toContain('[folder/not-found]');
  expect(await sandbox.json(['snapshots'], 1)).toMatchObject({ error: { code: 'key/missing' } });
});

test('an empty repository says so', async () => {
  using sandbox = new CliSandbox();
  await sandbox.json(['repo', 'init']);
  expect(await sandbox.json(['snapshots'])).toEqual([]);
  expect(await sandbox.json(['ls', 'latest'], 1)).toMatchObject({ error: { code: 'cli/no-snapshot' } });
});
