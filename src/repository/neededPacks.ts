import { isHoldfastError } from '../domain/index.ts';
import { BlobReader } from './blobReader.ts';
import type { StreamIndex } from './blobIndex.ts';
import type { EntityRecord } from './entityKeys.ts';
import { ContentWalk, walkVisible } from './liveness.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import type { Layer } from './segment.ts';

/** Told of each blob that some root shows: the pack where a reader finds it, and the numbers of the roots. */
export type VisitPack = (stream: string, pack: string, roots: readonly number[]) => void;

/**
 * Where the blobs of some roots of one entity are. Blobs that no index knows in a standing pack are passed over: that is damage, which `check`
 * tells. `gone`: packs that an index names and that do not stand.
 */
export async function visitNeededPacks(
  context: RepositoryContext, record: EntityRecord, roots: readonly (readonly Layer[])[],
  { indexes, gone, signal }: { indexes: readonly StreamIndex[]; gone: { has(pack: string): boolean }; signal?: AbortSignal | undefined },
  visit: VisitPack,
): Promise<void> {
  const reader = new BlobReader(context, record);
  const walk = new ContentWalk(reader);
  const find = (id: Buffer, showing: readonly number[]): void => {
    for (const index of indexes) {
      const place = index.locate(id, 0, gone);
      if (place) return visit(index.stream, place.pack, showing);
    }
  };
  try {
    const source = { storage: context.storage, keyring: context.keyring, tag: record.tag };
    await walkVisible(source, roots, (row, showing) =>
      walk.ids(row.content, (id) => find(id, showing), signal)?.catch(passOverMissing), signal);
  } finally {
    await reader.close();
  }
}

function passOverMissing(error: unknown): void {
  if (!isHoldfastError(error) || !['repository/missing-blob', 'storage/not-found', 'repository/damaged'].includes(error.code)) throw error;
}
