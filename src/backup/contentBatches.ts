import { rm } from 'node:fs/promises';
import type { ItemRow, Outcome } from '../domain/index.ts';
import type { Fetched, SourceItem, SourceSession } from '../connectors/contract.ts';
import type { ContentJob, ContentResult, StoreSession } from '../repository/index.ts';

/** A batch is one message to a worker: large enough to be cheap, small enough to spread. */
const BATCH_ITEMS = 32;
const BATCH_BYTES = 512 * 1024;
/** Asked from a source at once. */
const FETCH_BYTES = 16 * 1024 * 1024;

/** An item whose content is to be stored, and where its row goes. */
export interface Wanted {
  readonly item: SourceItem;
  readonly before: ItemRow | undefined;
  readonly settle: (item: SourceItem, result: ContentResult) => void;
}

interface Job extends Wanted {
  readonly job: ContentJob;
  /** The source gave it: a failure after that is nothing that it knows of. */
  readonly fetched?: true;
  readonly spooled?: string;
}

interface ContentOptions {
  readonly signal: AbortSignal;
  /** Items asked from a source at once. */
  readonly fetchItems: number;
}

/** Gathers contents into batches for the store and into batches for the source. Memory: the batches in flight. */
export class ContentBatches {
  readonly #store: StoreSession;
  readonly #source: SourceSession;
  readonly #scratch: string;
  readonly #signal: AbortSignal;
  readonly #fetchItems: number;
  #jobs: Job[] = [];
  #jobBytes = 0;
  #fetches = new Map<string, Wanted>();
  #fetchBytes = 0;
  readonly #running = new Set<Promise<void>>();
  #failure: unknown;
  /** Contents that the source gave, or should have, are missing for a reason that it does not know. */
  lost = false;
  /** Contents that the source gave so far. */
  fetched = 0;

  constructor(store: StoreSession, source: SourceSession, scratch: string, { signal, fetchItems }: ContentOptions) {
    this.#store = store;
    this.#source = source;
    this.#scratch = scratch;
    this.#signal = signal;
    this.#fetchItems = fetchItems;
  }

  /** A file that a worker reads itself. True: await `send`. */
  file(path: string, wanted: Wanted): boolean {
    const { size, modified, kind } = wanted.item;
    return this.#add({ ...wanted, job: { source: { path }, size, modified, mail: kind === 'mail' ? true : undefined } });
  }

  /** Content that the source is to fetch. True: await `fetchAll`. */
  fetch(wanted: Wanted): boolean {
    this.#fetches.set(wanted.item.key, wanted);
    this.#fetchBytes += wanted.item.size;
    return this.#fetches.size >= this.#fetchItems || this.#fetchBytes >= FETCH_BYTES;
  }

  #add(job: Job): boolean {
    this.#jobs.push(job);
    this.#jobBytes += job.job.size;
    return this.#jobs.length >= BATCH_ITEMS || this.#jobBytes >= BATCH_BYTES;
  }

  /** Hands what was gathered to a worker as soon as one has room. */
  async send(): Promise<void> {
    if (this.#failure) throw this.#failure as Error;
    const jobs = this.#jobs;
    if (jobs.length === 0) return;
    this.#jobs = [];
    this.#jobBytes = 0;
    const { results } = await this.#store.store(jobs.map((job) => job.job));
    const running: Promise<void> = results.then((all) => this.#settle(jobs, all))
      .catch((error: unknown) => { this.#failure ??= error; })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #settle(jobs: readonly Job[], results: readonly ContentResult[]): Promise<void> {
    for (const [i, job] of jobs.entries()) {
      const result = results[i] as ContentResult;
      // What a source gave may not be skipped, as a file that vanished is: it still has the item.
      const unread = job.fetched === true && result.content === '';
      if (unread) this.lost = true;
      job.settle(job.item, unread ? { ...result, size: job.item.size, outcome: NOT_KEPT } : result);
      if (job.spooled !== undefined) await rm(job.spooled, { force: true });
    }
  }

  /** Asks the source for all that waits, and sends what comes. */
  async fetchAll(): Promise<void> {
    const wanted = this.#fetches;
    if (wanted.size === 0) return;
    this.#fetches = new Map();
    this.#fetchBytes = 0;
    const items = [...wanted.values()].map((one) => one.item);
    for await (const fetched of this.#source.fetch(items, { scratch: this.#scratch, signal: this.#signal })) {
      const one = wanted.get(fetched.item.key);
      if (!one) continue;
      wanted.delete(fetched.item.key);
      this.fetched++;
      if (this.#take(fetched, one)) await this.send();
    }
    for (const one of wanted.values()) {
      this.lost = true;
      one.settle(one.item, { content: '', size: one.item.size, outcome: NOT_GIVEN });
    }
  }

  #take(fetched: Fetched, one: Wanted): boolean {
    const { item } = fetched;
    if ('outcome' in fetched) {
      one.settle(item, { content: '', size: item.size, outcome: fetched.outcome });
      return false;
    }
    const mail = item.kind === 'mail' ? true : undefined;
    if ('file' in fetched) {
      const path = Buffer.from(fetched.file).toString('latin1');
      return this.#add({ ...one, item, fetched: true, spooled: fetched.file, job: { source: { path }, size: item.size, modified: null, mail } });
    }
    const bytes = ownBuffer(fetched.bytes);
    return this.#add({ ...one, item, fetched: true, job: { source: { bytes }, size: bytes.length, modified: null, mail } });
  }

  /** Everything gathered so far is answered. */
  async drain(): Promise<void> {
    await this.fetchAll();
    await this.send();
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#failure) throw this.#failure as Error;
  }
}

const NOT_KEPT: Outcome = {
  state: 'failed', code: 'not-kept', message: 'The source gave it, but its temporary file could not be read; the next run fetches it again.',
};
const NOT_GIVEN: Outcome = { state: 'failed', code: 'not-given', message: 'The source listed the item but did not give its content.' };

/** Bytes in a buffer that can be handed to another thread: small Buffers share a pool, which must not go along. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  return whole ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes);
}

/** The change as a row, or why the row is not whole. Earlier content is kept where reading failed, or did not find what had been listed: it may be the last copy. */
export function rowOf(item: SourceItem, result: ContentResult, before: ItemRow | undefined): { readonly row: ItemRow } {
  const { key, parent, name, kind, modified, change, meta } = item;
  const base = { key, parent, name, kind, modified, change, meta };
  if (result.outcome !== undefined && (result.outcome.state === 'failed' || result.outcome.code === 'vanished') && before && before.content !== '') {
    const message = `${result.outcome.message} The content is that of an earlier run.`;
    return { row: { ...base, size: before.size, content: before.content, outcome: JSON.stringify({ ...result.outcome, message }) } };
  }
  const outcome = result.outcome ? JSON.stringify(result.outcome) : '';
  return { row: { ...base, size: result.content === '' ? item.size : result.size, content: result.content, outcome } };
}
