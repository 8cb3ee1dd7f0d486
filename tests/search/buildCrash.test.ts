import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileStorage } from '../../src/storage/index.ts';
import { backUpMails } from './mailRepository.ts';

const MAILS = 900;

interface Line { readonly indexed?: number; readonly waiting?: string; readonly hits?: number; readonly gaps?: number }

let directory: string;
const started: ChildProcess[] = [];
const inside = (name: string): string => join(directory, name);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  const mails = Array.from({ length: MAILS }, (_, i) => Buffer.from(`From: Ada <ada@example.test>\r\nSubject: Number ${i}\r\n\r\nword ${i}\r\n`));
  await backUpMails(await FileStorage.create(inside('repository')), inside('cache of the backup'), mails);
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  rmSync(directory, { recursive: true });
});

/** Starts a search for `word`; with `kill` it is killed once it has indexed a batch. */
function start(kill: boolean): Promise<{ code: number | null; signal: string | null; lines: Line[] }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./buildProcess.ts', import.meta.url)), inside('repository'), inside('cache'), 'word', ...(kill ? ['stop'] : [])], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  const lines: Line[] = [];
  createInterface(child.stdout).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    if (kill && line.indexed !== undefined) child.kill('SIGKILL');
  });
  return once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as string | null, lines }));
}

const indexedBy = (lines: readonly Line[]): number => Math.max(0, ...lines.map(({ indexed }) => indexed ?? 0));

test('a build that is killed goes on where it was, and then all is found', async () => {
  let done = 0;
  for (let round = 0; round < 2; round++) {
    const { signal, lines } = await start(true);
    expect(signal).toBe('SIGKILL');
    done += indexedBy(lines);
  }
  expect(done).toBeGreaterThan(0);
  const { code, lines } = await start(false);
  expect(code).toBe(0);
  expect(lines.at(-1)).toEqual({ hits: MAILS, gaps: 0 });
  // What was taken in before the kills is not read again.
  expect(indexedBy(lines)).toBe(MAILS - done);
});

test('of two builders at once one reads each mail, and both find all', async () => {
  const both = await Promise.all([start(false), start(false)]);
  for (const { code, lines } of both) {
    expect(code).toBe(0);
    expect(lines.at(-1)).toEqual({ hits: MAILS, gaps: 0 });
  }
  expect(both.reduce((sum, { lines }) => sum + indexedBy(lines), 0)).toBe(MAILS);
});
