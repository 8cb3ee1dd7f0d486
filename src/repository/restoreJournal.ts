import { HoldfastError } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { refuseCopy } from './copyMarker.ts';
import { names } from './names.ts';
import type { Repository } from './repository.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import type { JournalRecord, RestoreBegin } from './restoreShapes.ts';
import { sealJson } from './sealedObject.ts';

/** Outcomes that wait in memory at most. */
const MOST_WAITING = 64;

interface Waiting {
  intends: [number, { readonly item: string }][];
  did: [number, Readonly<Record<string, unknown>>][];
}

/**
 * What a restore changes, kept in the repository while it runs, in the order of docs/format, "Journal of a restore": a note is durable before its change is made. Several
 * that wait at the same time go into one record. An error in writing stays: nothing further is noted, so nothing further is changed.
 */
export class RestoreJournal {
  /** Of the restore: a time-ordered id. */
  readonly id: string;
  readonly #context: RepositoryContext;
  readonly #tag: string;
  readonly #signal: AbortSignal;
  #record = 0;
  #number = 0;
  #waiting: Waiting = { intends: [], did: [] };
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(context: RepositoryContext, tag: string, signal: AbortSignal) {
    this.#context = context;
    this.#tag = tag;
    this.#signal = signal;
    this.id = timeOrderedId(context.clock.now(), context.random);
  }

  async begin(begin: Omit<RestoreBegin, 'madeAt'>): Promise<void> {
    await this.#put({ begin: { madeAt: new Date(this.#context.clock.now()).toISOString(), ...begin } });
  }

  /** Durable when it resolves. Errors: `restore/taken-back` where somebody takes this restore back meanwhile. */
  async intend(notes: readonly { readonly item: string }[]): Promise<readonly number[]> {
    const numbered = notes.map((note): [number, { readonly item: string }] => [this.#number++, note]);
    this.#waiting.intends.push(...numbered);
    await this.#flush();
    return numbered.map(([number]) => number);
  }

  async did(number: number, outcome: Readonly<Record<string, unknown>>): Promise<void> {
    this.#waiting.did.push([number, outcome]);
    if (this.#waiting.did.length >= MOST_WAITING) await this.#flush();
  }

  /** All that was told is durable, and the restore is known to have ended; without it: what was told is durable. */
  async end({ whole }: { readonly whole: boolean }): Promise<void> {
    await this.#flush();
    if (whole) await this.#put({ ended: true });
  }

  /** One record at a time: whoever comes while one is written waits for the next, which holds what all of them have. */
  async #flush(): Promise<void> {
    this.#next ??= this.#last.then(async () => {
      this.#next = undefined;
      await this.#write();
    });
    const mine = this.#next;
    this.#last = mine;
    // Whoever waits for it is told; nobody else is.
    mine.catch(() => undefined);
    await mine;
  }

  async #write(): Promise<void> {
    const { intends, did } = this.#waiting;
    this.#waiting = { intends: [], did: [] };
    if (intends.length === 0 && did.length === 0) return;
    await this.#put({ ...(intends.length === 0 ? {} : { intends }), ...(did.length === 0 ? {} : { did }) });
    if (intends.length > 0) await this.#refuseTakenBack();
  }

  async #put(record: JournalRecord): Promise<void> {
    const { storage, keyring, random } = this.#context;
    const name = names.journal(this.#tag, this.id, this.#record++);
    await storage.put(name, sealJson(name, record, keyring.meta, random), { signal: this.#signal });
  }

  /** Who takes it back says so before reading it, and this looks after writing: so one of the two sees the other. */
  async #refuseTakenBack(): Promise<void> {
    const { objects } = await this.#context.storage.list(`${names.journals(this.#tag, this.id)}undo-`, { limit: 1, signal: this.#signal });
    if (objects.length === 0) return;
    throw new HoldfastError('restore/taken-back', 'never', 'This restore is being taken back, so it stops here. Run the undo once more when this has ended, then nothing of it is left.');
  }
}

/** Notes which restore begins. Errors: `repository/is-copy`, and those of a place that cannot be written. */
export async function beginRestoreJournal({ context }: Repository, begin: Omit<RestoreBegin, 'madeAt'>, signal: AbortSignal): Promise<RestoreJournal> {
  await refuseCopy(context, signal);
  const journal = new RestoreJournal(context, context.keyring.entityTag(begin.target.id), signal);
  await journal.begin(begin);
  return journal;
}
