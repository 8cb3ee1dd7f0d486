import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { contentIds } from './contentIds.ts';
import type { DoomedList } from './doomed.ts';
import { readEntity, type EntityRecord } from './entityKeys.ts';
import type { SealedFrame } from './frame.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { lastSegment, names, SHARED } from './names.ts';
import type { PackFrame } from './pack.ts';
import { PackWriter } from './packWriter.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import type { Layer } from './segment.ts';
import { prunedUnderRun } from './prunedUnderRun.ts';
import { stateRows } from './state.ts';
import { readPackDirectory } from './strayPacks.ts';

/**
 * Stores again every blob of a run's rows that stands only in doomed packs: whole frames are copied as they are into new
 * packs, which are indexed. Where a doomed pack is gone already the run has to start again.
 * @returns the packs that the rows rely on from now: new ones, and those in which the others were found to stand.
 */
export async function rescueBlobs(
  context: RepositoryContext, run: EntityRecord, newLayers: readonly Layer[], doomed: DoomedList, signal?: AbortSignal,
): Promise<Set<string>> {
  // Another first run of the entity may have put a key since, and packs that this run's rows rely on.
  const entity = await readEntity(context.storage, context.keyring, run.tag, signal);
  const relied = new Set<string>();
  for (const stream of [entity.tag, SHARED]) {
    const index = await StreamIndex.loadReadable(context, stream, signal);
    const other = await StreamIndex.loadReadable(context, stream === SHARED ? entity.tag : SHARED, signal);
    try {
      const lost = await lostFrames(context, entity, newLayers, doomed, [index, other], relied, signal);
      const packs = await copyFrames(context, entity, stream, lost, signal);
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
 * pack → offsets of its frames, of the first index, that hold a blob which the rows need and which stands nowhere else.
 * @param relied receives the packs in which the other blobs stand.
 */
async function lostFrames(
  context: RepositoryContext, entity: EntityRecord, newLayers: readonly Layer[], doomed: DoomedList,
  [index, other]: readonly [StreamIndex, StreamIndex], relied: Set<string>, signal?: AbortSignal,
): Promise<Map<string, Set<number>>> {
  const lost = new Map<string, Set<number>>();
  const source = { storage: context.storage, keyring: context.keyring, tag: entity.tag };
  const gone = new Set([...(await gonePacks(context, index, signal)), ...(await gonePacks(context, other, signal))]);
  const avoid = new Set([...gone, ...doomed.packs]);
  for await (const rows of stateRows(source, newLayers, '', signal)) {
    for await (const ids of contentIds(context, entity, rows, signal)) {
      for (let at = 0; at < ids.length; at += 24) {
        const standing = index.locate(ids, at, avoid) ?? other.locate(ids, at, avoid);
        if (standing) {
          relied.add(standing.pack);
          continue;
        }
        const place = index.locate(ids, at, gone);
        if (!place && !other.locate(ids, at, gone)) throw prunedUnderRun();
        if (!place) continue;
        const frames = lost.get(place.pack) ?? new Set();
        lost.set(place.pack, frames.add(place.frame.offset));
      }
    }
  }
  return lost;
}

async function copyFrames(
  context: RepositoryContext, entity: EntityRecord, stream: string, lost: ReadonlyMap<string, ReadonlySet<number>>, signal?: AbortSignal,
): Promise<IndexedPack[]> {
  const key = stream === SHARED ? context.keyring.shared : entity.packs;
  const writer = new PackWriter(context.storage, stream, key, context.clock, context.random);
  const keyOf = stream === SHARED ? context.keyring.sharedOf : () => entity.packs.key;
  for (const [pack, offsets] of lost) {
    const name = names.pack(stream, pack);
    const size = (await context.storage.stat(name, signal ? { signal } : {}))?.size;
    if (size === undefined) throw prunedUnderRun();
    for (const frame of await readPackDirectory(context, stream, lastSegment(name), size, keyOf, signal)) {
      if (offsets.has(frame.offset)) {
        await writer.ready();
        writer.add(await readSealed(context, name, frame, signal));
      }
    }
  }
  return writer.flush();
}

async function readSealed(context: RepositoryContext, name: string, frame: PackFrame, signal?: AbortSignal): Promise<SealedFrame> {
  try {
    const sealed = await context.storage.get(name, { range: frame, ...(signal ? { signal } : {}) });
    return {
      sealed: sealed as Uint8Array<ArrayBuffer>, plainLength: frame.plainLength,
      ids: frame.ids as Uint8Array<ArrayBuffer>, lengths: frame.lengths as Uint32Array<ArrayBuffer>,
    };
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'storage/not-found') throw prunedUnderRun();
    throw error;
  }
}
