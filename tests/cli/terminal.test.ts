import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startDovecot } from '../servers/dovecot.ts';
import { CliSandbox, HOLDFAST } from './cliSandbox.ts';

const PASSWORD = 'swordfish-17';

/** Runs the command on a terminal; types each text once the one before it is on the screen. */
async function onTerminal(
  sandbox: CliSandbox, args: readonly string[], type: readonly (readonly [wait: string, text: string])[] = [],
): Promise<{ code: number; screen: string }> {
  const plan = JSON.stringify({ args: [HOLDFAST, ...args], type });
  const { stdout } = await promisify(execFile)('python3', [join(import.meta.dirname, 'onTerminal.py'), plan], {
    env: { HOME: sandbox.directory, PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...sandbox.environment },
  });
  return JSON.parse(stdout) as { code: number; screen: string };
}

test('a password that no file gives is asked for, and not shown', async () => {
  using sandbox = new CliSandbox();
  const server = await startDovecot({ users: { 'ann@example.test': PASSWORD } });
  try {
    const command = ['backup', 'imap', '--host', 'localhost', '--port', String(server.tlsPort), '--ca-file', server.caFile,
      '--user', 'ann@example.test', '--init'];
    const done = await onTerminal(sandbox, command, [['Password of ann@example.test on localhost: ', `${PASSWORD}\r`]]);
    expect(done.code, done.screen).toBe(0);
    expect(done.screen).toContain('complete');
    expect(done.screen).not.toContain(PASSWORD);

    const stopped = await onTerminal(sandbox, command, [['Password of', 'half\u0003']]);
    expect(stopped.code, stopped.screen).toBe(130);
    expect(stopped.screen).not.toContain('half');
  } finally {
    await server.stop();
  }
});

test('a terminal sees how far a run is, in a line that goes away', async () => {
  using sandbox = new CliSandbox();
  mkdirSync(sandbox.path('tree'));
  for (let i = 0; i < 6; i++) writeFileSync(sandbox.path('tree', `part${i}`), randomFillSync(Buffer.alloc(8 * 1024 * 1024)));
  await sandbox.json(['repo', 'init']);
  const { code, screen } = await onTerminal(sandbox, ['backup', 'folder', sandbox.path('tree')]);
  expect(code).toBe(0);
  const [before = '', after = ''] = screen.split('Snapshot ');
  expect(before).toMatch(/(storing|sealing) {2}.*7 items/);
  expect(before.endsWith('\r\u001b[2K')).toBe(true);
  expect(after).toMatch(/^[0-9a-f]{32} of folder:/);
});

test('before an erasure a terminal is told how much goes, with what lies below', async () => {
  using sandbox = new CliSandbox();
  mkdirSync(sandbox.path('tree', 'sub'), { recursive: true });
  for (const name of ['a', 'b']) writeFileSync(sandbox.path('tree', 'sub', name), name);
  await sandbox.json(['repo', 'init']);
  await sandbox.json(['backup', 'folder', sandbox.path('tree')]);
  const { code, screen } = await onTerminal(sandbox, ['erase', '--entity', `folder:${sandbox.path('tree')}`, '--path', 'sub', '--certificate', sandbox.path('c.json')],
    [['Type the name to go on', 'no\r']]);
  expect(code, screen).toBe(1);
  expect(screen).toContain('Erasing 3 items from 1 snapshot of folder:');
  expect(existsSync(sandbox.path('c.json'))).toBe(false);
  // Nobody is asked about what there is not.
  const wrong = await onTerminal(sandbox, ['erase', '--entity', `folder:${sandbox.path('tree')}`, '--path', 'sup', '--certificate', sandbox.path('c.json')]);
  expect(wrong.code, wrong.screen).toBe(1);
  expect(wrong.screen).toContain('erase/no-item');
  expect(wrong.screen).not.toContain('Type the name');
});
