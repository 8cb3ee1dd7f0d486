import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePorts } from './freePorts.ts';
import { startProcess, waitUntil, type ServerProcess } from './startProcess.ts';

const run = promisify(execFile);

/** Where Debian puts the server's programs, newest first. */
export const POSTGRES_PLACES = ['18', '17', '16', '15'].map((version) => `/usr/lib/postgresql/${version}/bin`);
const PASSWORD = 'test-password-of-postgres';
const START_MS = 60_000;

/** A PostgreSQL server as an operator would bring it: reached over TCP, with a password. */
export interface PostgresServer {
  /** Makes an empty database and gives its address. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts the system's PostgreSQL in a folder of its own, on a free loopback port. Needs the Debian package postgresql. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = POSTGRES_PLACES.find((place) => existsSync(join(place, 'initdb')));
  if (programs === undefined) throw new Error('no PostgreSQL on this machine; "npm test" installs it');
  const directory = await mkdtemp(join(tmpdir(), 'postgres-'));
  const ids = idsOfServer();
  if (ids !== undefined) await chown(directory, ids.uid, ids.gid);
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, `${PASSWORD}\n`);
  const data = join(directory, 'data');
  await run(join(programs, 'initdb'), ['-D', data, '-U', 'operator', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--locale=C', '--encoding=UTF8', '--no-sync'],
    { ...ids, cwd: directory, timeout: START_MS });
  const [port = 0] = await freePorts(1);
  const args = ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${directory}`, '-c', 'fsync=off'];
  const server = startServer(join(programs, 'postgres'), args, ids);
  const url = (name: string): string => `postgresql://operator:${PASSWORD}@127.0.0.1:${port}/${name}`;
  const query = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: url('postgres') });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await waitUntil(() => query('select 1').then(() => true, () => false), () => `PostgreSQL did not start: ${server.output()}`, START_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async createDatabase(name) {
      await query(`create database "${name}"`);
      return url(name);
    },
    stop,
  };
}

/** PostgreSQL does not run as root. */
function startServer(program: string, args: readonly string[], ids: { uid: number; gid: number } | undefined): ServerProcess {
  return ids === undefined
    ? startProcess(program, args)
    : startProcess('setpriv', [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, '--clear-groups', '--', program, ...args]);
}

function idsOfServer(): { uid: number; gid: number } | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const found = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  return { uid: Number(found?.[2]), gid: Number(found?.[3]) };
}
