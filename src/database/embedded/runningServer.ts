import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { HoldfastError } from '../../domain/index.ts';
import { readPidFile } from './pidFile.ts';

/** What the data folder tells of a server that may be running on it. */
export type Found =
  | { readonly state: 'none' }
  /** The pid file is left over; `because` is part of a sentence. */
  | { readonly state: 'stale'; readonly pid: number; readonly because: string }
  /** Proved to be a server on this very folder. */
  | { readonly state: 'running'; readonly pid: number; readonly program: string; readonly ready: boolean };

/** Port number of every embedded server. It listens on no port: the number only names its socket. */
export const SOCKET_PORT = 5432;
const SOCKET_ANSWER_MS = 5_000;

/**
 * Looks at the pid file of `dataFolder` and at the process that it names. A process is a server on this folder when its
 * command line says so; a process id alone proves nothing, since ids are used again. Before a file counts as left
 * over its socket must be dead too: the server may run where its process cannot be seen, in another container on the
 * same folder (`database/used-elsewhere`).
 */
export async function findRunningServer(dataFolder: string): Promise<Found> {
  const file = await readPidFile(dataFolder);
  if (file === undefined) return { state: 'none' };
  const { pid, ready, socketFolder } = file;
  const command = isAlive(pid) ? commandOf(pid) : undefined;
  if (command !== undefined && serves(command, dataFolder)) return { state: 'running', pid, program: command[0] ?? '', ready };
  if (socketFolder !== undefined && await answers(join(socketFolder, `.s.PGSQL.${SOCKET_PORT}`))) {
    throw new HoldfastError('database/used-elsewhere', 'input',
      `Another system (a container, perhaps) runs PostgreSQL on ${dataFolder}, as process ${pid} there. Stop it first: two servers on one folder destroy it.`,
      { data: { dataFolder, pid } });
  }
  const because = command === undefined ? `process ${pid} is gone` : `process ${pid} is another program by now`;
  return { state: 'stale', pid, because };
}

/** A process that has ended but was not waited for counts as gone. Not seeing into a process of another user does not. */
export function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return state !== 'Z' && state !== 'X';
  } catch {
    // No such process, or it ended while its file was read.
    return false;
  }
}

/** Processes that work in the data folder: those of a server outlive it for a moment when it is killed. */
export function processesIn(dataFolder: string): number[] {
  const folder = realPathOf(dataFolder);
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch {
      // It ended meanwhile, or is another user's and so none of a server that we could start.
      return false;
    }
  });
}

function commandOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    // As above.
    return undefined;
  }
}

function serves(command: readonly string[], dataFolder: string): boolean {
  const [program = '', ...args] = command;
  const folder = args[args.indexOf('-D') + 1];
  if (basename(program) !== 'postgres' || !args.includes('-D') || folder === undefined) return false;
  return realPathOf(folder) === realPathOf(dataFolder);
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A folder that is gone is at least itself.
    return path;
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const end = (answer: boolean): void => {
      connection.destroy();
      resolve(answer);
    };
    connection.setTimeout(SOCKET_ANSWER_MS, () => end(true));
    connection.once('connect', () => end(true));
    connection.once('error', () => end(false));
  });
}
