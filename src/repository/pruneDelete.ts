import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StreamIndex } from './blobIndex.ts';
import { DoomedList } from './doomed.ts';
import type { IdTable } from './idTable.ts';
import { LockedTally } from './lockedTally.ts';
import { lastSegment, names } from './names.ts';
import type { PruneView } from './pruneRoots.ts';
import type { Doom } from './pruneSpare.ts';
import { namesUnder, tagAndId } from './roots.ts';
import { indexedStream } from './streams.ts';

/** Deletions under way at once. */
const LANES = 8;

/** What a prune deleted, and what an erasure met. */
export interface Gone {
  /** Full names. */
  readonly objects: readonly string[];
  readonly rewritten: ReadonlySet<string>;
  /** Erased blobs that somebody else needs. */
  readonly needed: IdTable;
  /** Pins of runs upon snapshots that an erasure took away. */
  readonly interrupted: ReadonlySet<string>;
  /** Full names of damaged packs with waste, of which nothing tells what it is. */
  readonly unread: ReadonlySet<string>;
}

/** In any order, but for what is locked. */
export async function deleteAll(view: Pick<PruneView, 'context' | 'signal'> & Partial<Pick<PruneView, 'locked'>>, doomed: Iterable<string>): Promise<void> {
  const locked = view.locked ?? new LockedTally(view.context);
  const queue = [...doomed];
  const lane = async (): Promise<void> => {
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) await locked.deleteUnlessLocked(name, view.signal);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Manifests first, so that no snapshot ever stands without its data or its place in the index; then seals. */
export async function deleteSnapshots(view: PruneView, doom: Doom, strayClosings: readonly string[]): Promise<void> {
  await deleteAll(view, doom.manifests);
  // The seal of a manifest that is locked stays, or the snapshot would look like one that was never finished.
  const seals = [...doom.manifests].filter((name) => !view.locked.refused.has(name)).map((name) => {
    const { tag, id } = tagAndId(name);
    return names.seal(tag, id);
  });
  await deleteAll(view, [...seals, ...strayClosings]);
}

/** @param waits ids of packs that are known to be locked. */
export async function deleteData(view: PruneView, doom: Doom, waits: ReadonlySet<string>): Promise<void> {
  await deleteAll(view, doom.checkpoints);
  await deleteAll(view, doom.segments);
  await deleteAll(view, [...doom.packs].filter(([pack]) => !waits.has(pack)).map(([pack, stream]) => names.pack(stream, pack)));
}

/** Writes the index without the packs that go: after the snapshots that needed them went, before they do. @returns full names of segments that are not needed any more. */
export async function rewriteIndexes(
  view: PruneView, streams: Iterable<string>, dropped: (pack: string) => boolean,
): Promise<string[]> {
  const replaced: string[] = [];
  for (const stream of streams) {
    const index = await StreamIndex.load(view.context, await indexedStream(view.context, stream, view.signal), view.signal);
    try {
      for (const id of await index.rewrite((pack) => !dropped(pack), view.signal)) replaced.push(names.index(stream, id));
      for (const id of index.written) view.erasure?.indexes?.add(names.index(stream, id));
    } finally {
      index.close();
    }
  }
  return replaced;
}

/** Older segments before those that replace them; and their local copies. */
export async function deleteIndexSegments(view: PruneView, replaced: readonly string[]): Promise<void> {
  for (const name of replaced.toSorted()) {
    await view.locked.deleteUnlessLocked(name, view.signal);
    await rm(join(view.context.cacheDirectory, 'index', `${lastSegment(name)}.idx`), { force: true });
  }
}

/**
 * Voids of manifests that are gone, its own records, and those of others; a record of which something is left stays.
 * @param ownRecords of which nothing is left.
 */
export async function deleteLeftovers(view: PruneView, ownRecords: readonly string[]): Promise<void> {
  const { context, signal } = view;
  const voids = await namesUnder(context, 'void/', signal);
  const manifests = await namesUnder(context, 'snapshots/', signal);
  await deleteAll(view, [...voids].filter((name) => {
    const { tag, id } = tagAndId(name);
    return !manifests.has(names.snapshot(tag, id.split('-')[0] ?? ''));
  }));
  await deleteAll(view, ownRecords);
  const others = await DoomedList.load(context.storage, context.keyring, signal);
  for (const [name, record] of others.records) {
    if (await nothingStands(view, record.objects)) await context.storage.delete(name, signal ? { signal } : {});
  }
}

async function nothingStands(view: PruneView, objects: readonly string[]): Promise<boolean> {
  for (const name of objects) if (await view.context.storage.stat(name, view.signal ? { signal: view.signal } : {})) return false;
  return true;
}
