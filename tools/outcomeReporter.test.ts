/** Runs vitest over planted tests: every way in which one can end must be counted as what it is. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from './childProcess.ts';
import type { Outcome } from './testOutcome.ts';

const ROOT = dirname(import.meta.dirname);

async function outcomesOf(files: Record<string, string>): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-reporter-'));
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    writeFileSync(join(root, 'package.json'), '{"type": "module"}');
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), `import { describe, expect, test } from 'vitest';\n${text}`);
    const file = join(root, 'outcomes.json');
    const ran = await run(
      process.execPath,
      [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', `--reporter=${join(ROOT, 'tools/outcomeReporter.ts')}`],
      { cwd: root, timeoutMs: 60_000, env: { HOLDFAST_TEST_OUTCOMES: file } },
    );
    expect(ran.timedOut).toBe(false);
    const outcomes = JSON.parse(readFileSync(file, 'utf8')) as Outcome[];
    return outcomes.map(({ name, state, reason }) => `${state} ${name}${reason === '' ? '' : ` (${reason})`}`).toSorted();
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('passed, failed and skipped tests, and the reasons', async () => {
  expect(await outcomesOf({
    'a.test.ts': `describe('group', () => {
      test('good', () => { expect(1).toBe(1); });
      test('bad', () => { throw new Error('first\\nsecond'); });
      test('left out', (context) => { context.skip('needs a moon'); });
      test.skip('off', () => {});
      test.todo('later');
    });`,
  })).toEqual([
    'failed a.test.ts > group > bad (first)',
    'passed a.test.ts > group > good',
    'skipped a.test.ts > group > later',
    'skipped a.test.ts > group > left out (needs a moon)',
    'skipped a.test.ts > group > off',
  ]);
});

test('a file that does not load, one without tests, and an error outside of tests are failures', async () => {
  const outcomes = await outcomesOf({
    'a.test.ts': "throw new Error('no load');",
    'b.test.ts': 'export {};',
    'c.test.ts': "test('good', async () => { setTimeout(() => { throw new Error('late'); }); await new Promise((r) => setTimeout(r, 100)); });",
  });
  expect(outcomes).toHaveLength(4);
  expect(outcomes[0]).toBe('failed a.test.ts (no load)');
  expect(outcomes[1]).toMatch(/^failed b.test.ts/);
  expect(outcomes[2]).toBe('failed error outside of any test (late)');
  expect(outcomes[3]).toBe('passed c.test.ts > good');
});

test('a worker that dies leaves a failure', async () => {
  const outcomes = await outcomesOf({ 'a.test.ts': "test('dies', () => { process.kill(process.pid, 'SIGKILL'); });" });
  expect(outcomes.some((line) => line.startsWith('failed'))).toBe(true);
  expect(outcomes.some((line) => line.startsWith('passed'))).toBe(false);
});
