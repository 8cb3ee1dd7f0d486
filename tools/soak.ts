/**
 * `npm run soak [-- NAME…] [--seed N [--resume]]`: runs the programs under tests/soak at the full sizes that the issues name, one
 * after another, and appends seed, commit, date, machine and result of each to docs/benchmarks.md. A program of several parts is NAME for all or
 * NAME/PART for one; with --resume those are left out that were recorded with this seed and did not fail.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { filesUnder } from './modules.ts';

/** What a file tests/soak/<name>.soak.ts exports as `soak`. It throws when what it shows does not hold. */
export interface Soak {
  readonly name: string;
  /** What it consists of, where it is too long for one sitting: each is a run and a record of its own. */
  readonly parts?: readonly string[];
  /** Gives what was shown, in one line. `part`: one of `parts`, '' where there are none. */
  run(options: { readonly seed: number; readonly part: string }): Promise<string>;
}

export interface SoakRecord {
  readonly name: string;
  readonly seed: number;
  readonly commit: string;
  readonly date: string;
  readonly machine: string;
  readonly result: string;
}

const ROOT = dirname(import.meta.dirname);
const RESULTS = join(ROOT, 'docs', 'benchmarks.md');
const HEADING = '## Soak runs';
const TABLE = `${HEADING}\n\n| date | name | seed | commit | machine | result |\n|---|---|---|---|---|---|\n`;

/** The text with one row more at the end of its table of soak runs, which is made at the end of the text where there is none. */
export function withRecord(text: string, record: SoakRecord): string {
  const cells = [record.date, record.name, record.seed, record.commit, record.machine, record.result];
  const row = `| ${cells.map((cell) => String(cell).replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')).join(' | ')} |\n`;
  const start = text.indexOf(`${HEADING}\n`);
  if (start < 0) return `${text === '' ? '' : `${text.trimEnd()}\n\n`}${TABLE}${row}`;
  const next = text.indexOf('\n## ', start + HEADING.length);
  const section = next < 0 ? text.slice(start) : text.slice(start, next + 1);
  const rest = next < 0 ? '' : text.slice(next);
  return `${text.slice(0, start)}${section.trimEnd()}\n${row}${rest}`;
}

/** Whether the text has a record of that name and seed that is no failure. */
export function hasRecord(text: string, name: string, seed: number): boolean {
  const [, section = ''] = text.split(`${HEADING}\n`);
  return section.split('\n').some((line) => {
    const [, rowName, rowSeed, , , result = ''] = line.split(' | ');
    return rowName === name && rowSeed === String(seed) && !result.startsWith('FAILED');
  });
}

/** One thing to run. */
interface SoakJob {
  readonly name: string;
  readonly soak: Soak;
  readonly part: string;
}

/** All that `names` mean, all there is where they are none. */
export function jobsOf(soaks: readonly Soak[], names: readonly string[]): SoakJob[] {
  const all = soaks.flatMap((soak) => (soak.parts ?? ['']).map((part): SoakJob => ({ name: part === '' ? soak.name : `${soak.name}/${part}`, soak, part })));
  const unknown = names.filter((name) => !all.some((job) => job.name === name || job.soak.name === name));
  const known = [...soaks.map(({ name }) => name), ...all.map(({ name }) => name).filter((name) => name.includes('/'))].join(', ');
  if (unknown.length > 0 || all.length === 0) throw new Error(`no soak named ${unknown.join(', ')}; there are: ${known || 'none'}`);
  return all.filter((job) => names.length === 0 || names.includes(job.name) || names.includes(job.soak.name));
}

async function loadSoaks(): Promise<Soak[]> {
  const soaks: Soak[] = [];
  for (const path of filesUnder(ROOT, ['tests/soak'], '.soak.ts')) {
    const module = await import(pathToFileURL(join(ROOT, path)).href) as { soak?: Soak };
    if (module.soak === undefined) throw new Error(`${path} exports no "soak"`);
    soaks.push(module.soak);
  }
  return soaks;
}

function record(name: string, seed: number, result: string): void {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'tests', 'package-lock.json') === '' ? '' : '+changes';
  const text = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : '# Benchmarks\n';
  writeFileSync(RESULTS, withRecord(text, {
    name,
    seed,
    commit: `${git('rev-parse', '--short', 'HEAD')}${changed}`,
    date: new Date().toISOString().slice(0, 10),
    machine: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    result,
  }));
}

async function runSoaks(jobs: readonly SoakJob[], seed: number): Promise<boolean> {
  let good = true;
  for (const { name, soak, part } of jobs) {
    console.log(`${name}: seed ${seed}`);
    const started = performance.now();
    const result = await soak.run({ seed, part }).catch((error: unknown) => {
      good = false;
      console.error(error);
      return `FAILED: ${error instanceof Error ? error.message : String(error)}`;
    });
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`${name}: ${result} (${seconds} s)`);
    record(name, seed, `${result} (${seconds} s)`);
  }
  return good;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({ options: { seed: { type: 'string' }, resume: { type: 'boolean' } }, allowPositionals: true });
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed takes a whole number, not ${values.seed}`);
  if (values.resume === true && values.seed === undefined) throw new Error('--resume goes on with the run of a seed: say which with --seed');
  const recorded = values.resume === true && existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : '';
  const jobs = jobsOf(await loadSoaks(), positionals).filter(({ name }) => !hasRecord(recorded, name, seed));
  process.exitCode = await runSoaks(jobs, seed) ? 0 : 1;
}
