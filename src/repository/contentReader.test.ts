import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { BinaryString } from '../domain/index.ts';
import { ContentProcessor } from './contentProcessor.ts';
import { PROFILES } from './profile.ts';
import type { ContentResult } from './storeProtocol.ts';

const LARGE = 64 * 1024 * 1024;
const REPLACED = { content: '', outcome: { state: 'failed', code: 'changed-while-read' } };

function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), 'content-reader-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function read(path: BinaryString, size: number, modified: number | null = null): Promise<ContentResult | undefined> {
  const key = new Uint8Array(32);
  const data = { idKey: key, chunkerKey: key, frameKeys: [key, key], profile: PROFILES.default } as const;
  const port = { ask: async (ids: Uint8Array) => new Uint8Array(ids.length / 24), emit: () => {} };
  return (await new ContentProcessor(data, port).batch([{ source: { path }, size, modified, mail: false }]))[0];
}

// What is not waited for cannot be tested by waiting: a read that blocks never gives the test back.
test.each([0, 6, LARGE])('a pipe, a link, a device or a folder in the place of a file of %i bytes: failed, and nothing waits', async (size) => {
  const folder = scratch();
  writeFileSync(join(folder, 'secret'), 'SECRET');
  symlinkSync(join(folder, 'secret'), join(folder, 'link'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const modified = Math.floor(statSync(join(folder, 'secret')).mtimeMs);
  for (const path of [join(folder, 'link'), join(folder, 'pipe'), '/dev/zero', folder]) {
    expect(await read(path, size, modified), path).toMatchObject(REPLACED);
  }
});

test('a pipe that somebody writes into is not read either', async () => {
  const pipe = join(scratch(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  // Opened for both, a pipe waits for nobody.
  const fd = openSync(pipe, constants.O_RDWR);
  onTestFinished(() => closeSync(fd));
  writeSync(fd, '123456');
  expect(await read(pipe, 6)).toMatchObject(REPLACED);
});

test('a file that has grown from small to huge is read in windows', async () => {
  const path = join(scratch(), 'log');
  writeFileSync(path, Buffer.alloc(40 * 1024 * 1024, 'line\n'));
  expect(await read(path, 3)).toMatchObject({ size: 40 * 1024 * 1024, outcome: { state: 'altered', code: 'changed-while-read' } });
});
