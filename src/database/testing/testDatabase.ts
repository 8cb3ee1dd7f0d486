import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copyReadyDatabase, databasesRoot } from '../../../tests/servers/readyDatabase.ts';
import { readPidFile } from '../embedded/pidFile.ts';
import { findRunningServer, isAlive } from '../embedded/runningServer.ts';
import { stopServer } from '../embedded/serverProcess.ts';
import { openDatabase, type Database, type OpenDatabaseOptions } from '../openDatabase.ts';
import type { DatabaseNotice } from '../embedded/embeddedServer.ts';

const MAJOR = '18';

/** A folder for an embedded database. Whatever runs on it is ended with it. */
export class DatabaseFolder implements AsyncDisposable {
  readonly path: string;
  readonly #children: ChildProcess[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<DatabaseFolder> {
    const path = await mkdtemp(join(databasesRoot(), 'holdfast-database-'));
    // Where the server runs as another user it goes through this folder, and another test's user makes its own in it.
    await chmod(path, 0o777);
    return new DatabaseFolder(path);
  }

  /** With a database that is made already, on which nothing runs: much quicker than making one. */
  static async ready(): Promise<DatabaseFolder> {
    const folder = await DatabaseFolder.make();
    await copyReadyDatabase(folder.path);
    // As above: that made it narrower.
    await chmod(folder.path, 0o777);
    return folder;
  }

  get data(): string {
    return join(this.path, 'postgres', MAJOR, 'data');
  }

  /** Process of the server, by its own note. */
  async serverPid(): Promise<number> {
    return (await readPidFile(this.data))?.pid ?? 0;
  }

  async open(options: Partial<OpenDatabaseOptions> = {}): Promise<{ database: Database; notices: DatabaseNotice[] }> {
    const notices: DatabaseNotice[] = [];
    const database = await openDatabase({
      url: undefined, dataDirectory: this.path, signal: new AbortController().signal, onNotice: (notice) => notices.push(notice), ...options,
    });
    return { database, notices };
  }

  /** Starts a process that uses the database. */
  start(options: { uid?: number; gid?: number; most?: number } = {}): DatabaseUser {
    const { most = 1_000_000, ...ids } = options;
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'databaseProcess.ts'), this.path, String(most)], {
      stdio: ['ignore', 'pipe', 'inherit'], ...ids, env: { ...process.env, NODE_COMPILE_CACHE: '' },
    });
    this.#children.push(child);
    return new DatabaseUser(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    const found = await findRunningServer(this.data);
    if (found.state === 'running') await stopServer(found.pid);
    await rm(this.path, { recursive: true, force: true });
  }
}

export interface Said {
  readonly notice?: DatabaseNotice;
  readonly ready?: { readonly pid: number; readonly role: string };
  readonly user?: number;
  readonly confirmed?: string;
  readonly closed?: boolean;
  readonly lost?: string;
}

/** A process of databaseProcess.ts. */
export class DatabaseUser {
  readonly child: ChildProcess;
  readonly said: Said[] = [];
  readonly ended: Promise<void>;

  constructor(child: ChildProcess) {
    this.child = child;
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.said.push(...lines.map((line) => JSON.parse(line) as Said));
    });
    this.ended = new Promise((resolve) => child.once('close', () => resolve()));
  }

  get codes(): string[] {
    return this.said.flatMap(({ notice }) => (notice === undefined ? [] : [notice.code]));
  }

  get confirmed(): string[] {
    return this.said.flatMap(({ confirmed }) => (confirmed === undefined ? [] : [confirmed]));
  }

  async killed(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

export { isAlive };
