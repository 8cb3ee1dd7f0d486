import type { ChangeJournal, ChangeNote, NotedChange, UndoResult } from '../../contract.ts';
import { openUndo } from '../index.ts';
import type { TestTenant } from './testTenant.ts';

/** A journal in memory. Everything that is kept goes through JSON, as it does in a repository. */
export class TestJournal implements ChangeJournal {
  readonly id: string;
  /** Loses every outcome: as if the restore were killed again and again before it could note one. */
  readonly #isForgetful: boolean;
  readonly #notes: string[] = [];
  readonly #outcomes = new Map<number, string>();

  constructor({ id = 'a'.repeat(32), isForgetful = false }: { readonly id?: string; readonly isForgetful?: boolean } = {}) {
    this.id = id;
    this.#isForgetful = isForgetful;
  }

  intend(notes: readonly ChangeNote[]): Promise<readonly number[]> {
    return Promise.resolve(notes.map((note) => this.#notes.push(JSON.stringify(note)) - 1));
  }

  did(number: number, outcome: Readonly<Record<string, unknown>>): Promise<void> {
    if (!this.#isForgetful) this.#outcomes.set(number, JSON.stringify(outcome));
    return Promise.resolve();
  }

  /** Latest first. */
  get changes(): NotedChange[] {
    return this.#notes.map((note, number): NotedChange => {
      const outcome = this.#outcomes.get(number);
      return { number, note: JSON.parse(note) as ChangeNote, outcome: outcome === undefined ? undefined : JSON.parse(outcome) as Record<string, unknown> };
    }).reverse();
  }
}

export interface TakenBack {
  /** What people call the thing, and what became of its change. */
  readonly results: readonly (readonly [item: string, result: UndoResult])[];
  /** Requests that change something. */
  readonly writes: readonly string[];
}

/** Takes back all that a journal holds, in batches, through a session of its own, folders last. */
export async function takeBack(tenant: TestTenant, journal: TestJournal, { address = tenant.address, dryRun = false, signal = new AbortController().signal }: { readonly address?: string; readonly dryRun?: boolean; readonly signal?: AbortSignal } = {}): Promise<TakenBack> {
  const before = tenant.simulator.log.total;
  const session = openUndo(tenant.tenant, await tenant.tenant.mailbox(address, signal), journal.id);
  const results: (readonly [string, UndoResult])[] = [];
  try {
    const changes = [false, true].flatMap((isFolder) => journal.changes.filter(({ note }) => (note.isFolder === true) === isFolder));
    for (let start = 0; start < changes.length; start += 25) {
      const some = changes.slice(start, start + 25);
      const undone = await session.undo(some, { dryRun, signal });
      for (const [place, { note }] of some.entries()) results.push([note.item, undone[place] as UndoResult]);
    }
  } finally {
    await session.close();
  }
  if (tenant.breaches.length > 0) throw new Error(tenant.breaches.join('\n'));
  const writes = tenant.simulator.requests().filter(({ number, method, url }) => number > before && method !== 'GET' && !url.includes('oauth2') && !url.endsWith('/$batch'));
  return { results, writes: writes.map(({ method, url }) => `${method} ${url}`) };
}

/** How many changes ended in each way. */
export function ends({ results }: TakenBack): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const [, { result }] of results) counted[result] = (counted[result] ?? 0) + 1;
  return counted;
}
