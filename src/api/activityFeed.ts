import { auditEntry, FEED_CHANNEL, findActivity, seesService } from '../accounts/index.ts';
import { listen, type Database, type Listening } from '../database/index.ts';
import type { Logger } from '../runtime/index.ts';
import { messageOf, type Viewer } from '../domain/index.ts';
import type { ActivityEvent } from './contract/index.ts';
import { activityDocument, auditDocument } from './present.ts';

/** Events that wait for one slow reader; beyond that it is told that some are missing. */
const MOST_WAITING = 200;

interface Reader {
  readonly viewer: Viewer;
  readonly waiting: ActivityEvent[];
  wake: () => void;
}

/** What was told through the database. */
type Heard = { readonly seq: number } | { readonly activity: string };

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
    feed.#listening = await listen(database, FEED_CHANNEL, {
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

  /** What happens in the viewer's account, as far as they may see it, until `signal` is aborted. A gap comes first: what was before is in the lists. */
  async *follow(viewer: Viewer, signal: AbortSignal): AsyncGenerator<ActivityEvent, void, void> {
    const { accountId } = viewer;
    const reader: Reader = { viewer, waiting: [{ type: 'gap' }], wake: () => undefined };
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
    const { accountId, ...what } = JSON.parse(payload) as Heard & { accountId: string };
    if (!this.#readers.has(accountId)) return;
    this.#work = this.#work.then(() => this.#fetch(accountId, what)).catch((error: unknown) => {
      this.#log.warn('activity feed', { message: messageOf(error) });
      this.#tell(accountId, { type: 'gap' });
    });
  }

  async #fetch(accountId: string, what: Heard): Promise<void> {
    const context = { database: this.#database };
    if ('seq' in what) {
      const entry = await auditEntry(context, accountId, what.seq);
      const service = entry?.details['service'];
      if (entry !== undefined) this.#tell(accountId, { type: 'audit', entry: auditDocument(entry) }, typeof service === 'string' ? service : null);
      return;
    }
    const activity = await findActivity(context, accountId, what.activity);
    if (activity !== undefined) this.#tell(accountId, { type: 'activity', activity: activityDocument(activity) }, activity.service);
  }

  #tellAll(event: ActivityEvent): void {
    for (const accountId of this.#readers.keys()) this.#tell(accountId, event);
  }

  /** `service`: which one it is about. */
  #tell(accountId: string, event: ActivityEvent, service: string | null = null): void {
    for (const { viewer, waiting, wake } of this.#readers.get(accountId) ?? []) {
      if (!seesService(viewer, service)) continue;
      if (waiting.length < MOST_WAITING) waiting.push(event);
      else waiting.splice(0, waiting.length, { type: 'gap' });
      wake();
    }
  }
}
