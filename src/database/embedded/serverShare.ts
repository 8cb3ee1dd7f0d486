import { Client, type ClientConfig } from 'pg';

/** Any two numbers; nobody else is on this server. */
const LOCK = '4607, 1';
const CONNECT_MS = 30_000;

/**
 * One process's share in an embedded server: a connection that holds a lock while the process uses the server. The lock ends
 * with the process, however that ends. Whoever leaves last stops the server.
 */
export class ServerShare {
  /** Nobody else had a share when this one was taken: an earlier process left the server without stopping it. */
  readonly alone: boolean;
  readonly #client: Client;
  #leaving = false;
  #lost = false;

  private constructor(client: Client, alone: boolean) {
    this.#client = client;
    this.alone = alone;
  }

  /** Rejects with the driver's error; {@link mayPass} tells whether to try again. `onLost` is told when the connection breaks. */
  static async take(config: ClientConfig, onLost: (error: Error) => void): Promise<ServerShare> {
    const client = new Client({ ...config, connectionTimeoutMillis: CONNECT_MS, keepAlive: true, application_name: 'holdfast share' });
    let share: ServerShare | undefined;
    client.on('error', (error) => {
      if (share === undefined || share.#leaving || share.#lost) return;
      share.#lost = true;
      onLost(error);
    });
    try {
      await client.connect();
      // One that is stopping the server holds the lock alone until its connection breaks, and ours with it.
      await client.query(`set lock_timeout = '${CONNECT_MS}ms'`);
      const alone = await ask(client, `pg_try_advisory_lock(${LOCK})`);
      await client.query(`select pg_advisory_lock_shared(${LOCK})`);
      if (alone) await client.query(`select pg_advisory_unlock(${LOCK})`);
      share = new ServerShare(client, alone);
      return share;
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  /**
   * Gives the share back and calls `stop` where it was the last one: nobody gets a share until the server has stopped. A share whose
   * connection broke is gone already, and with it the say over the server.
   */
  async leave(stop: () => Promise<void>): Promise<void> {
    this.#leaving = true;
    try {
      if (this.#lost) return;
      await this.#client.query(`select pg_advisory_unlock_shared(${LOCK})`);
      if (await ask(this.#client, `pg_try_advisory_lock(${LOCK})`)) await stop();
    } finally {
      await this.#client.end();
    }
  }
}

/** Starting up, shutting down, gone meanwhile, or a lock that was not given in time. */
const PASSING = new Set(['57P01', '57P02', '57P03', '53300', '55P03', 'ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE']);

/** Whether the same call may succeed in a moment. */
export function mayPass(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return PASSING.has(code) || (error instanceof Error && /Connection terminated|timeout exceeded/.test(error.message));
}

async function ask(client: Client, expression: string): Promise<boolean> {
  const { rows } = await client.query<{ answer: boolean }>(`select ${expression} as answer`);
  return rows[0]?.answer === true;
}
