import { timeOrderedId } from '../runtime/index.ts';
import { refuseCopy } from './copyMarker.ts';
import { names } from './names.ts';
import type { Repository } from './repository.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { journaledChanges, readUndo, recordNames, type KnownRestore, type StoredChange } from './restoreRecords.ts';
import type { UndoRecord } from './restoreShapes.ts';
import { sealJson } from './sealedObject.ts';

/** One run that takes a restore back: it announces itself, reads the journal from its end, and notes what needs no other run. */
export class UndoRun {
  readonly #context: RepositoryContext;
  readonly #restore: KnownRestore;
  readonly #isDry: boolean;
  readonly #id: string;
  readonly #signal: AbortSignal;
  #record = 0;

  constructor({ context }: Repository, restore: KnownRestore, { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal }) {
    this.#context = context;
    this.#restore = restore;
    this.#isDry = dryRun;
    this.#signal = signal;
    this.#id = timeOrderedId(context.clock.now(), context.random);
  }

  /** A restore that still runs stops at its next note. Nothing is read before that is sure. Errors: `repository/is-copy`. */
  async begin(): Promise<void> {
    if (this.#isDry) return;
    await refuseCopy(this.#context, this.#signal);
    await this.#put({ undone: [] });
  }

  /** What no run has taken back yet, latest first. */
  async *changes(): AsyncGenerator<readonly StoredChange[]> {
    const { tag, id } = this.#restore;
    const { records, undos } = await recordNames(this.#context, tag, id, this.#signal);
    const undone = new Set<number>();
    for (const name of undos) for (const number of (await readUndo(this.#context, name, this.#signal)).undone) undone.add(number);
    for await (const changes of journaledChanges(this.#context, records, this.#signal)) {
      const left = changes.filter(({ number }) => !undone.has(number));
      if (left.length > 0) yield left;
    }
  }

  /** Of these nothing is left to be taken back. */
  async note(numbers: readonly number[]): Promise<void> {
    if (numbers.length > 0) await this.#put({ undone: numbers });
  }

  /** Nothing at all is left. */
  async end(): Promise<void> {
    await this.#put({ undone: [], whole: true });
  }

  async #put(record: UndoRecord): Promise<void> {
    if (this.#isDry) return;
    const { storage, keyring, random } = this.#context;
    const name = names.undo(this.#restore.tag, this.#restore.id, this.#id, this.#record++);
    await storage.put(name, sealJson(name, record, keyring.meta, random), { signal: this.#signal });
  }
}

/** Announces a run that takes a restore back; a dry one is told to nobody. */
export async function beginUndo(repository: Repository, restore: KnownRestore, options: { readonly dryRun: boolean; readonly signal: AbortSignal }): Promise<UndoRun> {
  const run = new UndoRun(repository, restore, options);
  await run.begin();
  return run;
}
