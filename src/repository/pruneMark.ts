import { isHoldfastError } from '../domain/index.ts';
import { BlobReader } from './blobReader.ts';
import { lostRecords, readEntity } from './entityKeys.ts';
import { ContentWalk, walkVisible } from './liveness.ts';
import { names } from './names.ts';
import { refused, type EntityRoots, type PruneView } from './pruneRoots.ts';
import type { PruneStream } from './pruneStream.ts';
import type { Root } from './roots.ts';

/**
 * Marks every blob that the entity's roots need, in its own stream and the shared one.
 * @param segments full names of the entity's catalog segments, listed after its roots were read.
 * @returns how many blobs of sealed snapshots are nowhere.
 */
export async function markEntity(
  view: PruneView, entity: EntityRoots, segments: ReadonlySet<string>, own: PruneStream, shared: PruneStream,
): Promise<number> {
  const unfinished = entity.unfinished.filter((root) => missingSegment(entity.tag, root, segments) === undefined);
  for (const root of entity.sealed) {
    const missing = missingSegment(entity.tag, root, segments);
    if (missing) throw refused(`${missing} is missing`);
  }
  const roots = [...entity.sealed, ...unfinished];
  if (roots.length === 0) return 0;
  let lost = 0;
  const mark = (id: Buffer, sealed: boolean): void => {
    if (own.mark(id) || shared.mark(id) || own.markAnnounced(id) || shared.markAnnounced(id)) return;
    if (sealed) lost++;
  };
  const { context, signal } = view;
  const record = await readEntity(context.storage, context.keyring, entity.tag, signal);
  const [lostKey] = lostRecords(record, entity.sealed);
  if (lostKey !== undefined) throw refused(`${lostKey} is missing`);
  const reader = new BlobReader(context, record);
  const walk = new ContentWalk(reader);
  try {
    await walkVisible({ storage: context.storage, keyring: context.keyring, tag: entity.tag }, roots.map((root) => root.layers),
      (row, showing) => {
        const sealed = (showing[0] ?? 0) < entity.sealed.length;
        const waiting = walk.ids(row.content, (id) => mark(id, sealed), signal);
        return waiting?.catch((error: unknown) => {
          if (!isMissing(error)) throw error;
          if (sealed) lost++;
        });
      }, signal);
  } finally {
    await reader.close();
  }
  return lost;
}

/** An unfinished run may name what a prune took from under it, and finds that out itself; a sealed snapshot may not. */
function isMissing(error: unknown): boolean {
  return isHoldfastError(error) && ['repository/missing-blob', 'storage/not-found'].includes(error.code);
}

function missingSegment(tag: string, root: Root, segments: ReadonlySet<string>): string | undefined {
  return root.layers.flat().map((ref) => names.segment(tag, ref.id)).find((name) => !segments.has(name));
}
