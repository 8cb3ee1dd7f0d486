import { isCompanion, type BinaryString, type ItemRow } from '../domain/index.ts';
import { StateCursor, type Manifest, type Repository } from '../repository/index.ts';
import { sharedLayers } from './stateDifference.ts';
import { rowsOf, SnapshotBrowser, type KeyStyle, type Placed } from './browseSnapshot.ts';

/** What of an item differs: its name, the folder it is in, its bytes, or anything else that is kept of it. */
export type DifferentPart = 'name' | 'folder' | 'content' | 'fields';

export type Difference =
  | { readonly change: 'added'; readonly after: Placed }
  | { readonly change: 'removed'; readonly before: Placed }
  | { readonly change: 'changed'; readonly before: Placed; readonly after: Placed; readonly parts: readonly DifferentPart[] };

const BATCH = 512;

/**
 * What differs from one snapshot of an entity to another, either may be the older one; in batches, ascending by key.
 * Only layers that the two do not share are read through, so that a small change of a large entity costs little.
 */
export async function* browseDifference(
  repository: Repository, before: Manifest, after: Manifest, options: { keys: KeyStyle; signal?: AbortSignal | undefined },
): AsyncGenerator<Difference[]> {
  const { signal } = options;
  const source = rowsOf(repository, before);
  const shared = sharedLayers(before.layers, after.layers);
  const candidates = new StateCursor(source, [...before.layers.slice(shared), ...after.layers.slice(shared)], signal, true);
  const sides = [before, after].map((manifest) => ({
    cursor: new StateCursor(source, manifest.layers, signal), browser: new SnapshotBrowser(repository, manifest, options),
  })) as [Side, Side];
  let batch: Difference[] = [];
  await candidates.seek('');
  while (candidates.key !== undefined) {
    const difference = await compare(candidates.key, ...sides);
    if (difference) batch.push(difference);
    if (batch.length >= BATCH) {
      yield batch;
      batch = [];
      signal?.throwIfAborted();
    }
    if (!candidates.step()) await candidates.finish();
  }
  if (batch.length > 0) yield batch;
}

interface Side {
  readonly cursor: StateCursor;
  readonly browser: SnapshotBrowser;
}

async function compare(key: BinaryString, a: Side, b: Side): Promise<Difference | undefined> {
  const [before, after] = [await rowAt(a, key), await rowAt(b, key)];
  if (before && after) {
    const parts = differentParts(before, after);
    if (parts.length === 0) return undefined;
    return { change: 'changed', before: await placed(a, before), after: await placed(b, after), parts };
  }
  if (after) return { change: 'added', after: await placed(b, after) };
  return before && { change: 'removed', before: await placed(a, before) };
}

async function rowAt({ cursor }: Side, key: BinaryString): Promise<ItemRow | undefined> {
  await cursor.seek(key);
  return cursor.key === key && !isCompanion(cursor) ? cursor.row : undefined;
}

async function placed({ browser }: Side, row: ItemRow): Promise<Placed> {
  return { row, path: await browser.pathOf(row) };
}

/** The source's own change key alone is nothing that a person could see. */
function differentParts(a: ItemRow, b: ItemRow): DifferentPart[] {
  const parts: DifferentPart[] = [];
  if (a.name !== b.name) parts.push('name');
  if (a.parent !== b.parent) parts.push('folder');
  if (a.content !== b.content || a.size !== b.size) parts.push('content');
  if (a.kind !== b.kind || a.modified !== b.modified || a.meta !== b.meta || a.outcome !== b.outcome) parts.push('fields');
  return parts;
}
