/**
 * `npm test`: sees to it that the programs are there which the tests start, runs the checks and all tests within a
 * bounded time, and ends with the line `N passed, N failed, N skipped`. Arguments name test files to run alone.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runChecks } from './check.ts';
import { endMarked, killGroups, run } from './childProcess.ts';
import { missingServerPackages } from '../tests/servers/serverPackages.ts';
import { installServerPackages } from './serverPackages.ts';
import { installNeeds, missingMessage, missingNeeds, NEEDS } from './testNeeds.ts';
import { closingLines, succeeded, withRunner } from './testOutcome.ts';
import type { Outcome } from './testOutcome.ts';

/** Of checks and tests together, so that one hanging test cannot hold up a machine. */
const MOST_MS = 24 * 60_000;
const ROOT = dirname(import.meta.dirname);
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');

async function main(filters: readonly string[]): Promise<boolean> {
  const missing = missingNeeds(NEEDS, process.env['PATH'] ?? '');
  if (missing.length > 0) {
    const installed = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') && await installNeeds(missing, ROOT);
    if (!installed) {
      console.error(missingMessage(missing));
      return false;
    }
  }
  if (!await installServerPackages(missingServerPackages())) return false;
  const started = performance.now();
  const outcomes = filters.length === 0 ? await runChecks() : [];
  outcomes.push(...await runTests(filters, MOST_MS - (performance.now() - started)));
  for (const line of closingLines(outcomes)) console.log(line);
  return succeeded(outcomes);
}

async function runTests(filters: readonly string[], timeoutMs: number): Promise<Outcome[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  const file = join(scratch, 'outcomes.json');
  const mark = { name: 'HOLDFAST_TEST_RUN', value: `${process.pid}-${Date.now()}` };
  try {
    const args = [VITEST, 'run', '--reporter=default', `--reporter=${join(ROOT, 'tools', 'outcomeReporter.ts')}`, ...filters];
    const ran = await run(process.execPath, args, {
      cwd: ROOT,
      timeoutMs,
      stream: true,
      env: { HOLDFAST_TEST_OUTCOMES: file, [mark.name]: mark.value },
    });
    const left = await endMarked(mark.name, mark.value);
    if (left > 0) console.log(`ended ${left} processes that the tests had left running`);
    const outcomes = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Outcome[] : [];
    return withRunner(outcomes, ran);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  process.once('exit', killGroups);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(130));
  process.exitCode = await main(process.argv.slice(2)) ? 0 : 1;
}
