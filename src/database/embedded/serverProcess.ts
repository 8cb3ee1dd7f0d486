import { spawn } from 'node:child_process';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, messageOf } from '../../domain/index.ts';
import { sleep } from '../../runtime/index.ts';
import { idsOf, PROGRAM_SURROUNDINGS } from './initialiseServer.ts';
import { readPidFile } from './pidFile.ts';
import { isAlive, SOCKET_PORT } from './runningServer.ts';
import type { ServerLayout } from './serverLayout.ts';
import type { ServerUser } from './serverUser.ts';

/** After a crash the server reads its journal before it takes connections. */
const START_MS = 10 * 60_000;
const FAST_STOP_MS = 60_000;
const IMMEDIATE_STOP_MS = 20_000;
const POLL_MS = 25;
const MOST_LOG_BYTES = 4_096;

/** Told on the command line, so that a folder of an earlier version is not left with its old settings. */
function settings(socketFolder: string): string[] {
  return Object.entries({
    listen_addresses: '', port: String(SOCKET_PORT), unix_socket_directories: socketFolder, unix_socket_permissions: '0700',
    max_connections: '100', timezone: 'UTC', log_timezone: 'UTC', jit: 'off',
    // A file a day, a week of them. No statement and no value gets into a log: they may be secrets or content.
    logging_collector: 'on', log_filename: 'postgresql-%a.log', log_rotation_age: '1d', log_rotation_size: '0', log_truncate_on_rotation: 'on',
    log_min_error_statement: 'panic', log_parameter_max_length: '0', log_parameter_max_length_on_error: '0', log_error_verbosity: 'terse',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/**
 * Starts a server on the layout's data and waits until it takes connections. It is a process group and session of its
 * own: a Ctrl-C in the terminal reaches the service alone, which stops it in order.
 * Errors: `database/start-failed`; with class `retry` where another one is on the same data at the moment.
 */
export async function startServer(
  layout: ServerLayout, program: string, socketFolder: string, user: ServerUser | undefined, signal: AbortSignal,
): Promise<number> {
  const log = await open(layout.startLog, 'w', 0o600);
  let ended: string | undefined;
  let pid: number | undefined;
  try {
    const child = spawn(join(program, 'bin', 'postgres'), ['-D', layout.data, ...settings(socketFolder)], {
      ...PROGRAM_SURROUNDINGS, ...idsOf(user), detached: true, stdio: ['ignore', log.fd, log.fd],
    });
    child.once('error', (error) => { ended = messageOf(error); });
    child.once('exit', (code, name) => { ended ??= `it ended with ${name ?? code}`; });
    child.unref();
    pid = child.pid;
  } finally {
    await log.close();
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
  for (;;) {
    if (ended !== undefined || pid === undefined) throw startFailed(ended ?? 'it could not be run', await lastWords(layout));
    const file = await readPidFile(layout.data);
    if (file?.pid === pid && file.ready) return pid;
    try {
      await sleep(POLL_MS, limit);
    } catch (error) {
      await stopServer(pid);
      throw signal.aborted ? error : startFailed('it took too long', '');
    }
  }
}

/** Ends a server in order; one that does not within a minute at once, which costs its next start a recovery. */
export async function stopServer(pid: number): Promise<void> {
  for (const [name, limitMs] of [['SIGINT', FAST_STOP_MS], ['SIGQUIT', IMMEDIATE_STOP_MS]] as const) {
    if (!signalServer(pid, name) || await endsWithin(pid, limitMs)) return;
  }
  throw new HoldfastError('database/does-not-stop', 'retry', `PostgreSQL (process ${pid}) does not stop. Look at it, and end it with: kill -QUIT ${pid}`,
    { data: { pid } });
}

/** False where it is gone already. */
function signalServer(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

async function endsWithin(pid: number, limitMs: number): Promise<boolean> {
  const limit = AbortSignal.timeout(limitMs);
  while (isAlive(pid)) {
    if (limit.aborted) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** What it said before its own log was open, and the end of that log. */
async function lastWords({ startLog, data }: ServerLayout): Promise<string> {
  const folder = join(data, 'log');
  const names = await readdir(folder).catch(() => []);
  const files = await Promise.all(names.map(async (name) => ({ path: join(folder, name), time: (await stat(join(folder, name))).mtimeMs })));
  const newest = files.toSorted((a, b) => b.time - a.time)[0];
  return `${await readFile(startLog, 'utf8')}\n${newest === undefined ? '' : await endOf(newest.path)}`;
}

async function endOf(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const length = Math.min(size, MOST_LOG_BYTES);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('utf8');
}

/** Others on the same data: one that came first, or backends that outlive a killed server for a moment. */
const OTHERS = /lock file "postmaster\.pid" already exists|pre-existing shared memory block|lock file ".*" already exists/;

function startFailed(how: string, log: string): HoldfastError {
  const said = log.trim().split('\n').slice(-5).join(' | ').slice(-800);
  const others = OTHERS.test(log);
  return new HoldfastError('database/start-failed', others ? 'retry' : 'input',
    `PostgreSQL did not start: ${how}${said === '' ? '' : ` (${said})`}. Its log is in the folder of its data, below HOLDFAST_DATA.`);
}
