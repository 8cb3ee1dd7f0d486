import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import type { ClientConfig, Pool } from 'pg';
import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { retry, systemRandom } from '../runtime/index.ts';
import { joinEmbeddedServer, type DatabaseNotice, type EmbeddedServer } from './embedded/embeddedServer.ts';
import { migrate } from './migrate.ts';
import { makePool, parseDatabaseUrl, unreachable } from './pool.ts';
import type { Tables } from './tables.ts';

/** The one handle on PostgreSQL, wherever it is. */
export interface Database {
  /** Typed questions. Columns have camel case here and snake case in the database. */
  readonly query: Kysely<Tables>;
  /** For libraries that bring their own questions. */
  readonly pool: Pool;
  /** For a connection apart from the pool. */
  readonly connection: ClientConfig;
  /** What it is, for messages; no secrets. */
  readonly name: string;
  readonly origin: 'embedded' | 'url';
  /** Ends all connections, and an embedded server that nobody else uses. */
  close(): Promise<void>;
}

/** Where the database is, and who hears of it. */
export interface OpenDatabaseOptions {
  /** Address of a PostgreSQL database; undefined: the embedded server. */
  readonly url: string | undefined;
  /** Holds the embedded server. */
  readonly dataDirectory: string;
  /** Where users of the machine are listed, if not in /etc/passwd. */
  readonly passwdFile?: string;
  readonly signal: AbortSignal;
  readonly onNotice?: (notice: DatabaseNotice) => void;
  /** The embedded server ended while it was in use. */
  readonly onLost?: (error: HoldfastError) => void;
  /** An idle connection broke; the pool opens another. */
  readonly onIdleError?: (error: Error) => void;
}

/** The oldest version that the tests run on. */
const OLDEST = 15;
const ATTEMPTS = 7;

/** Opens the database and brings its schema up to date. A server that is just starting is waited for, about ten seconds. Errors: `database/…`. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { url, onNotice = ignore, onLost = ignore, onIdleError = ignore } = options;
  const embedded = url === undefined ? await joinEmbeddedServer({ ...options, onNotice, onLost }) : undefined;
  try {
    const { connection, name } = embedded === undefined ? parseDatabaseUrl(url ?? '') : { connection: embedded.connection, name: 'the embedded database' };
    const pool = makePool(connection, onIdleError);
    try {
      await retry(() => mustBeNewEnough(pool, name), { random: systemRandom, attempts: ATTEMPTS, maxDelayMs: 3_000, signal: options.signal });
      await migrate(pool);
    } catch (error) {
      await pool.end();
      throw error;
    }
    return handle(pool, connection, name, embedded);
  } catch (error) {
    await embedded?.leave();
    throw error;
  }
}

function handle(pool: Pool, connection: ClientConfig, name: string, embedded: EmbeddedServer | undefined): Database {
  const query = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }), plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  const close = async (): Promise<void> => {
    try {
      await pool.end();
    } finally {
      await embedded?.leave();
    }
  };
  return { query, pool, connection, name, origin: embedded === undefined ? 'url' : 'embedded', close };
}

async function mustBeNewEnough(pool: Pool, name: string): Promise<void> {
  let version: number;
  try {
    const { rows } = await pool.query<{ version: string }>(`select current_setting('server_version_num') as version`);
    version = Math.floor(Number(rows[0]?.version) / 10_000);
  } catch (error) {
    throw isHoldfastError(error) ? error : unreachable(name, error);
  }
  if (version >= OLDEST) return;
  throw new HoldfastError('database/too-old', 'input', `The database ${name} is PostgreSQL ${version}; Holdfast needs ${OLDEST} or newer.`, { data: { version } });
}

function ignore(): void {}
