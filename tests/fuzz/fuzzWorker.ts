/** Feeds parsers; whoever started it watches how far it is, and ends it where one hangs. */
import { parentPort, workerData } from 'node:worker_threads';
import { releaseMemory } from '../../src/runtime/index.ts';
import { findWith, smaller } from './fuzzCase.ts';
import { fuzzTarget } from './fuzzTargets.ts';
import { inputOf } from './mutate.ts';

export interface FuzzOrder {
  readonly names: readonly string[];
  readonly seed: number;
  /** For each of them, in milliseconds of this thread's own work: other work on the machine takes nothing of it. */
  readonly time: number;
  /** Number of the target, number of the case: told before each; -1 before the first. */
  readonly progress: SharedArrayBuffer;
}

export type FuzzReport =
  | { readonly kind: 'done'; readonly name: string; readonly cases: number }
  | { readonly kind: 'found'; readonly name: string; readonly number: number; readonly what: string; readonly input: Uint8Array };

/** Looked at every so many cases, and at the end of each target. */
const MEMORY_EVERY = 256;
/** Bytes that a parser may leave behind over a whole run, or take at once, beyond what was there before it. */
const LEFT = 64 << 20;
const AT_ONCE = 256 << 20;

/** Inputs besides the samples that each target gets, however slow the machine is. */
const LEAST_MUTATED = 4;

const order = workerData as FuzzOrder;
const progress = new Int32Array(order.progress);
const tell = (report: FuzzReport): void => parentPort?.postMessage(report);

/** Milliseconds that this thread was at work. */
function worked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function held(): number {
  releaseMemory();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Without >>, which takes what lies above 2 GiB for less than nothing. */
function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

class MemoryWatch {
  readonly #held = held();
  readonly #peak = process.resourceUsage().maxRSS;

  look(): string | undefined {
    const peak = (process.resourceUsage().maxRSS - this.#peak) * 1024;
    if (peak > AT_ONCE) return `Error: memory rose by ${mib(peak)} MiB within the last ${MEMORY_EVERY} cases or before`;
    const now = held();
    return now - this.#held > LEFT ? `Error: ${mib(now - this.#held)} MiB stay behind` : undefined;
  }
}

for (const [place, name] of order.names.entries()) {
  const target = fuzzTarget(name);
  Atomics.store(progress, 1, -1);
  Atomics.store(progress, 0, place);
  const memory = new MemoryWatch();
  const until = worked() + order.time;
  const least = target.samples.length + LEAST_MUTATED;
  let number = 0;
  let what: string | undefined;
  for (; what === undefined && (number < least || worked() < until); number++) {
    Atomics.store(progress, 1, number);
    const input = inputOf(target, order.seed, number);
    what = await findWith(target, input, number < target.samples.length);
    if (what === undefined && number % MEMORY_EVERY === MEMORY_EVERY - 1) what = memory.look();
    if (what !== undefined) tell({ kind: 'found', name, number, what, input: await smaller(target, input, what) });
  }
  if (what === undefined) {
    what = memory.look();
    tell(what === undefined ? { kind: 'done', name, cases: number } : { kind: 'found', name, number, what, input: new Uint8Array() });
  }
}
