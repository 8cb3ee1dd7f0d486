import { isHoldfastError } from '../domain/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { contentIds } from './contentIds.ts';
import type { DoomedList } from './doomed.ts';
import type { EntityRecord } from './entityKeys.ts';
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
 * @returns the ids of the new packs.
 */
export async function rescueBlobs(
  context: RepositoryContext, entity: EntityRecord, newLayers: readonly Layer[], doomed: DoomedList, signal?: AbortSignal,
): Promise<string[]> {
  const stored: string[] = [];
  for (const stream of [entity.tag, SHARED]) {
    const index = await StreamIndex.loadReadable(context, stream, signal);
    const other = await StreamIndex.loadReadable(context, stream === SHARED ? entity.tag : SHARED, signal);
    try {
      const lost = await lostFrames(context, entity, newLayers, doomed, index, other, signal);
      const packs = await copyFrames(context, entity, stream, lost, signal);
      await index.append(packs, signal);
      stored.push(...packs.map((pack) => pack.id));
    } finally {
      index.close();
      other.close();
    }
  }
  return stored;
}

/** pack → offsets of its frames that hold a blob which the rows need and which stands nowhere else. */
async function lostFrames(
  context: RepositoryContext, entity: EntityRecord, newLayers: readonly Layer[], doomed: DoomedList,
  index: StreamIndex, other: StreamIndex, signal?: AbortSignal,
): Promise<Map<string, Set<number>>> {
  const lost = new Map<string, Set<number>>();
  const source = { storage: context.storage, keyring: context.keyring, tag: entity.tag };
  const nothing = new Set<string>();
  for await (const rows of stateRows(source, newLayers, '', signal)) {
    for await (const ids of contentIds(context, entity, rows, signal)) {
      for (let at = 0; at < ids.length; at += 24) {
        if (index.locate(ids, at, doomed.packs) || other.locate(ids, at, doomed.packs)) continue;
        const place = index.locate(ids, at, nothing);
        if (!place && !other.locate(ids, at, nothing)) throw prunedUnderRun();
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
