import { isCompanion, type BinaryString } from '../domain/index.ts';
import type { EraseSet } from './eraseSet.ts';
import { walkVisible } from './liveness.ts';
import type { StoredManifest } from './manifest.ts';
import type { LayerCursor, SegmentSource } from './state.ts';

/** One item that is erased, as the snapshots show it. */
export interface ErasedItem {
  readonly names: Set<string>;
  /** How many different states of it there are. */
  versions: number;
}

/** What a snapshot has less of without the erased items. */
export interface Share {
  items: number;
  folders: number;
  bytes: number;
  skipped: number;
  failed: number;
  altered: number;
}

/** All that the snapshots of one entity show of a selection. */
export interface ErasedRows {
  readonly items: ReadonlyMap<BinaryString, ErasedItem>;
  /** By snapshot id. */
  readonly shares: ReadonlyMap<string, Share>;
}

/** Reads all rows that a snapshot shows, until no further item turns out to lie below another. Memory: the erased items, not the others. */
export async function findErased(
  source: SegmentSource, stored: readonly StoredManifest[], chosen: EraseSet, signal?: AbortSignal,
): Promise<ErasedRows> {
  const manifests = stored.map(({ manifest }) => manifest);
  chosen.forgetHidden();
  for (;;) {
    const before = chosen.size;
    const items = new Map<BinaryString, ErasedItem>();
    const shares = new Map(manifests.map(({ id }) => [id, emptyShare()]));
    await walkVisible(source, manifests.map(({ layers }) => layers), (row, showing) => {
      if (!chosen.has(row.key ?? '', row.parent)) return undefined;
      note(row, showing.map((root) => shares.get(manifests[root]?.id ?? '') as Share), items, chosen);
      return undefined;
    }, signal);
    if (chosen.size === before) return { items, shares };
  }
}

function emptyShare(): Share {
  return { items: 0, folders: 0, bytes: 0, skipped: 0, failed: 0, altered: 0 };
}

function note(cursor: LayerCursor, shares: readonly Share[], items: Map<BinaryString, ErasedItem>, chosen: EraseSet): void {
  const { row } = cursor;
  chosen.add(row.key);
  if (!isCompanion(row)) {
    const item = items.get(row.key) ?? { names: new Set<string>(), versions: 0 };
    item.names.add(row.name);
    item.versions++;
    items.set(row.key, item);
  }
  const state = row.outcome === '' ? undefined : (JSON.parse(row.outcome) as { state: 'skipped' | 'failed' | 'altered' }).state;
  for (const share of shares) {
    if (row.kind === 'folder') share.folders++;
    else if (!isCompanion(row)) share.items++;
    share.bytes += row.size;
    if (state !== undefined) share[state]++;
  }
}
