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
 * tells. `gone`: packs that an index names and that do not stand. `doomed`: announced for deletion; such a pack counts only where a blob has no other place.
 */
export async function visitNeededPacks(
  context: RepositoryContext, record: EntityRecord, roots: readonly (readonly Layer[])[],
  { indexes, gone, doomed, signal }: {
    indexes: readonly StreamIndex[]; gone: { has(pack: string): boolean }; doomed: ReadonlySet<string>; signal?: AbortSignal | undefined;
  },
  visit: VisitPack,
): Promise<void> {
  const reader = new BlobReader(context, record);
  const walk = new ContentWalk(reader);
  const avoid = { has: (pack: string) => gone.has(pack) || doomed.has(pack) };
  const found = (id: Buffer, showing: readonly number[], but: typeof avoid): boolean => {
    for (const index of indexes) {
      const place = index.locate(id, 0, but);
      if (!place) continue;
      visit(index.stream, place.pack, showing);
      return true;
    }
    return false;
  };
  const find = (id: Buffer, showing: readonly number[]): void => {
    if (!found(id, showing, avoid) && doomed.size > 0) found(id, showing, gone);
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
