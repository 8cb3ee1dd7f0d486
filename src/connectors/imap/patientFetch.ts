import { isHoldfastError } from '../../domain/index.ts';
import { sleep } from '../../runtime/index.ts';
import type { ConnectionPool } from './connectionPool.ts';
import type { ImapConnection } from './imapConnection.ts';
import { isConnectionLoss } from './imapErrors.ts';

/** Failures in a row, with no message more, after which messages are asked for one by one; and after which one is given up. */
const ALONE_AFTER = 2;
const GIVE_UP_AFTER = 4;

export interface PatientFetch {
  readonly path: string;
  readonly signal: AbortSignal;
  /** UIDs still to be had; `fetch` and `giveUp` take out what is settled. */
  readonly remaining: { readonly size: number; keys(): Iterable<number> };
  fetch(connection: ImapConnection, batch: readonly number[]): Promise<void>;
  /** One message breaks every attempt. */
  giveUp(uid: number, error: Error): Promise<void>;
}

function isOfOneMessage(error: unknown): error is Error {
  return isConnectionLoss(error) || (isHoldfastError(error) && ['imap/refused', 'imap/busy'].includes(error.code));
}

/**
 * Gets messages although connections break and the server refuses some: Dovecot, for one, drops the connection at each
 * mail whose stored size is wrong. Goes on with what is left as long as something comes; then takes messages alone, so
 * that a bad one harms no other. Rejects when no connection can be had, and with errors that are not about messages.
 */
export async function fetchPatiently(pool: ConnectionPool, job: PatientFetch): Promise<void> {
  let failures = 0;
  while (job.remaining.size > 0) {
    const before = job.remaining.size;
    const all = [...job.remaining.keys()];
    const batch = failures < ALONE_AFTER ? all : all.slice(0, 1);
    let connected = false;
    try {
      await pool.use(job.path, job.signal, async (connection) => {
        connected = true;
        await job.fetch(connection, batch);
      });
      // What was asked for and is not settled by now never will be.
      if (job.remaining.size === before) return;
    } catch (error) {
      job.signal.throwIfAborted();
      if (!connected || !isOfOneMessage(error)) throw error;
      failures = job.remaining.size < before ? 1 : failures + 1;
      if (failures >= GIVE_UP_AFTER) {
        await job.giveUp(batch[0] ?? 0, error);
        // The next one may be as bad: it is tried alone at once.
        failures = ALONE_AFTER;
      } else await sleep(50 * 2 ** failures, job.signal);
    }
  }
}
