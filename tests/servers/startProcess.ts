import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

/** A server in a process group of its own. */
export interface ServerProcess {
  readonly child: ChildProcess;
  /** What it wrote to stdout and stderr so far (the last 64 KiB). */
  output(): string;
  /** Ends the whole group: SIGTERM, then SIGKILL after `graceMs`; resolves once the leader is gone. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts `command` as leader of its own process group, so that its workers end with it. */
export function startProcess(command: string, args: readonly string[]): ServerProcess {
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      text = (text + chunk).slice(-65536);
    });
  }
  let gone = false;
  const exit = new Promise<void>((resolve) => {
    const ended = (error?: unknown): void => {
      gone = true;
      if (error instanceof Error) text += error.message;
      resolve();
    };
    child.once('exit', () => ended());
    child.once('error', ended);
  });
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  return {
    child,
    output: () => text,
    async stop(graceMs = 5000) {
      signalGroup('SIGTERM');
      if (!gone) await Promise.race([exit, wait(graceMs, undefined, { ref: false })]);
      signalGroup('SIGKILL');
      await exit;
    },
  };
}

/** Calls `probe` until it gives true; throws with `describe()` after `limitMs`. */
export async function waitUntil(
  probe: () => Promise<boolean>,
  describe: () => string,
  limitMs = 20_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await probe())) {
    if (performance.now() > end) throw new Error(describe());
    await wait(50);
  }
}
