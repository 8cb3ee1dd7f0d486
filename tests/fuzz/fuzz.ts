/** `bin/node tests/fuzz/fuzz.ts NAME [SEED NUMBER | FILE]`: feeds one parser with one input, to look at a find. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { findWith } from './fuzzCase.ts';
import { fuzzTarget } from './fuzzTargets.ts';
import type { FuzzOrder, FuzzReport } from './fuzzWorker.ts';
import { inputOf } from './mutate.ts';

/** One input may take so long, also on a machine that is busy with other things. */
const HANG_MS = 30_000;
const FOUND = process.env['HOLDFAST_FUZZ_FOUND'] ?? join(tmpdir(), 'holdfast-fuzz-found');

export interface FuzzResult {
  /** Cases by target. */
  readonly cases: ReadonlyMap<string, number>;
  /** What went wrong, with how to see it again. */
  readonly finds: readonly string[];
}

/** Feeds each target for `time` milliseconds of its thread's work. A find ends its target; a hang ends its thread, and another goes on with the next target. */
export async function fuzz(names: readonly string[], seed: number, time: number, hangMs = HANG_MS): Promise<FuzzResult> {
  const cases = new Map<string, number>();
  const finds: string[] = [];
  const run: FuzzRun = { seed, time, hangMs, cases, finds };
  for (let left = names; left.length > 0;) left = left.slice(await runWorker(left, run));
  return { cases, finds };
}

interface FuzzRun {
  readonly seed: number;
  readonly time: number;
  readonly hangMs: number;
  readonly cases: Map<string, number>;
  readonly finds: string[];
}

/** @returns how many targets are dealt with. */
function runWorker(names: readonly string[], { seed, time, hangMs, cases, finds }: FuzzRun): Promise<number> {
  const shared = new SharedArrayBuffer(8);
  const progress = new Int32Array(shared);
  progress[1] = -1;
  const order: FuzzOrder = { names, seed, time, progress: shared };
  const worker = new Worker(new URL('./fuzzWorker.ts', import.meta.url), { workerData: order, resourceLimits: { maxOldGenerationSizeMb: 256 } });
  worker.on('message', (report: FuzzReport) => {
    if (report.kind === 'done') cases.set(report.name, report.cases);
    else finds.push(keep(report.name, seed, report.number, report.what, report.input));
  });
  return new Promise((resolve) => {
    let last = '';
    let since = performance.now();
    const stopAt = (what: string): void => {
      const name = names[progress[0] ?? 0] ?? '';
      const number = Math.max(0, progress[1] ?? 0);
      finds.push(keep(name, seed, number, what, inputOf(fuzzTarget(name), seed, number)));
    };
    const watch = setInterval(() => {
      const now = `${progress[0]}/${progress[1]}`;
      if (now !== last || progress[1] === -1) since = performance.now();
      last = now;
      if (performance.now() - since < hangMs) return;
      stopAt(`it hangs: more than ${hangMs / 1000} s`);
      end((progress[0] ?? 0) + 1);
      worker.terminate().catch((error: unknown) => finds.push(String(error)));
    }, 500);
    const end = (done: number): void => {
      clearInterval(watch);
      worker.removeAllListeners('error');
      worker.removeAllListeners('exit');
      resolve(done);
    };
    worker.on('error', (error) => {
      stopAt(`it ends the thread: ${error instanceof Error ? error.message : String(error)}`);
      end((progress[0] ?? 0) + 1);
    });
    worker.on('exit', () => end(names.length));
  });
}

/** Writes the input down. @returns what to print. */
function keep(name: string, seed: number, number: number, what: string, input: Uint8Array): string {
  mkdirSync(FOUND, { recursive: true });
  const path = join(FOUND, `${name}-${seed}-${number}.bin`);
  writeFileSync(path, input);
  return `${name}, seed ${seed}, case ${number}: ${what}\n  smallest input (${input.length} bytes): ${path}\n`
    + `  again: bin/node tests/fuzz/fuzz.ts ${name} ${path}; when mended, keep it as tests/fuzz/cases/${name}/<what>.bin`;
}

if (import.meta.main) {
  const [name = '', source = '', number] = process.argv.slice(2);
  const target = fuzzTarget(name);
  const input = number === undefined ? readFileSync(source) : inputOf(target, Number(source), Number(number));
  process.stdout.write(`${await findWith(target, input) ?? 'nothing'}\n`);
}
