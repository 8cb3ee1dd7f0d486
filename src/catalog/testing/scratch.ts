import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowChange } from '../../domain/index.ts';
import { openCache } from '../cacheFiles.ts';
import type { Catalog } from '../catalog.ts';
import { CatalogServer } from '../catalogServer.ts';
import type { Arguments, OperationName, Result } from '../protocol.ts';
import { batches, changesBetween } from './model.ts';
import type { ModelSnapshot, State } from './model.ts';

/** A directory that goes at the end of the scope. */
export function scratchDirectory(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'catalog-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** What the worker runs, called in this thread: starting a worker for each of many histories would take minutes. */
export class InThread {
  readonly #server: CatalogServer;

  constructor(directory: string) {
    const place = { directory, entityHash: '0'.repeat(64), generation: '1', workerId: '00', usedAtMs: 0 };
    let files = 0;
    this.#server = new CatalogServer(() => openCache(place, () => String(files++)));
  }

  ask<K extends OperationName>(operation: K, ...args: Arguments<K>): Result<K> {
    return this.#server.answer(operation, args) as Result<K>;
  }

  /** `wordy`: with changes that change nothing among the others. */
  add(snapshot: ModelSnapshot, base: ModelSnapshot | undefined, wordy = false): Result<'commit'> {
    const answer = this.ask('begin', snapshot, base?.id);
    if (answer !== 'ready') throw new Error(answer);
    this.ask('batch', wordy ? everyChange(base?.state, snapshot.state) : changesBetween(base?.state, snapshot.state));
    return this.ask('commit');
  }

  [Symbol.dispose](): void {
    this.ask('close');
  }
}

/** All rows there are, the end of those there were, and the end of one that never was. */
function everyChange(from: State | undefined, to: State): RowChange[] {
  const keys = [...new Set([...(from?.keys() ?? []), ...to.keys(), 'never'])].sort();
  return keys.map((key) => {
    const row = to.get(key);
    return row ? { row } : { removed: key };
  });
}

/** Adds model snapshots through the client. */
export async function addAll(catalog: Catalog, snapshots: readonly ModelSnapshot[]): Promise<void> {
  for (const [index, snapshot] of snapshots.entries()) {
    const base = snapshots[index - 1];
    await catalog.addSnapshot(snapshot, batches(changesBetween(base?.state, snapshot.state)), { base: base?.id });
  }
}
