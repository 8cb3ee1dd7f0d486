import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const OPTIONS = { maxBuffer: 1 << 28, timeout: 3_600_000 };

/** A mail as Python's readers see it. `cut`: of an mbox, the hash without its last byte; `line`: what its From line says. */
export interface ReadMail {
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
  readonly subject: string | null;
  readonly line?: string;
  readonly cut?: string;
}

export async function readMails(kind: 'mbox' | 'eml', files: readonly string[]): Promise<ReadMail[]> {
  const { stdout } = await run('python3', [join(import.meta.dirname, 'readExport.py'), kind, ...files], OPTIONS);
  return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as ReadMail);
}

/** Each file of a ZIP as Python's zipfile reads it. */
export async function readZip(file: string): Promise<Pick<ReadMail, 'file' | 'size' | 'sha256'>[]> {
  const { stdout } = await run('python3', [join(import.meta.dirname, 'readExport.py'), 'zip', file], OPTIONS);
  return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as ReadMail);
}

/** Whether three other programs find the ZIP sound; they throw where it is not. */
export async function testZip(file: string): Promise<void> {
  const { stdout } = await run('unzip', ['-tqq', file], OPTIONS);
  if (stdout !== '') throw new Error(stdout);
  const seen = (await run('7z', ['t', '-bd', file], OPTIONS)).stdout;
  if (!seen.includes('Everything is Ok') || /warning/i.test(seen)) throw new Error(seen);
  const told = (await run('python3', ['-m', 'zipfile', '-t', file], OPTIONS)).stdout;
  if (told.trim() !== 'Done testing') throw new Error(told);
}

/** Unpacks it with each of them into its own folder. */
export async function unpackZip(program: 'unzip' | '7z', file: string, to: string): Promise<void> {
  const environment = { ...process.env, LC_ALL: 'C.UTF-8' };
  if (program === 'unzip') await run('unzip', ['-q', '-o', file, '-d', to], { ...OPTIONS, env: environment });
  else await run('7z', ['x', '-bd', '-y', `-o${to}`, file], { ...OPTIONS, env: environment });
}

/** Relative paths of all files below a folder, sorted. */
export function filesBelow(top: string): string[] {
  return readdirSync(top, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => relative(top, join(entry.parentPath, entry.name))).sort();
}

export async function sha256Of(path: string): Promise<string> {
  const sum = createHash('sha256');
  for await (const piece of createReadStream(path)) sum.update(piece as Buffer);
  return sum.digest('hex');
}

export interface ManifestLine {
  readonly type: 'export' | 'item' | 'missing' | 'altered' | 'leftOut' | 'part' | 'end';
  readonly path: string;
  readonly file: string;
  readonly entry?: string;
  readonly offset?: number;
  readonly size: number;
  readonly sha256: string;
  readonly [field: string]: unknown;
}

export function readManifest(folder: string): ManifestLine[] {
  return readFileSync(join(folder, 'manifest.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as ManifestLine);
}
