import { randomFillSync } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readManifest, sha256Of, testZip, unpackZip } from '../export/readers.ts';
import { waitUntil } from '../servers/startProcess.ts';
import { CliSandbox } from './cliSandbox.ts';

async function withSnapshot(): Promise<CliSandbox> {
  const sandbox = new CliSandbox();
  mkdirSync(sandbox.path('tree', 'docs', 'empty'), { recursive: true });
  writeFileSync(sandbox.path('tree', 'a: b?.txt'), 'first\n');
  writeFileSync(sandbox.path('tree', 'docs', 'Grüße.txt'), 'bytes');
  writeFileSync(sandbox.path('tree', 'docs', 'back\\slash\n'), 'odd');
  writeFileSync(Buffer.concat([Buffer.from(`${sandbox.path('tree')}/`), Buffer.from([0x63, 0xe9])]), 'no UTF-8');
  symlinkSync('docs', sandbox.path('tree', 'link'));
  chmodSync(sandbox.path('tree', 'docs'), 0o751);
  for (const name of ['docs/empty', 'docs/Grüße.txt', 'docs', 'a: b?.txt']) lutimesSync(sandbox.path('tree', name), 1_600_000_000, 1_600_000_000);
  await sandbox.json(['backup', 'folder', sandbox.path('tree'), '--init']);
  return sandbox;
}

/** Without names that are no UTF-8: they cannot be opened by a text. */
const namesBelow = (top: string): string[] =>
  readdirSync(top, { recursive: true }).map(String).filter((path) => !path.includes('\ufffd')).sort();

/** Kind, mode, time and content of everything below. */
const picture = (top: string): string[] => namesBelow(top).map((path) => {
  const at = join(top, path);
  const { mode, mtimeMs } = lstatSync(at);
  const link = lstatSync(at).isSymbolicLink();
  return `${path} ${mode.toString(8)} ${link ? readlinkSync(at) : mtimeMs} ${lstatSync(at).isFile() ? readFileSync(at, 'latin1') : ''}`;
});

test('a folder is exported as ZIP with paths, modes, times and links; a second time is refused', async () => {
  using sandbox = await withSnapshot();
  const command = ['export', 'latest', '--format', 'zip', '--to', sandbox.path('out')];
  const document = await sandbox.json<{ parts: { file: string; sha256: string }[] }>(command);
  const { parts: [part] } = document;
  expect(document).toEqual({
    snapshot: expect.stringMatching(/^[0-9a-f]{32}$/), format: 'zip', location: `file://${sandbox.path('out')}`, items: 5, missing: 0, leftOut: [], folders: 2, bytes: 26,
    files: 1, fileBytes: expect.any(Number), parts: [{ file: 'export-0001.zip', size: expect.any(Number), sha256: expect.any(String), items: 5 }], issues: [],
  });
  expect(await sha256Of(sandbox.path('out', 'export-0001.zip'))).toBe(part?.sha256);
  await testZip(sandbox.path('out', 'export-0001.zip'));
  await unpackZip('unzip', sandbox.path('out', 'export-0001.zip'), sandbox.path('back'));
  const same = (line: string): boolean => /^(a: b|docs |docs\/[Ge]|link )/.test(line);
  expect(picture(sandbox.path('back')).filter(same)).toEqual(picture(sandbox.path('tree')).filter(same));
  // Names that a ZIP cannot have, or that some readers take for a path, are changed; the manifest tells from what.
  const changed = readManifest(sandbox.path('out')).filter(({ entry, path }) => entry !== undefined && entry !== path);
  expect(changed.map(({ path, entry }) => `${path} ${entry?.replace(/~[0-9a-f]{10}/, '~')}`).sort()).toEqual(['c\ufffd c\ufffd ~', 'docs/back\\slash\n docs/back_slash_ ~']);

  const before = picture(sandbox.path('out'));
  const again = await sandbox.run(command);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('[export/not-empty]');
  expect(picture(sandbox.path('out'))).toEqual(before);
});

