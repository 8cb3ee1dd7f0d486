import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { BlobReader } from './blobReader.ts';
import { contentIds } from './contentIds.ts';
import { readEntity, type EntityRecord } from './entityKeys.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { PackRewriter } from './pruneRewrite.ts';
import { ID_LENGTH } from './recipe.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import type { Layer } from './segment.ts';
import { prunedUnderRun } from './prunedUnderRun.ts';
import { stateRows } from './state.ts';

/**
 * Stores again every blob of a run's rows that stands only in doomed packs, and nothing else of those: what nobody needs must
 * not come back. The new packs are indexed. Where a doomed pack is gone already the run has to start again.
 * @returns the packs that the rows rely on from now: new ones, and those in which the others were found to stand.
 */
export async function rescueBlobs(
  context: RepositoryContext, run: EntityRecord, newLayers: readonly Layer[], doomed: { readonly packs: ReadonlySet<string> }, signal?: AbortSignal,
): Promise<Set<string>> {
  // Another first run of the entity may have put a key since, and packs that this run's rows rely on.
  const entity = await readEntity(context.storage, context.keyring, run.tag, signal);
  const relied = new Set<string>();
  for (const stream of [entity, SHARED] as const) {
    const index = await StreamIndex.loadReadable(context, stream, signal);
    const other = await StreamIndex.loadReadable(context, stream === SHARED ? entity : SHARED, signal);
    try {
      const lost = await lostFrames(context, entity, newLayers, doomed, [index, other], relied, signal);
      const packs = await copyFrames(context, entity, index.stream, lost, signal);
      await index.append(packs, signal);
      for (const pack of packs) relied.add(pack.id);
    } finally {
      index.close();
      other.close();
    }
  }
  return relied;
}

/** Packs that an index names although they are gone: what it says of them is no copy of a blob. */
async function gonePacks(context: RepositoryContext, index: StreamIndex, signal?: AbortSignal): Promise<Set<string>> {
  const gone = index.packs();
  for await (const object of listAll(context.storage, names.packs(index.stream), signal ? { signal } : {})) gone.delete(lastSegment(object.name));
  return gone;
}

/**
 * pack → places in it, of the first index, of blobs that the rows need and that stand nowhere else.
 * @param relied receives the packs in which the other blobs stand.
 */
async function lostFrames(
  context: RepositoryContext, entity: EntityRecord, newLayers: readonly Layer[], doomed: { readonly packs: ReadonlySet<string> },
  [index, other]: readonly [StreamIndex, StreamIndex], relied: Set<string>, signal?: AbortSignal,
): Promise<Map<string, Set<string>>> {
  const lost = new Map<string, Set<string>>();
  const source = { storage: context.storage, keyring: context.keyring, tag: entity.tag };
  const gone = new Set([...(await gonePacks(context, index, signal)), ...(await gonePacks(context, other, signal))]);
  const avoid = new Set([...gone, ...doomed.packs]);
  const reader = new BlobReader(context, entity);
  try {
    for await (const rows of stateRows(source, newLayers, '', signal)) {
      for await (const ids of contentIds(reader, rows, signal)) {
        for (let at = 0; at < ids.length; at += ID_LENGTH) {
          const standing = index.locate(ids, at, avoid) ?? other.locate(ids, at, avoid);
          if (standing) {
            relied.add(standing.pack);
            continue;
          }
          const place = index.locate(ids, at, gone);
          if (place) lost.set(place.pack, (lost.get(place.pack) ?? new Set()).add(placeName(ids.subarray(at, at + ID_LENGTH), place.frame.offset)));
          else if (!other.locate(ids, at, gone)) throw prunedUnderRun();
        }
      }
    }
  } finally {
    await reader.close();
  }
  return lost;
}

function placeName(id: Uint8Array, frameOffset: number): string {
  return `${frameOffset}/${Buffer.from(id).toString('latin1')}`;
}

/** A pack that is gone or damaged by now cannot be rescued from. */
async function copyFrames(
  context: RepositoryContext, entity: EntityRecord, stream: string, lost: ReadonlyMap<string, ReadonlySet<string>>, signal?: AbortSignal,
): Promise<IndexedPack[]> {
  const keyOf = stream === SHARED ? context.keyring.sharedOf : () => entity.packs.key;
  const rewriter = new PackRewriter(context, stream, keyOf,
    (id, pack, frameOffset) => lost.get(pack)?.has(placeName(id, frameOffset)) === true, () => true);
  for (const pack of lost.keys()) {
    let copied: boolean;
    try {
      copied = await rewriter.add(pack, signal);
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'storage/not-found') throw prunedUnderRun();
      throw error;
    }
    if (!copied) throw prunedUnderRun();
  }
  return rewriter.finish();
}
