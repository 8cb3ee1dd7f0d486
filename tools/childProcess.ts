import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';

export interface Ran {
  /** undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly timedOut: boolean;
  /** stdout and stderr as they came; empty with `stream`. */
  readonly output: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Shows the output as it comes, instead of gathering it. */
  readonly stream?: boolean;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Between asking a group to end and ending it. */
const GRACE_MS = 5_000;

const groups = new Set<number>();

/**
 * Runs a command in a process group of its own, under this process's Node, and ends the whole group when the command
 * has ended or its time is over. Never throws for what the command does; a command that cannot be started gives code 127.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    detached: true,
    stdio: options.stream === true ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` },
  });
  const group = child.pid;
  if (group !== undefined) groups.add(group);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  let timedOut = false;
  const timers = [setTimeout(() => {
    timedOut = true;
    signalGroup(group, 'SIGTERM');
    timers.push(setTimeout(() => signalGroup(group, 'SIGKILL'), GRACE_MS));
  }, options.timeoutMs)];
  const code = await new Promise<number | undefined>((resolve) => {
    child.once('error', (error) => {
      chunks.push(Buffer.from(`${command}: ${error.message}\n`));
      resolve(127);
    });
    child.once('exit', (exitCode) => resolve(exitCode ?? undefined));
  });
  for (const timer of timers) clearTimeout(timer);
  await endGroup(group);
  return { code, timedOut, output: Buffer.concat(chunks).toString('utf8') };
}

/** Ends every group that is still running; for a process that must end at once. */
export function killGroups(): void {
  for (const group of groups) signalGroup(group, 'SIGKILL');
}

/**
 * Ends what the started programs left behind outside of their groups (servers that make themselves daemons): every
 * process whose environment holds `name=value`. Linux only; elsewhere 0. Tells how many there were.
 */
export async function endMarked(name: string, value: string): Promise<number> {
  const first = markedProcesses(name, value);
  for (const pid of first) signal(pid, 'SIGTERM');
  const until = performance.now() + GRACE_MS;
  while (performance.now() < until && markedProcesses(name, value).length > 0) await pause(50);
  for (const pid of markedProcesses(name, value)) signal(pid, 'SIGKILL');
  return first.length;
}

function markedProcesses(name: string, value: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${name}=${value}`);
    } catch {
      return false; // it ended meanwhile, or is another user's
    }
  });
}

/** The group lives on while any of its processes does, after its leader too. */
async function endGroup(group: number | undefined): Promise<void> {
  if (group === undefined) return;
  if (signalGroup(group, 'SIGTERM')) {
    const until = performance.now() + GRACE_MS;
    while (performance.now() < until && signalGroup(group, 0)) await pause(20);
    signalGroup(group, 'SIGKILL');
  }
  groups.delete(group);
}

function signalGroup(group: number | undefined, name: NodeJS.Signals | 0): boolean {
  return group !== undefined && signal(-group, name);
}

/** Whether there was something to signal. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false; // ESRCH: it has ended
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
