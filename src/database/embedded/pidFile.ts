import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What a server notes of itself in its data folder while it runs. */
export interface PidFile {
  readonly pid: number;
  /** Where its socket is; undefined before it has made it. */
  readonly socketFolder: string | undefined;
  /** It takes connections. */
  readonly ready: boolean;
}

const NAME = 'postmaster.pid';

/** undefined where there is none. One without a readable process id has the id 0. */
export async function readPidFile(dataFolder: string): Promise<PidFile | undefined> {
  let text: string;
  try {
    text = await readFile(join(dataFolder, NAME), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  // Lines: process, data folder, start time, port, socket folder, address, shared memory, state.
  const lines = text.split('\n').map((line) => line.trim());
  const pid = /^\d{1,10}$/.test(lines[0] ?? '') ? Number(lines[0]) : 0;
  return { pid, socketFolder: lines[4] || undefined, ready: lines[7] === 'ready' };
}

/** Only for a file that is proved to be nobody's. */
export async function removePidFile(dataFolder: string): Promise<void> {
  await rm(join(dataFolder, NAME), { force: true });
}
