import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import type { StreamIndex } from './blobIndex.ts';
import { openTail } from './container.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { lastSegment, names } from './names.ts';
import { decodeDirectory, PACK_MAGIC, type PackFrame } from './pack.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isUnreadable } from './sealedObject.ts';
import type { SealingKey } from './xaes.ts';

/** Reads the directory of one pack. */
export async function readPackDirectory(
  context: RepositoryContext, stream: string, id: string, size: number, keyOf: (epoch: number) => SealingKey, signal?: AbortSignal,
): Promise<PackFrame[]> {
  const name = names.pack(stream, id);
  const tail = await openTail(context.storage, name, size, PACK_MAGIC, keyOf, signal);
  return decodeDirectory(name, tail.directory);
}

/**
 * Complete packs that no index names are what a killed run left: they are indexed, so that the rerun finds their blobs.
 * A pack that is damaged or goes away meanwhile is passed over here; `check` names it.
 * @param doomed packs that are announced for deletion stay as they are.
 * @returns packs that the index names although they are gone: a prune took them while a merge of the index was under way.
 */
export async function indexStrayPacks(
  context: RepositoryContext, index: StreamIndex, keyOf: (epoch: number) => SealingKey, doomed: { readonly packs: ReadonlySet<string> }, signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const gone = index.packs();
  const stray: IndexedPack[] = [];
  for await (const object of listAll(context.storage, names.packs(index.stream), signal ? { signal } : {})) {
    const id = lastSegment(object.name);
    if (gone.delete(id) || doomed.packs.has(id)) continue;
    try {
      const frames = await readPackDirectory(context, index.stream, id, object.size, keyOf, signal);
      stray.push({ id, size: object.size, frames });
    } catch (error) {
      if (!isUnreadable(error) && !(isHoldfastError(error) && error.code === 'storage/not-found')) throw error;
    }
    if (stray.length >= 64) await index.append(stray.splice(0), signal);
  }
  await index.append(stray, signal);
  return gone;
}
