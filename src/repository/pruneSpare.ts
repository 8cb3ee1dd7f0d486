import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { BlobReader } from './blobReader.ts';
import { StreamIndex } from './blobIndex.ts';
import { DoomedList } from './doomed.ts';
import { readEntity } from './entityKeys.ts';
import { ContentWalk, walkVisible } from './liveness.ts';
import { lastSegment, names, SHARED } from './names.ts';
import type { PruneView } from './pruneRoots.ts';
import {
  listRootNames, pinnedManifests, readCheckpointRoot, readRootManifest, tagAndId, type Root,
} from './roots.ts';

/** What a prune is about to delete. Everything that is spared is taken out. */
export interface Doom {
  /** Ids of packs, whatever their stream. */
  readonly packs: Map<string, string>;
  /** Full names. */
  readonly manifests: Set<string>;
  readonly segments: Set<string>;
  readonly checkpoints: Set<string>;
}

/** What the prune found before it announced anything. */
export interface Before {
  /** Names of all roots that it counted or retired. */
  readonly roots: ReadonlySet<string>;
  /** Sealed and unfinished roots by entity. */
  readonly byTag: ReadonlyMap<string, readonly Root[]>;
  /** Ids of packs that stood. */
  readonly packs: ReadonlySet<string>;
}

/**
 * The second look, after the announcement stands: pins, then checkpoints, seals and manifests, then what others
 * announced, then packs. What a root needs and would have no other place is spared. @returns whether anything was.
 */
export async function spare(view: PruneView, before: Before, doom: Doom, ownRecords: readonly string[]): Promise<boolean> {
  const { context, signal } = view;
  const size = (): number => doom.packs.size + doom.manifests.size + doom.segments.size + doom.checkpoints.size;
  const at = size();
  const now = await listRootNames(context, signal);
  // What an erasure removes is not spared for a pin: it was swept away, or its author sees the record.
  const swept = view.erasure && names.snapshot(view.erasure.tag, '');
  const pinned = new Set([...(await pinnedManifests(context, now.pins, signal))].filter((name) => swept === undefined || !name.startsWith(swept)));
  const added = await newRoots(view, before, doom, now.manifests, now.checkpoints, pinned);
  const others = await DoomedList.load(context.storage, context.keyring, signal, ownRecords);
  const standing = await packIds(view);
  // Another prune took, or is about to take, packs that this one counted on: everything is looked at again.
  const worse = [...others.packs].some((pack) => !view.others.packs.has(pack)) || [...before.packs].some((pack) => !standing.has(pack));
  const tags = worse ? new Set([...before.byTag.keys(), ...added.keys()]) : new Set(added.keys());
  for (const tag of tags) {
    const fresh = added.get(tag) ?? [];
    for (const ref of fresh.flatMap((root) => root.layers.flat())) doom.segments.delete(names.segment(tag, ref.id));
    const roots = worse ? [...(before.byTag.get(tag) ?? []), ...fresh] : fresh;
    await sparePacks(view, tag, roots, doom, standing, others.packs);
  }
  return size() !== at;
}

async function newRoots(
  view: PruneView, before: Before, doom: Doom,
  manifests: ReadonlySet<string>, checkpoints: ReadonlySet<string>, pinned: ReadonlySet<string>,
): Promise<Map<string, Root[]>> {
  const added = new Map<string, Root[]>();
  const add = (root: Root | undefined): void => {
    if (!root) return;
    const { tag } = tagAndId(root.name);
    added.set(tag, [...(added.get(tag) ?? []), root]);
  };
  for (const name of manifests) {
    if (before.roots.has(name) && !(pinned.has(name) && doom.manifests.has(name))) continue;
    doom.manifests.delete(name);
    const stored = await readRootManifest(view.context, name, view.signal);
    add(stored && { name, layers: stored.manifest.layers });
  }
  for (const name of checkpoints) {
    // A run writes its checkpoints under one name: one that is given up may have come back.
    if (before.roots.has(name) && !doom.checkpoints.has(name)) continue;
    const root = before.roots.has(name) ? undefined : await readCheckpointRoot(view.context, name, view.signal);
    if (root !== 'damaged') add(root);
  }
  return added;
}

async function packIds(view: PruneView): Promise<Set<string>> {
  const ids = new Set<string>();
  const options = view.signal ? { signal: view.signal } : {};
  for await (const object of listAll(view.context.storage, 'packs/', options)) ids.add(lastSegment(object.name));
  return ids;
}

/** Takes out of `doom` the packs without which a blob of these roots has no place in a standing pack that nobody announced. */
async function sparePacks(
  view: PruneView, tag: string, roots: readonly Root[], doom: Doom, standing: ReadonlySet<string>, announced: ReadonlySet<string>,
): Promise<void> {
  const { context, signal } = view;
  const entity = await readEntity(context.storage, context.keyring, tag, signal);
  const reader = new BlobReader(context, entity);
  const indexes = [await StreamIndex.load(context, entity, signal), await StreamIndex.load(context, SHARED, signal)];
  const unlike = (fits: (pack: string) => boolean) => ({ has: (pack: string) => !fits(pack) });
  const safe = unlike((pack) => standing.has(pack) && !announced.has(pack) && !doom.packs.has(pack));
  // Announced by another prune too, it is spared all the same: each prune sees the root and withdraws its own word.
  const ours = unlike((pack) => standing.has(pack) && doom.packs.has(pack));
  const keep = (id: Buffer): void => {
    if (indexes.some((index) => index.locate(id, 0, safe))) return;
    const place = indexes.map((index) => index.locate(id, 0, ours)).find((found) => found !== undefined);
    if (place) doom.packs.delete(place.pack);
  };
  const source = { storage: context.storage, keyring: context.keyring, tag };
  const walk = new ContentWalk(reader);
  try {
    for (const root of roots) {
      try {
        await walkVisible(source, [root.layers], (row) => walk.ids(row.content, keep, signal), signal);
      } catch (error) {
        // Deleted since it was listed, or of a run that has lost what it relied on and will start again.
        if (!isHoldfastError(error) || !['storage/not-found', 'repository/missing-blob'].includes(error.code)) throw error;
      }
    }
  } finally {
    await reader.close();
    for (const index of indexes) index.close();
  }
}
