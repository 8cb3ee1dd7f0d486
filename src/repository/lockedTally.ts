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
  /** Full names of what was to be deleted and could not be, with the ends of their locks. */
  readonly refused = new Map<string, number>();
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

  /** Whether a lock of which somebody says that it ends then (NaN: never) still holds; then it is counted. */
  believes(kind: LockedKind, until: number): boolean {
    if (!(until > this.#context.clock.now())) return false;
    this.#add(kind, until, 0);
    return true;
  }

  /** Deletes, unless a lock was set since it was looked at. */
  async deleteUnlessLocked(name: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#context.storage.delete(name, signal ? { signal } : {});
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'storage/locked') throw error;
      const until = Number(error.data['until']);
      this.refused.set(name, until);
      this.#add(kindOf(name), until, 0);
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

function kindOf(name: string): LockedKind {
  if (name.startsWith('packs/')) return 'pack';
  return name.startsWith('snapshots/') ? 'snapshot' : 'record';
}
