import { Client } from 'pg';
import { messageOf } from '../domain/index.ts';
import { sleep } from '../runtime/index.ts';
import type { Database } from './openDatabase.ts';
import { clientConfig } from './pool.ts';

/** A subscription to what other connections notify. */
export interface Listening {
  close(): Promise<void>;
}

/** Who hears of what. */
export interface ListenHandlers {
  readonly onMessage: (payload: string) => void;
  /** The connection was away for a moment: messages may be missing. */
  readonly onGap: () => void;
  readonly onTrouble: (message: string) => void;
}

const PAUSE_MS = 1_000;

/** Listens on a channel through a connection of its own, which is opened again whenever it breaks, until it is closed. */
export async function listen(database: Database, channel: string, handlers: ListenHandlers): Promise<Listening> {
  const closed = new AbortController();
  let client = await connect(database, channel, handlers);
  const work = (async () => {
    while (!closed.signal.aborted) {
      await ended(client, closed.signal);
      if (closed.signal.aborted) break;
      handlers.onGap();
      try {
        await sleep(PAUSE_MS, closed.signal);
        client = await connect(database, channel, handlers);
      } catch (error) {
        if (!closed.signal.aborted) handlers.onTrouble(`no connection to listen on: ${messageOf(error)}`);
      }
    }
  })();
  return {
    async close() {
      closed.abort();
      await work;
      await client.end();
    },
  };
}

const over = new WeakSet<Client>();

async function connect(database: Database, channel: string, { onMessage, onTrouble }: ListenHandlers): Promise<Client> {
  const client = new Client({ ...clientConfig(database.connection), statement_timeout: 0 });
  client.on('error', (error) => onTrouble(`the connection that listens broke: ${error.message}`));
  client.on('end', () => over.add(client));
  client.on('notification', ({ payload }) => onMessage(payload ?? ''));
  try {
    await client.connect();
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** When the connection has ended, or `signal` is aborted. */
function ended(client: Client, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      client.off('end', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    if (over.has(client) || signal.aborted) return resolve();
    client.once('end', done);
    signal.addEventListener('abort', done);
  });
}
