import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CliSandbox } from './cliSandbox.ts';

test('a copy takes the place of a lost original', async () => {
  using sandbox = new CliSandbox();
  const tree = sandbox.path('tree');
  mkdirSync(tree);
  writeFileSync(sandbox.path('tree', 'a'), 'as it was');
  await sandbox.json(['backup', 'folder', tree, '--init']);
  const to = ['--to', sandbox.path('second')];
  expect(await sandbox.json(['copy', ...to])).toMatchObject({ snapshotsCopied: 1, snapshots: 1, findings: [], pruned: null });
  const told = await sandbox.run(['copy', ...to, '--prune']);
  expect(told).toMatchObject({ code: 0 });
  expect(told.stdout).toContain('0 snapshots copied');

  const copy = ['--repo', sandbox.path('second')];
  const refused = await sandbox.json<{ error: { code: string; message: string } }>(['backup', 'folder', tree, ...copy], 1);
  expect(refused.error.code).toBe('repository/is-copy');
  expect(refused.error.message).toContain('--detach');

  rmSync(sandbox.path('repo'), { recursive: true });
  await sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path('out'), ...copy]);
  expect(readFileSync(sandbox.path('out', 'a'), 'utf8')).toBe('as it was');
  expect((await sandbox.run(['copy', ...to, '--detach', '--prune'])).code).toBe(2);
  expect(await sandbox.json(['copy', ...to, '--detach'])).toMatchObject({ detached: true });
  await sandbox.json(['backup', 'folder', tree, ...copy]);
  expect(await sandbox.json(['check', '--read-data', ...copy])).toMatchObject({ sound: true });
});

test('damage ends with 3 and is named; a wrong place with 1; no place with 2', async () => {
  using sandbox = new CliSandbox();
  mkdirSync(sandbox.path('tree'));
  writeFileSync(sandbox.path('tree', 'a'), Buffer.alloc(9000, 'some text '));
  await sandbox.json(['backup', 'folder', sandbox.path('tree'), '--init']);
  await sandbox.json(['repo', 'init', '--repo', sandbox.path('other')]);
  const wrong = await sandbox.json<{ error: { code: string } }>(['copy', '--to', sandbox.path('other')], 1);
  expect(wrong.error.code).toBe('copy/other-repository');
  expect((await sandbox.run(['copy'])).code).toBe(2);
  rmSync(sandbox.path('repo', 'packs', 'shared'), { recursive: true });
  const { findings } = await sandbox.json<{ findings: { code: string }[] }>(['copy', '--to', sandbox.path('second')], 3);
  expect(findings.map(({ code }) => code)).toEqual(['incomplete']);
  expect((await sandbox.run(['copy', '--to', sandbox.path('second')])).stdout).toContain('[incomplete]');
});
