import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endMarked, run } from './childProcess.ts';

let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast-child-'));
});

afterAll(() => rmSync(scratch, { recursive: true }));

function alive(pid: number): boolean {
  try {
    // A zombie still takes signals; its state tells.
    return process.kill(pid, 0) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 200 && alive(pid); i += 1) await new Promise((resolve) => { setTimeout(resolve, 25); });
  return !alive(pid);
}

test('gives code and output, under this Node', async () => {
  const ran = await run('sh', ['-c', 'node -p process.version; echo oops >&2; exit 3'], { cwd: scratch, timeoutMs: 20_000 });
  expect(ran).toMatchObject({ code: 3, timedOut: false });
  expect(ran.output).toContain(process.version);
  expect(ran.output).toContain('oops');
});

test('a command that is not there is a code, not a crash', async () => {
  const ran = await run(join(scratch, 'nothing'), [], { cwd: scratch, timeoutMs: 20_000 });
  expect(ran.code).toBe(127);
  expect(ran.output).toContain('ENOENT');
});

test('what runs too long is ended with everything that it started', async () => {
  const file = join(scratch, 'pid');
  const ran = await run('sh', ['-c', `sleep 300 & echo $! > ${file}; wait`], { cwd: scratch, timeoutMs: 1_000 });
  expect(ran).toMatchObject({ code: undefined, timedOut: true });
  expect(await gone(Number(readFileSync(file, 'utf8')))).toBe(true);
});

test('what a command leaves running is ended with it', async () => {
  const file = join(scratch, 'left');
  const ran = await run('sh', ['-c', `sleep 300 >/dev/null 2>&1 & echo $! > ${file}`], { cwd: scratch, timeoutMs: 60_000 });
  expect(ran.code).toBe(0);
  expect(await gone(Number(readFileSync(file, 'utf8')))).toBe(true);
});

test.runIf(existsSync('/proc/self/environ'))('what left its group is found by its mark', async () => {
  const file = join(scratch, 'daemon');
  const mark = `mark-${process.pid}`;
  const script = `setsid sh -c 'echo $$ > ${file}; exec sleep 300' >/dev/null 2>&1 & while [ ! -s ${file} ]; do sleep 0.05; done`;
  await run('sh', ['-c', script], { cwd: scratch, timeoutMs: 20_000, env: { HOLDFAST_TEST_MARK: mark } });
  const pid = Number(readFileSync(file, 'utf8'));
  expect(alive(pid)).toBe(true);
  expect(await endMarked('HOLDFAST_TEST_MARK', mark)).toBe(1);
  expect(await gone(pid)).toBe(true);
  expect(await endMarked('HOLDFAST_TEST_MARK', mark)).toBe(0);
});
