import { Client, Pool, types, type ClientConfig } from 'pg';
import { HoldfastError, messageOf } from '../domain/index.ts';

const INT8 = 20;
const NUMERIC = 1700;

const MOST_CONNECTIONS = 20;
const CONNECT_MS = 15_000;
/** No question of ours takes long: lists are pages, long work goes in batches. */
const STATEMENT_MS = 60_000;
const IDLE_IN_TRANSACTION_MS = 60_000;

/**
 * The driver gives int8 and numeric as text, since they may be larger than a number can be. Here they are numbers, and
 * one that is too large fails its query instead of losing digits.
 */
const PARSERS: ClientConfig['types'] = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if ((oid === INT8 || oid === NUMERIC) && format !== 'binary') return exactNumber;
    return types.getTypeParser(oid, format as 'text');
  }) as typeof types.getTypeParser,
};

function exactNumber(text: string): number {
  const value = Number(text);
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  throw new HoldfastError('database/number-too-large', 'never', `The database gave the number ${text}, which is too large. Please report it.`);
}

/** Errors of idle connections go to `onIdleError`: the pool has dropped that connection and opens another when it needs one. */
export function makePool(connection: ClientConfig, onIdleError: (error: Error) => void): Pool {
  const pool = new Pool({ ...clientConfig(connection), max: MOST_CONNECTIONS });
  pool.on('error', onIdleError);
  // The pool hears the errors of idle connections alone. One that breaks while it is used fails the question that is asked, which tells of it;
  // unheard, its event would end the process besides.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** As the pool's connections are, for one apart from it. */
export function clientConfig(connection: ClientConfig): ClientConfig {
  return {
    ...connection, types: PARSERS, application_name: 'holdfast', keepAlive: true, connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS, idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  };
}

/** Checks an address of PostgreSQL and gives it with its name for messages, in which no user and password stand. */
export function parseDatabaseUrl(url: string): { connection: ClientConfig; name: string } {
  const connection = { connectionString: url };
  try {
    const { protocol } = new URL(url);
    if (protocol !== 'postgres:' && protocol !== 'postgresql:') throw new Error('not PostgreSQL');
    const { host, port, database } = new Client(connection);
    return { connection, name: `${host}:${port}/${database ?? ''}` };
  } catch {
    // The reason may cite the address, and with it the password.
    throw new HoldfastError('database/bad-url', 'input',
      'DATABASE_URL is no address of a PostgreSQL database. It looks like postgresql://user:password@host:5432/database.');
  }
}

/** Why a server could not be reached, for a person. */
export function unreachable(name: string, cause: unknown): HoldfastError {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  // Wrong password, unknown role or database: no waiting helps.
  const wrong = code.startsWith('28') || code === '3D000' || code === '42501';
  return new HoldfastError('database/unreachable', wrong ? 'input' : 'retry',
    `The database ${name} cannot be used (${messageOf(cause)}). Check DATABASE_URL and that the server runs.`, { data: { code } });
}
