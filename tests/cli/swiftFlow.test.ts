/** A repository on OpenStack Swift, which promises nobody that its listings are up to date. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { S3TestServer } from '../servers/s3TestServer.ts';
import { startSwift } from '../servers/swift.ts';
import { CliSandbox } from './cliSandbox.ts';

let server: S3TestServer;
beforeAll(async () => {
  server = await startSwift();
}, 300_000);
afterAll(() => server?.stop());

test('backups and restores work, prune refuses by what the service is, and storage test says so', async () => {
  using sandbox = new CliSandbox();
  const bucket = await server.makeBucket();
  Object.assign(sandbox.environment, server.environment, { HOLDFAST_REPO: server.address(bucket, 'backups') });
  mkdirSync(sandbox.path('tree'));
  for (const text of ['first', 'second']) {
    writeFileSync(sandbox.path('tree', 'a.txt'), text);
    await sandbox.json(['backup', 'folder', sandbox.path('tree'), '--init']);
  }
  const before = await server.keysOf(bucket);
  const { error } = await sandbox.json<{ error: { code: string; message: string } }>(['prune', '--keep-last', '1'], 1);
  expect(error).toMatchObject({ code: 'repository/prune-refused', message: expect.stringContaining('the service keeps its listings up only after a while') });
  expect(await server.keysOf(bucket)).toEqual(before);
  await sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path('back')]);
  expect(readFileSync(sandbox.path('back', 'a.txt'), 'utf8')).toBe('second');
  expect(await sandbox.json(['check'])).toMatchObject({ sound: true });
  const tried = await sandbox.json<{ lacks: { name: string; consequence: string }[] }>(['storage', 'test', server.address(bucket, 'other')], 3);
  expect(tried).toMatchObject({ fit: 'some', lock: { available: false } });
  expect(tried.lacks.map(({ name }) => name)).toEqual(['the service promises that listings are up to date']);
}, 300_000);
