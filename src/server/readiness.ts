import { isMigrated, type Database } from '../database/index.ts';
import type { Location } from '../accounts/index.ts';
import { messageOf } from '../domain/index.ts';
import type { Clock, Logger, Settings } from '../runtime/index.ts';
import { openStorage } from '../storage/index.ts';

/** A storage is asked this often at most, however often the service is. */
const STORAGE_MS = 30_000;

interface Asked {
  readonly until: number;
  readonly answers: Promise<boolean>;
}

/** Tells what the service needs and does not reach: 'database', 'storage de'. */
export class Readiness {
  readonly #database: Database;
  readonly #locations: readonly Location[];
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #asked = new Map<string, Asked>();

  constructor(parts: { database: Database; locations: readonly Location[]; settings: Settings; clock: Clock; log: Logger }) {
    this.#database = parts.database;
    this.#locations = parts.locations;
    this.#settings = parts.settings;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  async notReady(signal: AbortSignal): Promise<string[]> {
    const database = this.#answers('database', async () => {
      if (!await isMigrated(this.#database.pool)) throw new Error('its schema is not up to date');
    });
    const storages = this.#locations.map(async (location) => ({ name: `storage ${location.id}`, answers: await bounded(this.#storage(location), signal) }));
    const all = await Promise.all([bounded(database, signal).then((answers) => ({ name: 'database', answers })), ...storages]);
    return all.filter(({ answers }) => !answers).map(({ name }) => name);
  }

  #storage(location: Location): Promise<boolean> {
    const { id, storage } = location;
    const before = this.#asked.get(id);
    if (before !== undefined && before.until > this.#clock.monotonic()) return before.answers;
    const answers = this.#answers(`storage ${id}`, async () => {
      const opened = await openStorage(storage, { create: true, settings: this.#settings, clock: this.#clock });
      await opened.list('', { limit: 1, signal: AbortSignal.timeout(STORAGE_MS) });
    });
    this.#asked.set(id, { until: this.#clock.monotonic() + STORAGE_MS, answers });
    return answers;
  }

  async #answers(name: string, ask: () => Promise<void>): Promise<boolean> {
    try {
      await ask();
      return true;
    } catch (error) {
      this.#log.warn('not ready', { what: name, error: messageOf(error) });
      return false;
    }
  }
}

/** What has not answered in time does not answer. */
function bounded(answers: Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return Promise.race([answers, new Promise<boolean>((resolve) => {
    signal.addEventListener('abort', () => resolve(false), { once: true });
  })]);
}
