import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ClientConfig } from 'pg';
import { HoldfastError, isHoldfastError, messageOf } from '../../domain/index.ts';
import { sleep, systemRandom } from '../../runtime/index.ts';
import { initialiseServer, ROLE } from './initialiseServer.ts';
import { installPostgres } from './installPostgres.ts';
import { readPidFile, removePidFile } from './pidFile.ts';
import { findPostgresPackage } from './postgresPackage.ts';
import { findRunningServer, processesIn } from './runningServer.ts';
import { layoutOf, makeWayFor, ownerOf, socketFolderOf, type ServerLayout } from './serverLayout.ts';
import { startServer, stopServer } from './serverProcess.ts';
import { mayPass, ServerShare } from './serverShare.ts';
import { chooseServerUser, type ServerUser } from './serverUser.ts';

/** Something about the server that an operator should read. */
export interface DatabaseNotice {
  readonly code: 'database/stale-pid-file' | 'database/took-over' | 'database/restarted' | 'database/initialised' | 'database/started';
  readonly message: string;
}

/** Where the server is, and who hears of it. */
export interface EmbeddedOptions {
  /** Holds everything; made where it is missing. */
  readonly dataDirectory: string;
  /** Where users of the machine are listed. */
  readonly passwdFile?: string;
  readonly signal: AbortSignal;
  readonly onNotice: (notice: DatabaseNotice) => void;
  /** The server broke away while it was in use. */
  readonly onLost: (error: HoldfastError) => void;
}

/** A share in a server that runs. */
export interface EmbeddedServer {
  readonly connection: ClientConfig;
  /** Stops the server, unless another process uses it too. */
  leave(): Promise<void>;
}

interface Place {
  readonly layout: ServerLayout;
  readonly program: string;
  readonly user: ServerUser | undefined;
}

const ATTEMPTS = 8;
const FIRST_WAIT_MS = 100;
const STRAGGLE_MS = 60_000;
const STRAGGLE_POLL_MS = 50;

/**
 * Joins the server on `dataDirectory`: makes it, starts it, or uses one that runs already, left by a process that was
 * killed or shared with others. Errors: `database/…`.
 */
export async function joinEmbeddedServer(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const place = await prepare(options);
  for (let attempt = 1; ; attempt++) {
    try {
      return await joinOnce(place, options);
    } catch (error) {
      options.signal.throwIfAborted();
      const passes = mayPass(error) || (isHoldfastError(error) && error.retryClass === 'retry');
      if (passes && attempt < ATTEMPTS) await sleep(FIRST_WAIT_MS * 2 ** attempt, options.signal);
      else throw isHoldfastError(error) ? error : unusable(place, error);
    }
  }
}

async function prepare({ dataDirectory, passwdFile = '/etc/passwd', signal, onNotice }: EmbeddedOptions): Promise<Place> {
  const found = findPostgresPackage();
  const layout = layoutOf(dataDirectory, found.major);
  const owner = await ownerOf(layout.data);
  const user = chooseServerUser(process.geteuid?.(), await readFile(passwdFile, 'utf8'), owner);
  await makeWayFor(user, dataDirectory, layout.top);
  const program = await installPostgres(found, layout.top);
  if (owner === undefined) {
    await initialiseServer(layout, program, user, systemRandom, signal);
    onNotice({ code: 'database/initialised', message: `A database was made in ${layout.folder}.` });
  }
  return { layout, program, user };
}

async function joinOnce(place: Place, options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { layout, program, user } = place;
  const { signal, onNotice } = options;
  const found = await findRunningServer(layout.data);
  if (found.state === 'stale') {
    await waitForStragglers(layout.data, signal);
    await removePidFile(layout.data);
    onNotice({ code: 'database/stale-pid-file', message: `A pid file of PostgreSQL was left over (${found.because}); it was removed.` });
  }
  const pid = found.state === 'running' ? found.pid : await startServer(layout, program, await socketFolderOf(layout, user), user, signal);
  if (found.state !== 'running') onNotice({ code: 'database/started', message: `PostgreSQL was started (process ${pid}).` });
  const connection = await connectionOf(layout);
  const share = await ServerShare.take(connection, (error) => options.onLost(lost(error)));
  const leave = (): Promise<void> => share.leave(() => stopServer(pid));
  if (found.state !== 'running') return { connection, leave };
  if (share.alone && dirname(dirname(found.program)) !== program) {
    await leave();
    onNotice({ code: 'database/restarted', message: `PostgreSQL (process ${pid}) ran with another version; it is started again with this one.` });
    return joinOnce(place, options);
  }
  const message = share.alone
    ? `PostgreSQL (process ${pid}) was left running by a process that ended without stopping it; it is taken over.`
    : `PostgreSQL (process ${pid}) runs for another process already; it is used together.`;
  onNotice({ code: 'database/took-over', message });
  return { connection, leave };
}

/** While processes of a killed server are there, its data may still change. */
async function waitForStragglers(dataFolder: string, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(STRAGGLE_MS);
  for (let left = processesIn(dataFolder); left.length > 0; left = processesIn(dataFolder)) {
    if (limit.aborted) {
      throw new HoldfastError('database/stragglers', 'input',
        `Processes of a PostgreSQL that was killed are still at work in ${dataFolder} (${left.join(', ')}). Wait until they have ended, or end them.`, { data: { dataFolder } });
    }
    await sleep(STRAGGLE_POLL_MS, signal);
  }
}

/** From the pid file: a server that was started with other settings has its socket elsewhere. */
async function connectionOf({ data, passwordFile }: ServerLayout): Promise<ClientConfig> {
  const host = (await readPidFile(data))?.socketFolder;
  if (host === undefined) throw new HoldfastError('database/starting', 'retry', 'PostgreSQL has not opened its socket yet. Try again.');
  return { host, user: ROLE, password: (await readFile(passwordFile, 'utf8')).trim(), database: 'postgres' };
}

function lost(cause: Error): HoldfastError {
  return new HoldfastError('database/lost', 'retry', `The database broke away (${cause.message}). Start Holdfast again; nothing that was confirmed is lost.`, { cause });
}

function unusable({ layout }: Place, cause: unknown): HoldfastError {
  return new HoldfastError('database/unusable', 'input',
    `The database in ${layout.folder} cannot be used (${messageOf(cause)}). Its log is in ${join(layout.data, 'log')}.`, { cause });
}
