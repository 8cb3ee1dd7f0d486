import type { SortedSpool, SpooledGroup } from '../sortedSpool.ts';
import type { Origin } from './origin.ts';

/** Notes what stands somewhere by its id, and by the id of what it was made from. */
export async function spoolStanding(spool: SortedSpool, id: string, origin: Origin | undefined, text: string): Promise<void> {
  await spool.add(id, text);
  if (origin !== undefined && origin.source !== id && isKey(origin.source)) await spool.add(origin.source, text);
}

/** What somebody else wrote into the property does not break the spool. */
function isKey(source: string): boolean {
  return /^[\x21-\x7e]{1,2000}$/.test(source);
}

/**
 * What {@link spoolStanding} noted, by id. Whoever asks in ascending order, as a restore does, reads the spool once, and memory holds one group at a time; a
 * question out of order begins anew. One question at a time.
 */
export class StandingReader {
  readonly #spool: SortedSpool;
  #groups: AsyncGenerator<SpooledGroup> | undefined;
  #current: SpooledGroup | undefined;
  #last = '';

  constructor(spool: SortedSpool) {
    this.#spool = spool;
  }

  async of(id: string): Promise<readonly string[]> {
    if (this.#groups === undefined || id < this.#last) await this.#begin();
    this.#last = id;
    while (this.#current !== undefined && this.#current.key < id) await this.#advance();
    return this.#current?.key === id ? this.#current.values : [];
  }

  async #begin(): Promise<void> {
    await this.close();
    this.#groups = this.#spool.groups();
    await this.#advance();
  }

  async #advance(): Promise<void> {
    const next = await this.#groups?.next();
    this.#current = next === undefined || next.done === true ? undefined : next.value;
  }

  /** Ends the reading; a further question begins it anew. */
  async close(): Promise<void> {
    await this.#groups?.return(undefined);
    this.#groups = undefined;
    this.#current = undefined;
  }
}
