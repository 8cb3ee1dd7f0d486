import { isHoldfastError } from '../domain/index.ts';
import type { RowChange } from '../domain/index.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogSnapshot } from './protocol.ts';

/** Where a catalog is filled from; the caller's view of the repository. */
export interface CatalogSource {
  /** The entity's kept snapshots, in time order. */
  readonly snapshots: readonly CatalogSnapshot[];
  /** What differs from one snapshot to a later one, ascending by key; all rows of the later one when from nothing. */
  changes(from: string | undefined, to: string, signal?: AbortSignal): AsyncIterable<readonly RowChange[]>;
}

const ATTEMPTS = 5;

/**
 * Brings a catalog to exactly the given snapshots: drops what is pruned, and where one turned up between others (two
 * runs of one entity may fork) also what follows it; then adds what is missing. Begins again when another process got
 * there first or the file was damaged. Gives the number of snapshots added here.
 */
export async function followSnapshots(catalog: Catalog, source: CatalogSource, signal?: AbortSignal): Promise<number> {
  let added = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      const held = await dropOthers(catalog, source.snapshots, signal);
      for (const [index, info] of source.snapshots.entries()) {
        if (index < held) continue;
        const base = source.snapshots[index - 1]?.id;
        const { state } = await catalog.addSnapshot(info, source.changes(base, info.id, signal), { base, signal });
        if (state === 'added') added++;
      }
      return added;
    } catch (error) {
      if (attempt >= ATTEMPTS || !isBehind(error)) throw error;
    }
  }
}

/** Gives how many of the wanted snapshots the catalog holds now, counted from the first. */
async function dropOthers(catalog: Catalog, wanted: readonly CatalogSnapshot[], signal?: AbortSignal): Promise<number> {
  const wantedIds = new Set(wanted.map((info) => info.id));
  const held = await catalog.snapshots();
  const kept = held.filter((id) => wantedIds.has(id));
  let same = 0;
  while (same < kept.length && kept[same] === wanted[same]?.id) same++;
  const others = [...held.filter((id) => !wantedIds.has(id)), ...kept.slice(same)];
  if (others.length > 0) await catalog.dropSnapshots(others, signal);
  return same;
}

function isBehind(error: unknown): boolean {
  return isHoldfastError(error) && (error.code === 'catalog/moved-on' || error.code === 'catalog/damaged');
}
