import { randomFillSync } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { waitUntil } from '../servers/startProcess.ts';
import { CliSandbox } from './cliSandbox.ts';

const CHUNK = 8 * 1024 * 1024;

/** Enough incompressible content that the first packs are written long before the last is read. */
function makeLargeTree(sandbox: CliSandbox, chunks: number): void {
  mkdirSync(sandbox.path('tree'));
  for (let i = 0; i < chunks; i++) writeFileSync(sandbox.path('tree', `part${i}`), randomFillSync(Buffer.alloc(CHUNK)));
}

const scratchOf = (sandbox: CliSandbox): string[] => readdirSync(sandbox.directory).filter((name) => name.startsWith('holdfast-'));

test('Ctrl-C in a backup ends it with 130, leaves nothing behind, and the next run works', async () => {
  using sandbox = new CliSandbox();
  makeLargeTree(sandbox, 16);
  await sandbox.json(['repo', 'init']);
  const running = sandbox.start(['backup', 'folder', sandbox.path('tree'), '--json']);
  await waitUntil(async () => existsSync(sandbox.path('repo', 'packs')) || running.child.exitCode !== null, () => 'no pack was written');
  running.child.kill('SIGINT');
  const said = await running.ended;
  expect(said).toMatchObject({ code: 130, signal: null, stderr: 'holdfast: interrupted\n' });
  expect(JSON.parse(said.stdout)).toMatchObject({ error: { code: 'cli/interrupted' } });
  expect(scratchOf(sandbox)).toEqual([]);
  expect(await sandbox.json(['snapshots'])).toEqual([]);
  const document = await sandbox.json<object>(['backup', 'folder', sandbox.path('tree')]);
  expect(document).toMatchObject({ status: 'complete', items: 16, bytes: 16 * CHUNK });
  expect(await sandbox.json(['check', '--read-data'])).toMatchObject({ sound: true });
});

test.each(['SIGTERM', 'SIGHUP'] as const)('%s while a server keeps silent ends a backup with 130', async (name) => {
  using sandbox = new CliSandbox();
  let greeted = false;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('* OK ready\r\n');
    greeted = true;
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  try {
    const { port } = server.address() as AddressInfo;
    writeFileSync(sandbox.path('password'), 'secret-word');
    const running = sandbox.start(['backup', 'imap', '--host', '127.0.0.1', '--port', String(port), '--tls', 'off', '--user', 'u',
      '--password-file', sandbox.path('password'), '--init']);
    await waitUntil(async () => greeted || running.child.exitCode !== null, () => 'nobody connected');
    running.child.kill(name);
    const said = await running.ended;
    expect(said).toMatchObject({ code: 130, signal: null, stdout: '', stderr: 'holdfast: interrupted\n' });
    // Nothing was made for a mailbox that was never reached.
    expect(existsSync(sandbox.path('repo'))).toBe(false);
  } finally {
    server.close();
  }
});

test('a second Ctrl-C ends at once', async () => {
  using sandbox = new CliSandbox();
  makeLargeTree(sandbox, 8);
  await sandbox.json(['repo', 'init']);
  const running = sandbox.start(['backup', 'folder', sandbox.path('tree')]);
  await waitUntil(async () => existsSync(sandbox.path('repo', 'packs')) || running.child.exitCode !== null, () => 'no pack was written');
  running.child.kill('SIGINT');
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 130, signal: null });
  expect(await sandbox.json(['snapshots'])).toEqual([]);
});
