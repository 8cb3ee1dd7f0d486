import { join } from 'node:path';
import { Catalog, followSnapshots, trimCaches } from '../catalog/index.ts';
import type { Manifest, Repository } from '../repository/index.ts';
import { stateDifference } from './stateDifference.ts';

/** Bytes that the catalogs of one repository may take on this machine; the least recently used go first. */
const MOST_BYTES = 8 * 1024 * 1024 * 1024;
/** Raised when rows must never be read again from an older cache: after an erasure or a change of keys. */
const GENERATION = '1';

/**
 * The entity's local catalog, brought up to all its kept snapshots from the repository alone: each is added as what it
 * changed, pruned ones are dropped. `snapshots` are all of the entity, in time order. Close it.
 */
export async function openEntityCatalog(
  repository: Repository, snapshots: readonly Manifest[], signal?: AbortSignal,
): Promise<Catalog> {
  const [first] = snapshots;
  if (!first) throw new RangeError('an entity without snapshots has no catalog');
  const { storage, keyring, cacheDirectory, clock, random } = repository.context;
  const directory = join(cacheDirectory, 'catalog');
  const catalog = await Catalog.open({ directory, entity: first.entity.id, generation: GENERATION, clock, random }, signal);
  const byId = new Map(snapshots.map((manifest) => [manifest.id, manifest]));
  const source = { storage, keyring, tag: first.tag };
  try {
    await followSnapshots(catalog, {
      snapshots: snapshots.map(({ id, startedAt }) => ({ id, startedAt })),
      changes: (from, to, during) => stateDifference(source, from === undefined ? undefined : byId.get(from), byId.get(to) as Manifest, during),
    }, signal);
    await trimCaches(directory, MOST_BYTES, signal);
    return catalog;
  } catch (error) {
    await catalog.close();
    throw error;
  }
}
