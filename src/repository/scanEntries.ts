import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { BlobReader } from './blobReader.ts';
import type { EntityRecord } from './entityKeys.ts';
import type { IdTable } from './idTable.ts';
import { ContentWalk } from './liveness.ts';
import { lastSegment, names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isUnreadable } from './sealedObject.ts';
import type { Layer, SegmentRef } from './segment.ts';
import { LayerCursor, type SegmentSource } from './state.ts';

/** Whether an entry of a segment is meant: of any version, one that no snapshot shows too, or a word that the item is gone. */
export type IsMeant = (entry: LayerCursor) => boolean;

/**
 * Reads every entry of an entity's segments, also of those that no manifest names: runs that did not finish left them.
 * @param layers those of its manifests, in which every segment has to be readable.
 * @param ids receives the blobs that the entries need which are meant.
 * @param strays receives the ids of segments with such an entry that no manifest names.
 * @returns by id: the named segments with such an entry.
 */
export async function scanEntries(
  context: RepositoryContext, entity: EntityRecord, layers: readonly Layer[], isMeant: IsMeant, ids: IdTable, signal?: AbortSignal, strays?: Set<string>,
): Promise<Map<string, SegmentRef>> {
  const source = { storage: context.storage, keyring: context.keyring, tag: entity.tag };
  const refs = new Map(layers.flat().map((ref) => [ref.id, ref]));
  const touched = new Map<string, SegmentRef>();
  const reader = new BlobReader(context, entity);
  const walk = new ContentWalk(reader);
  const holdsSome = async (ref: SegmentRef): Promise<boolean> => {
    let found = false;
    const cursor = new LayerCursor(source, [ref], signal);
    await cursor.fill();
    while (cursor.key !== undefined) {
      if (isMeant(cursor)) {
        found = true;
        await walk.ids(cursor.content, (id) => ids.set(id, 0, 1), signal)?.catch(unlessMissing);
      }
      if (!cursor.step()) await cursor.fill();
    }
    return found;
  };
  try {
    for (const ref of refs.values()) if (await holdsSome(ref)) touched.set(ref.id, ref);
    for (const ref of await straySegments(source, refs, signal)) if (await holdsSome(ref).catch(unlessUnreadable) === true) strays?.add(ref.id);
    return touched;
  } finally {
    await reader.close();
  }
}

/** Of checkpoints, of unsealed manifests where those are not named, and of runs that died before they had one. */
async function straySegments({ storage, tag }: SegmentSource, named: ReadonlyMap<string, SegmentRef>, signal?: AbortSignal): Promise<SegmentRef[]> {
  const strays: SegmentRef[] = [];
  for await (const { name, size } of listAll(storage, names.segment(tag, ''), signal ? { signal } : {})) {
    const id = lastSegment(name);
    if (!named.has(id)) strays.push({ id, size, rows: 0, first: '' });
  }
  return strays;
}

/** A run that goes on takes its segments away when it notices the erasure; nobody needs a damaged one. */
function unlessUnreadable(error: unknown): undefined {
  if (!isHoldfastError(error) || !(isUnreadable(error) || error.code === 'storage/not-found')) throw error;
}

/** What no snapshot shows may have been pruned already. */
function unlessMissing(error: unknown): void {
  if (!isHoldfastError(error) || !['repository/missing-blob', 'storage/not-found'].includes(error.code)) throw error;
}
