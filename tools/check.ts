/** Everything that is found without running the product: types, lint, borders, dead code, links. Run: `npm run check` */
import { dirname, join } from 'node:path';
import { killGroups, run } from './childProcess.ts';
import type { Outcome } from './testOutcome.ts';

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const STEP_TIMEOUT_MS = 180_000;
const ROOT = dirname(import.meta.dirname);
const PACKAGED = join(ROOT, 'node_modules', '.bin');

const STEPS: readonly Step[] = [
  { name: 'types', command: join(PACKAGED, 'tsc'), args: ['-p', 'tsconfig.json'] },
  { name: 'lint', command: join(PACKAGED, 'oxlint'), args: ['src', 'simulators', 'tests', 'tools', 'vitest.config.ts'] },
  tool('boundaries'),
  tool('words'),
  tool('sizes'),
  { name: 'dead code', command: join(PACKAGED, 'knip'), args: ['--no-progress'] },
  tool('docLinks'),
  tool('lock'),
];

/** Runs every step, also after one has failed, and shows the output of those that fail. */
export async function runChecks(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of STEPS) {
    const started = performance.now();
    const { code, timedOut, output } = await run(step.command, step.args, { cwd: ROOT, timeoutMs: STEP_TIMEOUT_MS });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const passed = code === 0;
    if (!passed || output.includes('warning')) process.stdout.write(output);
    console.log(`${passed ? 'ok' : 'FAILED'}: check: ${step.name} (${seconds} s)`);
    const reason = timedOut ? `it took over ${STEP_TIMEOUT_MS / 1000} s` : `exit code ${code ?? 'none'}`;
    outcomes.push({ name: `check: ${step.name}`, state: passed ? 'passed' : 'failed', reason: passed ? '' : reason });
  }
  return outcomes;
}

function tool(name: string): Step {
  return { name, command: process.execPath, args: [join(ROOT, 'tools', `${name}.ts`)] };
}

if (import.meta.main) {
  process.once('exit', killGroups);
  const outcomes = await runChecks();
  if (outcomes.some(({ state }) => state === 'failed')) process.exitCode = 1;
}
