import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

/**
 * Runs a program of this checkout in a process of its own, with the memory settings that the launcher gives a backup
 * (bin/holdfast), and reads the JSON of each line that it prints.
 */
export async function runLines<T>(program: string, args: readonly string[], timeoutMs: number): Promise<T[]> {
  const flags = ['--disable-warning=ExperimentalWarning', '--min-semi-space-size=1', '--max-semi-space-size=1'];
  const { stdout } = await run(process.execPath, [...flags, join(ROOT, program), ...args], {
    env: { ...process.env, MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '67108864', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' },
    maxBuffer: 1 << 26, timeout: timeoutMs,
  });
  return stdout.trim().split('\n').map((line) => JSON.parse(line) as T);
}

/** As {@link runLines}, of the last line. */
export async function runNode<T>(program: string, args: readonly string[], timeoutMs: number): Promise<T> {
  const last = (await runLines<T>(program, args, timeoutMs)).at(-1);
  if (last === undefined) throw new Error(`${program} printed nothing`);
  return last;
}

/** A directory for large files under TMPDIR, gone afterwards. */
export async function inScratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-scale-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
