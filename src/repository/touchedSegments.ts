import type { EntityRecord } from './entityKeys.ts';
import type { EraseSet } from './eraseSet.ts';
import type { IdTable } from './idTable.ts';
import { walkVisible } from './liveness.ts';
import type { Manifest } from './manifest.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { scanEntries } from './scanEntries.ts';
import type { SegmentRef } from './segment.ts';

/**
 * Segments of the manifests in which some entry is of an erased item, also one that no snapshot shows; `chosen` learns which those are.
 * @param ids receives the blobs that those entries need, and those of entries in segments of runs that did not finish.
 * @param strays receives the ids of such segments.
 */
export async function touchedSegments(
  context: RepositoryContext, entity: EntityRecord, manifests: readonly Manifest[], chosen: EraseSet, ids: IdTable, strays: Set<string>, signal?: AbortSignal,
): Promise<Map<string, SegmentRef>> {
  const source = { storage: context.storage, keyring: context.keyring, tag: entity.tag };
  const roots = manifests.map(({ layers }) => layers);
  for (;;) {
    const before = chosen.hidden;
    const touched = await scanEntries(context, entity, roots.flat(), ({ key = '', parent }) => {
      chosen.learn(key, parent);
      return chosen.has(key, parent);
    }, ids, signal, strays);
    if (chosen.hidden === before) return touched;
    // What was below an erased item once and is shown elsewhere today stays, with all below it.
    await walkVisible(source, roots, ({ key = '', parent }) => {
      chosen.isShown(key);
      chosen.isShown(parent);
      return undefined;
    }, signal);
    chosen.withoutShown();
  }
}
