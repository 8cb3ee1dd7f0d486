import { isCompanion, type BinaryString, type ItemRow, type RowChange } from '../domain/index.ts';
import { StateCursor, type Layer, type Manifest, type SegmentSource } from '../repository/index.ts';
import { shownRows } from './shownRows.ts';

const BATCH = 1024;

/** How many layers both begin with: what they say is the same in both. */
export function sharedLayers(a: readonly Layer[], b: readonly Layer[]): number {
  const same = (x: Layer, y: Layer): boolean => x.length === y.length && x.every((segment, i) => segment.id === y[i]?.id);
  let shared = 0;
  for (; shared < a.length && shared < b.length; shared++) if (!same(a[shared] ?? [], b[shared] ?? [])) break;
  return shared;
}

/**
 * What turns the rows of `before` into those of `after`, ascending by key, in batches; all rows where there is no `before`. Companions are left out.
 * Only layers that the two do not share are read through; the rest is looked up by key. Memory: a block a layer.
 */
export async function* stateDifference(
  source: SegmentSource, before: Manifest | undefined, after: Manifest, signal?: AbortSignal,
): AsyncGenerator<RowChange[]> {
  if (!before) {
    for await (const rows of shownRows(source, after.layers, '', signal)) yield rows.map((row) => ({ row }));
    return;
  }
  const shared = sharedLayers(before.layers, after.layers);
  const candidates = new StateCursor(source, [...before.layers.slice(shared), ...after.layers.slice(shared)], signal, true);
  const old = new StateCursor(source, before.layers, signal);
  const current = new StateCursor(source, after.layers, signal);
  let batch: RowChange[] = [];
  await candidates.seek('');
  while (candidates.key !== undefined) {
    const change = changeOf(await rowAt(old, candidates.key), await rowAt(current, candidates.key));
    if (change) batch.push(change);
    if (batch.length >= BATCH) {
      yield batch;
      batch = [];
    }
    if (!candidates.step()) await candidates.finish();
  }
  if (batch.length > 0) yield batch;
}

async function rowAt(cursor: StateCursor, key: BinaryString): Promise<ItemRow | undefined> {
  await cursor.seek(key);
  return cursor.key === key && !isCompanion(cursor) ? cursor.row : undefined;
}

function changeOf(before: ItemRow | undefined, after: ItemRow | undefined): RowChange | undefined {
  if (!after) return before && { removed: before.key };
  return before && sameRow(before, after) ? undefined : { row: after };
}

function sameRow(a: ItemRow, b: ItemRow): boolean {
  return a.change === b.change && a.content === b.content && a.meta === b.meta && a.parent === b.parent && a.name === b.name
    && a.kind === b.kind && a.size === b.size && a.modified === b.modified && a.outcome === b.outcome;
}
