import { isHoldfastError } from '../domain/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { BlobReader } from './blobReader.ts';
import type { Checkpoint } from './checkpoint.ts';
import { contentIds } from './contentIds.ts';
import type { DoomedList } from './doomed.ts';
import type { EntityRecord } from './entityKeys.ts';
import { SHARED } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { stateRows } from './state.ts';
import { missingPacks } from './standingPacks.ts';

/**
 * Packs that an unfinished run's rows rely on; undefined where a prune took some of its data or rows, so that its work
 * cannot be taken over. A checkpoint is not looked at by a prune that listed the roots before it was written.
 */
export async function packsOfCheckpoint(
  context: RepositoryContext, entity: EntityRecord, checkpoint: Checkpoint, doomed: DoomedList, signal?: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const relied = new Set<string>();
  const indexes = [await StreamIndex.loadReadable(context, entity, signal), await StreamIndex.loadReadable(context, SHARED, signal)];
  const reader = new BlobReader(context, entity);
  const source = { storage: context.storage, keyring: context.keyring, tag: entity.tag };
  try {
    for await (const rows of stateRows(source, checkpoint.own, '', signal)) {
      for await (const ids of contentIds(reader, rows, signal)) {
        for (let at = 0; at < ids.length; at += 24) {
          const found = indexes[0]?.locate(ids, at, doomed.packs) ?? indexes[1]?.locate(ids, at, doomed.packs);
          if (!found) return undefined;
          relied.add(found.pack);
        }
      }
    }
    return (await missingPacks(context, entity.tag, relied, signal)).size === 0 ? relied : undefined;
  } catch (error) {
    if (isHoldfastError(error) && ['storage/not-found', 'repository/missing-blob'].includes(error.code)) return undefined;
    throw error;
  } finally {
    for (const index of indexes) index.close();
    await reader.close();
  }
}
