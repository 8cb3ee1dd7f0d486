import { isHoldfastError, messageOf } from '../domain/index.ts';
import type { LockReport } from './checkLocks.ts';

/** An item that a finding hits, as a person knows it. */
export interface AffectedItem {
  readonly entity: string;
  /** Id of one snapshot that shows it. */
  readonly snapshot: string;
  /** Names from the top, '/'-separated; where the list of items itself is damaged, words that say which. */
  readonly path: string;
}

export interface Finding {
  /** Full name of the stored object that it is about; a folder's name where the object's own is not known. */
  readonly object: string;
  /** Stable, e.g. 'damaged', 'missing', 'wrong-size', 'chain-gap', 'not-indexed'. */
  readonly code: string;
  readonly message: string;
  /** The first items that it hits; `itemCount` has all. */
  readonly items: readonly AffectedItem[];
  readonly itemCount: number;
}

export interface CheckCounts {
  snapshots: number;
  /** Versions of items that snapshots show. */
  items: number;
  packs: number;
  blobs: number;
  /** Packs whose every byte was read, and the bytes. */
  packsRead: number;
  bytesRead: number;
}

export interface CheckReport {
  /** Data that is lost or unreadable, or that cannot be proved to be right. Empty: the repository is sound. */
  readonly errors: readonly Finding[];
  /** Worth knowing and harmless: what killed runs left, what a prune is about to delete. */
  readonly notices: readonly Finding[];
  readonly counts: Readonly<CheckCounts>;
  /** Where the repository is locked. */
  readonly lock?: LockReport;
}

/** Items that one finding names, unless told otherwise. */
export const NAMED_ITEMS = 10;
/** Findings of one kind beyond this number are only counted. */
const MOST_FINDINGS = 10_000;

interface Entry {
  object: string;
  code: string;
  message: string;
  items: AffectedItem[];
  itemCount: number;
}

/** Gathers findings, one for each object and code. */
export class FindingList {
  readonly #entries = new Map<string, Entry>();

  get size(): number { return this.#entries.size; }

  /** @returns the entry to which items may be added; an earlier one of the same object and code where there is one. */
  add(object: string, code: string, message: string): Entry {
    const key = `${code} ${object}`;
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { object, code, message, items: [], itemCount: 0 };
      if (this.#entries.size < MOST_FINDINGS) this.#entries.set(key, entry);
    }
    return entry;
  }

  /** A caught error; anything that says nothing about a stored object is thrown on. */
  addError(object: string, error: unknown): Entry {
    if (!isHoldfastError(error)) throw error;
    if (error.code === 'storage/not-found') return this.add(object, 'missing', 'The object is missing.');
    if (error.code === 'repository/too-new') return this.add(object, 'too-new', error.message);
    if (!['repository/damaged', 'repository/unknown-epoch'].includes(error.code)) throw error;
    return this.add(object, 'damaged', messageOf(error));
  }

  /** Takes over all of another list. */
  merge(other: FindingList): void {
    for (const entry of other.#entries.values()) {
      const mine = this.add(entry.object, entry.code, entry.message);
      mine.itemCount += entry.itemCount;
      mine.items.push(...entry.items);
    }
  }

  list(): Finding[] {
    return [...this.#entries.values()].toSorted((a, b) => (a.object < b.object ? -1 : 1));
  }
}

export type { Entry as FindingEntry };
