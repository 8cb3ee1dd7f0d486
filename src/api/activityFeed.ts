import { AUDIT_CHANNEL, auditEntry } from '../accounts/index.ts';
import { listen, type Database, type Listening } from '../database/index.ts';
import type { Logger } from '../runtime/index.ts';
import { messageOf } from '../domain/index.ts';
import type { ActivityEvent } from './contract/index.ts';
import { auditDocument } from './present.ts';

/** Events that wait for one slow reader; beyond that it is told that some are missing. */
const MOST_WAITING = 200;

interface Reader {
  readonly waiting: ActivityEvent[];
  wake: () => void;
}

/** Tells readers of this process what any process notes, account by account. One connection to the database, one question an event. */
export class ActivityFeed {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #readers = new Map<string, Set<Reader>>();
  #listening: Listening | undefined;
  /** Events keep their order although each is read from the database. */
  #work: Promise<void> = Promise.resolve();

  private constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#log = log;
  }

  static async open(database: Database, log: Logger): Promise<ActivityFeed> {
    const feed = new ActivityFeed(database, log);
    feed.#listening = await listen(database, AUDIT_CHANNEL, {
      onMessage: (payload) => feed.#hear(payload),
      onGap: () => feed.#tellAll({ type: 'gap' }),
      onTrouble: (message) => log.warn('activity feed', { message }),
    });
    return feed;
  }

  /** Readers that there are now. */
  get readers(): number {
    return [...this.#readers.values()].reduce((sum, readers) => sum + readers.size, 0);
  }

  /** What happens in the account, until `signal` is aborted. A gap comes first: what was before is in the lists. */
  async *follow(accountId: string, signal: AbortSignal): AsyncGenerator<ActivityEvent, void, void> {
    const reader: Reader = { waiting: [{ type: 'gap' }], wake: () => undefined };
    const readers = this.#readers.get(accountId) ?? new Set();
    this.#readers.set(accountId, readers.add(reader));
    const stop = (): void => reader.wake();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted) {
        const event = reader.waiting.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => { reader.wake = resolve; });
      }
    } finally {
      signal.removeEventListener('abort', stop);
      readers.delete(reader);
      if (readers.size === 0) this.#readers.delete(accountId);
    }
  }

  async close(): Promise<void> {
    await this.#listening?.close();
    await this.#work;
  }

  #hear(payload: string): void {
    const { accountId, seq } = JSON.parse(payload) as { accountId: string; seq: number };
    if (!this.#readers.has(accountId)) return;
    this.#work = this.#work.then(() => this.#fetch(accountId, seq)).catch((error: unknown) => {
      this.#log.warn('activity feed', { message: messageOf(error) });
      this.#tell(accountId, { type: 'gap' });
    });
  }

  async #fetch(accountId: string, seq: number): Promise<void> {
    const entry = await auditEntry({ database: this.#database }, accountId, seq);
    if (entry !== undefined) this.#tell(accountId, { type: 'audit', entry: auditDocument(entry) });
  }

  #tellAll(event: ActivityEvent): void {
    for (const accountId of this.#readers.keys()) this.#tell(accountId, event);
  }

  #tell(accountId: string, event: ActivityEvent): void {
    for (const { waiting, wake } of this.#readers.get(accountId) ?? []) {
      if (waiting.length < MOST_WAITING) waiting.push(event);
      else waiting.splice(0, waiting.length, { type: 'gap' });
      wake();
    }
  }
}
