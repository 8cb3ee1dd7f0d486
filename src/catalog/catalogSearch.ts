import { HoldfastError } from '../domain/index.ts';
import type { ItemRow } from '../domain/index.ts';
import { sleep } from '../runtime/index.ts';
import type { Clock } from '../runtime/index.ts';
import type {
  HitPage, IndexedVersion, PendingGroup, PendingVersion, SearchOptions, SearchQuery, SearchStatus, SignedVersion,
} from './searchProtocol.ts';
import type { WorkerLink } from './workerLink.ts';

const CLAIM_POLL_MS = 250;
const CLAIM_LIMIT_MS = 15 * 60_000;

/** Asks again while another process writes; see {@link Catalog}. */
export type WhenFree = <T>(ask: () => Promise<T | 'busy'>, signal: AbortSignal | undefined) => Promise<T>;

/** The part of a catalog that finds versions by their words, and what it takes to make it: `catalog.search`. */
export class CatalogSearch {
  readonly #link: WorkerLink;
  readonly #clock: Clock;
  readonly #whenFree: WhenFree;

  constructor(link: WorkerLink, clock: Clock, whenFree: WhenFree) {
    this.#link = link;
    this.#clock = clock;
    this.#whenFree = whenFree;
  }

  /** At most 1000 hits, newest first. Versions that are still pending are not found. */
  find(query: SearchQuery, options: SearchOptions, signal?: AbortSignal): Promise<HitPage> {
    return this.#link.call('search', [query, options], signal);
  }

  status(signal?: AbortSignal): Promise<SearchStatus> {
    return this.#link.call('searchStatus', [], signal);
  }

  /** Of the documents without words the newest. */
  failures(limit: number, signal?: AbortSignal): Promise<{ row: ItemRow; failure: string }[]> {
    return this.#link.call('searchFailures', [limit], signal);
  }

  /**
   * Runs `work` while no other process on this machine indexes from this directory; `waiting` is called once where another does. `catalog/indexing` (retry): it
   * went on for too long.
   */
  async exclusively<T>(work: () => Promise<T>, options: { waiting: () => void; signal: AbortSignal }): Promise<T> {
    await this.#claim(options);
    try {
      return await work();
    } finally {
      await this.#link.call('releaseIndexing', []).catch(() => undefined);
    }
  }

  /** The group of pending versions that ended last, or last before `below`. */
  async pendingGroup(below: number | undefined, signal?: AbortSignal): Promise<PendingGroup | undefined> {
    return (await this.#link.call('pendingGroup', [below], signal)) ?? undefined;
  }

  /** Versions of a group after one of them, 0 for the first, in the order in which they came in. */
  pending(group: PendingGroup, after: number, limit: number, signal?: AbortSignal): Promise<PendingVersion[]> {
    return this.#link.call('pending', [group.last, after, limit], signal);
  }

  /** Attaches versions to documents that are there; gives the numbers of those whose words have to be read. */
  link(versions: readonly SignedVersion[], signal?: AbortSignal): Promise<readonly number[]> {
    return this.#whenFree(() => this.#link.call('link', [versions], signal), signal);
  }

  /** Takes in words; all or none of them. Versions that are gone meanwhile are passed over. */
  async index(versions: readonly IndexedVersion[], signal?: AbortSignal): Promise<void> {
    await this.#whenFree(() => this.#link.call('index', [versions], signal), signal);
  }

  /** Makes questions faster after much was taken in; may be left out. */
  async tidy(signal?: AbortSignal): Promise<void> {
    while ((await this.#whenFree(() => this.#link.call('tidy', [], signal), signal)) === 'more') signal?.throwIfAborted();
  }

  async #claim({ waiting, signal }: { waiting: () => void; signal: AbortSignal }): Promise<void> {
    const start = this.#clock.monotonic();
    for (let told = false; (await this.#link.call('claimIndexing', [], signal)) === 'busy'; told = true) {
      if (!told) waiting();
      if (this.#clock.monotonic() - start > CLAIM_LIMIT_MS) {
        const text = 'Another process on this machine has been making search indexes for a long time. Try again when it is done, or search what is indexed so far with --no-index.';
        throw new HoldfastError('catalog/indexing', 'retry', text);
      }
      await sleep(CLAIM_POLL_MS, signal);
    }
  }
}