test('one folder of it, as text; what is wrong is told with its code', async () => {
  using sandbox = await withSnapshot();
  const said = await sandbox.run(['export', 'latest', '--format', 'zip', '--to', sandbox.path('out'), '--path', 'docs', '--part-size', '20GB']);
  expect(said).toMatchObject({ code: 0, stderr: '' });
  expect(said.stdout).toMatch(/^Exported snapshot [0-9a-f]{32} to file:.*\n {2}2 items in 2 folders, 8 B\n {2}1 file of .*, and manifest.jsonl, in \d+ s\n$/);
  const to = ['--to', sandbox.path('new')];
  expect(await sandbox.json(['export', 'latest', '--format', 'mbox', ...to], 1)).toMatchObject({ error: { code: 'export/no-format' } });
  expect(await sandbox.json(['export', 'latest', '--format', 'zip', '--path', 'none', ...to], 1)).toMatchObject({ error: { code: 'cli/no-item' } });
  expect(await sandbox.json(['export', 'latest', '--format', 'zip', '--to', sandbox.path('repo', 'x')], 1)).toMatchObject({ error: { code: 'cli/export-in-repository' } });
  for (const wrong of [['--format', 'pst', ...to], ['--format', 'zip'], [...to], ['--format', 'zip', '--part-size', '5', ...to], ['--format', 'zip', '--part-size', '1KB', ...to]]) {
    expect((await sandbox.run(['export', 'latest', ...wrong])).code).toBe(2);
  }
  expect(existsSync(sandbox.path('new'))).toBe(false);
});

test('an item that is missing is named and ends it with 3', async () => {
  using sandbox = await withSnapshot();
  for (const entry of readdirSync(sandbox.path('repo', 'packs'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 16) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
  }
  const said = await sandbox.run(['export', 'latest', '--format', 'zip', '--to', sandbox.path('out')]);
  expect(said.code).toBe(3);
  expect(said.stdout).toContain('; 4 MISSING');
  expect(said.stderr).toContain('warning: docs/Grüße.txt: ');
  // The link needs no content.
  expect(readManifest(sandbox.path('out')).at(-1)).toMatchObject({ type: 'end', items: 1, missing: 4 });
  await testZip(sandbox.path('out', 'export-0001.zip'));
});

/** Incompressible, so that it takes a while. */
async function largeTree(sandbox: CliSandbox): Promise<void> {
  mkdirSync(sandbox.path('tree'));
  for (let i = 0; i < 40; i++) writeFileSync(sandbox.path('tree', `file${i}`), randomFillSync(Buffer.alloc(4 * 1024 * 1024)));
  await sandbox.json(['backup', 'folder', sandbox.path('tree'), '--init']);
}

const growing = (path: string): boolean => existsSync(path) && lstatSync(path).size > 8_000_000;

test('kill -9 leaves no file that looks whole; the place is refused until it is empty', async () => {
  using sandbox = new CliSandbox();
  await largeTree(sandbox);
  const to = sandbox.path('out');
  const command = ['export', 'latest', '--format', 'zip', '--to', to, '--part-size', '30MB'];
  const running = sandbox.start(command);
  await waitUntil(async () => growing(join(to, 'export-0002.zip.partial')) || running.child.exitCode !== null, () => 'no second part was begun');
  running.child.kill('SIGKILL');
  expect(await running.ended).toMatchObject({ signal: 'SIGKILL' });
  const names = readdirSync(to).sort();
  expect(names).toContain('manifest.jsonl.partial');
  expect(names).not.toContain('manifest.jsonl');
  for (const name of names.filter((one) => one.endsWith('.zip'))) await testZip(join(to, name));
  expect(names.filter((name) => name.endsWith('.zip.partial')).length).toBeLessThanOrEqual(1);
  expect((await sandbox.run(command)).stderr).toContain('[export/not-empty]');
  expect(readdirSync(to).sort()).toEqual(names);
}, 120_000);

test('Ctrl-C ends it with 130 and takes away what it wrote', async () => {
  using sandbox = new CliSandbox();
  await largeTree(sandbox);
  const to = sandbox.path('out');
  const running = sandbox.start(['export', 'latest', '--format', 'zip', '--to', to, '--part-size', '30MB', '--json']);
  await waitUntil(async () => growing(join(to, 'export-0001.zip.partial')) || existsSync(join(to, 'export-0001.zip')) || running.child.exitCode !== null, () => 'no part was begun');
  running.child.kill('SIGINT');
  const said = await running.ended;
  expect(said).toMatchObject({ code: 130, signal: null, stderr: 'holdfast: interrupted\n' });
  expect(JSON.parse(said.stdout)).toMatchObject({ error: { code: 'cli/interrupted' } });
  expect(existsSync(to)).toBe(false);
  expect(existsSync(sandbox.path('repo', 'pins')) ? readdirSync(sandbox.path('repo', 'pins')) : []).toEqual([]);
}, 120_000);
