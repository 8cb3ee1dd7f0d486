import { isHoldfastError } from '../domain/index.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { lockedUntil } from './openLocked.ts';

/** What a prune would take away and leaves, since nobody can delete it yet. */
export interface LockedRest {
  readonly snapshots: number;
  readonly packs: number;
  /** Of the packs. */
  readonly bytes: number;
  /** When the last of these locks ends, as ISO 8601; null where nothing was locked. */
  readonly until: string | null;
}

export type LockedKind = 'snapshot' | 'pack' | 'record';

/** Asks for locks and counts what they hold. */
export class LockedTally {
  readonly #context: RepositoryContext;
  readonly #counts = { snapshot: 0, pack: 0, record: 0 };
  #bytes = 0;
  #until = 0;

  constructor(context: RepositoryContext) {
    this.#context = context;
  }

  /** Whether the object is locked; then it is counted. */
  async holds(kind: LockedKind, name: string, bytes = 0, signal?: AbortSignal): Promise<boolean> {
    const until = await lockedUntil(this.#context, name, signal);
    if (until === undefined) return false;
    this.#add(kind, until, bytes);
    return true;
  }

  /** Deletes, unless a lock was set since it was looked at. */
  async deleteUnlessLocked(name: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#context.storage.delete(name, signal ? { signal } : {});
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'storage/locked') throw error;
      this.#add('record', Number(error.data['until']), 0);
    }
  }

  get rest(): LockedRest {
    const { snapshot, pack } = this.#counts;
    return { snapshots: snapshot, packs: pack, bytes: this.#bytes, until: this.#until === 0 ? null : new Date(this.#until).toISOString() };
  }

  #add(kind: LockedKind, until: number, bytes: number): void {
    this.#counts[kind]++;
    this.#bytes += bytes;
    this.#until = Math.max(this.#until, until);
  }
}
