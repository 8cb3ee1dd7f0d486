import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openDatabase } from '../../src/database/index.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const MIGRATIONS = join(ROOT, 'src', 'database', 'migrations');
const OLD_MS = 24 * 3_600_000;
const MEMORY = '/dev/shm';
const ENOUGH_BYTES = 2 ** 31;

/**
 * Where databases of tests belong: in memory where there is plenty, since a database waits for the disk with everything it does, and a test for
 * whoever else writes there; else in the temporary folder.
 */
export function databasesRoot(): string {
  if (!existsSync(MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  const mount = readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' ')).find(([, place]) => place === MEMORY);
  // The server's program lies beside its data.
  return bavail * bsize >= ENOUGH_BYTES && mount !== undefined && !/\bnoexec\b/.test(mount[3] ?? '') ? MEMORY : tmpdir();
}

/**
 * Puts an embedded database with the whole schema, on which nothing runs, into `dataDirectory`: a copy of one that is made once for each
 * schema and version and stays where {@link databasesRoot} says. A tenth of the time that making one takes.
 */
export async function copyReadyDatabase(dataDirectory: string): Promise<void> {
  const from = await readyDatabase();
  const to = join(dataDirectory, 'postgres');
  await mkdir(to, { recursive: true });
  // Another user, as whom the server may run, goes through them.
  for (const folder of [dataDirectory, to]) await chmod(folder, 0o711);
  // The program is only read: links do, on the same file system.
  const near = (await stat(from)).dev === (await stat(to)).dev;
  for (const name of await readdir(from)) await run('cp', [near && name.startsWith('program-') ? '-al' : '-a', join(from, name), join(to, name)]);
}

/** Several tests at once may make it: one wins. */
async function readyDatabase(): Promise<string> {
  const folder = await ownFolder();
  const place = join(folder, await nameOf());
  if (existsSync(place)) return place;
  const made = await mkdtemp(join(folder, 'new-'));
  try {
    await chmod(made, 0o711);
    const database = await openDatabase({ url: undefined, dataDirectory: made, signal: new AbortController().signal });
    await database.close();
    await removeOld(folder);
    await rename(join(made, 'postgres'), place);
  } catch (error) {
    if (!existsSync(place)) throw error;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  return place;
}

/** Every user can go through it. Nobody else may have made it. */
async function ownFolder(): Promise<string> {
  const own = process.geteuid?.() ?? 0;
  const folder = join(databasesRoot(), `holdfast-test-databases-${own}`);
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== own) throw new Error(`${folder} belongs to somebody else`);
  await chmod(folder, 0o711);
  return folder;
}

/** Names the version of the server and the schema. */
async function nameOf(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify((JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { optionalDependencies: object }).optionalDependencies));
  for (const name of (await readdir(MIGRATIONS)).toSorted()) hash.update(name).update(await readFile(join(MIGRATIONS, name)));
  return `database-${hash.digest('hex').slice(0, 16)}`;
}

async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > OLD_MS) await rm(path, { recursive: true, force: true });
  }
}
