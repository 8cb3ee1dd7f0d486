import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SETTINGS } from '../../src/runtime/index.ts';
import { CliSandbox } from './cliSandbox.ts';

const GUIDE = readFileSync(new URL('../../docs/guides/command-line.md', import.meta.url), 'utf8');
const GROUPS = ['repo', 'backup', 'backup microsoft365', 'restore', 'restore microsoft365', 'key', 'entity', 'storage', 'audit', 'user'];

/** Names of the commands that a help text lists. */
function commandsIn(help: string): string[] {
  const [, list = ''] = help.split('Commands:\n');
  return [...list.matchAll(/^ {2}([a-z0-9-]+) /gm)].map(([, name]) => name ?? '').filter((name) => name !== 'help');
}

/** What the guide says under the heading of a command. */
function section(command: string): string {
  const [, after = ''] = GUIDE.split(new RegExp(`^### holdfast ${command}\\b.*$`, 'm'));
  return after.split(/^#{2,3} /m)[0] ?? '';
}

async function allCommands(sandbox: CliSandbox): Promise<string[]> {
  const top = commandsIn((await sandbox.run(['--help'])).stdout);
  const nested = await Promise.all(GROUPS.map(async (group) =>
    commandsIn((await sandbox.run([...group.split(' '), '--help'])).stdout).map((name) => `${group} ${name}`)));
  return [...top, ...nested.flat()].filter((name) => !GROUPS.includes(name));
}

test('the guide has every command and every option, and no command that there is not', async () => {
  using sandbox = new CliSandbox();
  const commands = await allCommands(sandbox);
  expect(commands.length).toBeGreaterThan(9);
  const common = GUIDE.split('## Options of every command')[1]?.split('## Which snapshot')[0] ?? '';
  for (const command of commands) {
    const { stdout } = await sandbox.run([...command.split(' '), '--help']);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option ?? '').filter((option) => option !== '--help');
    expect(options).toContain('--json');
    for (const option of options) expect(section(command) + common, `${command} ${option}`).toContain(option);
  }
  const headings = [...GUIDE.matchAll(/^### holdfast ([a-z]+(?: [a-z0-9-]+){0,2})/gm)].map(([, name]) => name ?? '');
  expect(headings.toSorted()).toEqual(commands.toSorted());
});

test('the help of the backup of Exchange names the permissions that the page about it does', async () => {
  using sandbox = new CliSandbox();
  const page = readFileSync(new URL('../../docs/coverage/exchange.md', import.meta.url), 'utf8');
  const [, table = ''] = page.split('## What the application needs');
  const needed = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| (`.*`) \|/gm)].flatMap(([, cell]) => [...(cell ?? '').matchAll(/`(.*?)`/g)].map(([, name]) => name ?? ''));
  expect(needed.length).toBeGreaterThan(8);
  const { stdout } = await sandbox.run(['backup', 'microsoft365', 'exchange', '--help']);
  expect([...new Set(stdout.match(/\b[A-Z]\w+(\.\w+)+\b/g))].toSorted()).toEqual([...new Set(needed)].toSorted());
});

test('the guide has the settings that there are', async () => {
  using sandbox = new CliSandbox();
  const { stdout } = await sandbox.run(['--help']);
  const settings = [...stdout.matchAll(/^ {2}((?:HOLDFAST|AWS|AZURE|GOOGLE|STORAGE)_\w+)/gm)].map(([, name]) => name ?? '');
  expect(settings).toHaveLength(Object.keys(SETTINGS).length);
  for (const setting of settings) expect(GUIDE).toContain(setting);
});

test('the guide names every field that the commands answer with', async () => {
  using sandbox = new CliSandbox();
  mkdirSync(sandbox.path('tree'));
  writeFileSync(sandbox.path('tree', 'a'), 'a');
  const backup = ['backup', 'folder', sandbox.path('tree'), '--init'];
  const first = await sandbox.json<{ id: string }>(backup);
  writeFileSync(sandbox.path('tree', 'a'), 'ab');
  const answers: readonly (readonly [section: string, answer: unknown])[] = [
    ['All backups', first],
    ['All backups', await sandbox.json(backup)],
    ['repo init', await sandbox.json(['repo', 'init', '--repo', sandbox.path('new')])],
    ['repo settings', await sandbox.json(['repo', 'settings'])],
    ['repo info', await sandbox.json(['repo', 'info'])],
    ['snapshots', await sandbox.json(['snapshots'])],
    ['days', await sandbox.json(['days'])],
    ['ls', await sandbox.json(['ls', 'latest'])],
    ['search', await sandbox.json(['search', 'a'])],
    ['diff', await sandbox.json(['diff', first.id, 'latest'])],
    ['All restores', await sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path('out')])],
    ['export', await sandbox.json(['export', 'latest', '--format', 'zip', '--to', sandbox.path('export')])],
    ['check', await sandbox.json(['check'])],
    ['prune', await sandbox.json(['prune', '--keep-last', '1', '--dry-run'])],
    ['copy', await sandbox.json(['copy', '--to', sandbox.path('copy')])],
    ['copy', await sandbox.json(['copy', '--to', sandbox.path('copy'), '--detach'])],
    ['rebuild', await sandbox.json(['rebuild'])],
  ];
  for (const [name, answer] of answers) {
    const documents: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
    const fields = new Set(documents.flatMap((document) => Object.keys(document as object)));
    expect(fields.size).toBeGreaterThan(1);
    const said = /^(All|Both) /.test(name) ? (GUIDE.split(name)[1] ?? '').split('\n### ')[0] + section('snapshots') : section(name) + section('ls');
    for (const field of fields) expect(said, `${name}: ${field}`).toMatch(new RegExp(`["\`]${field}["\`]`));
  }
});
