import { isHoldfastError } from '../../domain/index.ts';
import { retry, systemRandom } from '../../runtime/index.ts';
import type { ImapConnection } from './imapConnection.ts';

interface Waiter {
  readonly go: () => void;
}

/**
 * Up to `limit` connections, opened when needed. A server that refuses one more while others stand lowers the limit
 * for the rest of the session.
 */
export class ConnectionPool {
  readonly #connect: (signal: AbortSignal) => Promise<ImapConnection>;
  readonly #idle: ImapConnection[] = [];
  readonly #busy = new Set<ImapConnection>();
  readonly #waiting: Waiter[] = [];
  #opening = 0;
  #limit: number;
  #closed = false;

  constructor(connect: (signal: AbortSignal) => Promise<ImapConnection>, limit: number) {
    this.#connect = connect;
    this.#limit = limit;
  }

  /** Connections that may be used at once, as far as is known. */
  get limit(): number {
    return this.#limit;
  }

  /** Lends a connection, best one that has `path` open, for as long as `work` runs. */
  async use<T>(
    path: string | undefined, signal: AbortSignal, work: (connection: ImapConnection) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#take(path, signal);
    try {
      return await work(connection);
    } finally {
      this.#busy.delete(connection);
      if (this.#closed) connection.close();
      else if (connection.alive) this.#idle.push(connection);
      this.#waiting.shift()?.go();
    }
  }

  /** As {@link use}, and again on another connection when one breaks; for work that may be done twice. */
  async useAgain<T>(
    path: string | undefined, signal: AbortSignal, work: (connection: ImapConnection) => Promise<T>,
  ): Promise<T> {
    return await retry(async () => await this.use(path, signal, work),
      { random: systemRandom, attempts: 4, firstDelayMs: 250, signal });
  }

  async #take(path: string | undefined, signal: AbortSignal): Promise<ImapConnection> {
    for (;;) {
      signal.throwIfAborted();
      const lent = this.#takeIdle(path);
      if (lent !== undefined) return lent;
      if (this.#busy.size + this.#opening < this.#limit) {
        const opened = await this.#open(signal);
        if (opened !== undefined) return opened;
      }
      await this.#wait(signal);
    }
  }

  #takeIdle(path: string | undefined): ImapConnection | undefined {
    for (let i = this.#idle.length - 1; i >= 0; i--) {
      if (this.#idle[i]?.alive !== true) this.#idle.splice(i, 1);
    }
    const same = this.#idle.findIndex((connection) => connection.selected?.path === path);
    const [connection] = this.#idle.splice(Math.max(same, 0), 1);
    if (connection !== undefined) this.#busy.add(connection);
    return connection;
  }

  /** undefined: the server gives no more than what is open. */
  async #open(signal: AbortSignal): Promise<ImapConnection | undefined> {
    this.#opening++;
    try {
      const connection = await retry(async () => await this.#connectOrShare(signal),
        { random: systemRandom, attempts: 4, firstDelayMs: 250, signal });
      if (connection !== undefined) this.#busy.add(connection);
      return connection;
    } catch (error) {
      this.#waiting.shift()?.go();
      throw error;
    } finally {
      this.#opening--;
    }
  }

  /** Some servers say that there are too many connections, others just hang up: while one stands, it has to do. */
  async #connectOrShare(signal: AbortSignal): Promise<ImapConnection | undefined> {
    try {
      return await this.#connect(signal);
    } catch (error) {
      const others = [...this.#busy, ...this.#idle].filter((connection) => connection.alive).length;
      if (others === 0 || !isHoldfastError(error) || error.retryClass !== 'retry') throw error;
      this.#limit = others;
      return undefined;
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#idle.length > 0) return;
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        go: (): void => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const connection of this.#busy) connection.close();
    await Promise.all(this.#idle.splice(0).map((connection) => connection.logout()));
  }
}
