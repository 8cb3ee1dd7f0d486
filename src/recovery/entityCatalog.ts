import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Entity } from '../domain/index.ts';
import { Catalog, followSnapshots, forgetEntity, trimCaches } from '../catalog/index.ts';
import type { Manifest, Repository } from '../repository/index.ts';
import { stateDifference } from './stateDifference.ts';

/** Bytes that the catalogs of one repository may take on this machine; the least recently used go first. */
const MOST_BYTES = 8 * 1024 * 1024 * 1024;
/** Of an entity that may not be indexed: a cache with words goes, file and all, when it is next opened. */
const UNINDEXED = '-unindexed';

export interface EntityCatalogOptions {
  /** Whether the entity may be indexed for search, as the repository's setting says. */
  readonly indexed: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The entity's local catalog, brought up to all its kept snapshots from the repository alone: each is added as what it
 * changed, pruned ones are dropped. `snapshots` are all of the entity, in time order. Close it.
 */
export async function openEntityCatalog(
  repository: Repository, snapshots: readonly Manifest[], { indexed, signal }: EntityCatalogOptions,
): Promise<Catalog> {
  const [first] = snapshots;
  if (!first) throw new RangeError('an entity without snapshots has no catalog');
  const { storage, keyring } = repository.context;
  const catalog = await open(repository, first.entity, indexed, signal);
  const byId = new Map(snapshots.map((manifest) => [manifest.id, manifest]));
  const source = { storage, keyring, tag: first.tag };
  try {
    await followSnapshots(catalog, {
      snapshots: snapshots.map(({ id, startedAt }) => ({ id, startedAt })),
      changes: (from, to, during) => stateDifference(source, from === undefined ? undefined : byId.get(from), byId.get(to) as Manifest, during),
    }, signal);
    await trimCaches(directoryOf(repository), MOST_BYTES, signal);
    return catalog;
  } catch (error) {
    await catalog.close();
    throw error;
  }
}

/** Deletes from this machine the catalogs of entities that may no longer be indexed, with all their words. */
export async function forgetWords(repository: Repository, entities: readonly Entity[], signal?: AbortSignal): Promise<void> {
  if (!existsSync(directoryOf(repository))) return;
  for (const entity of entities) await (await open(repository, entity, false, signal)).close();
}

async function open(repository: Repository, entity: Entity, indexed: boolean, signal: AbortSignal | undefined): Promise<Catalog> {
  const { clock, keyring, random } = repository.context;
  // Another one after an erasure or a change of keys: an older cache is then deleted unread.
  const generation = `${await repository.generation(keyring.entityTag(entity.id), signal)}${indexed ? '' : UNINDEXED}`;
  return Catalog.open({ directory: directoryOf(repository), entity: entity.id, generation, clock, random }, signal);
}

function directoryOf(repository: Repository): string {
  return join(repository.context.cacheDirectory, 'catalog');
}

/** Deletes what this machine keeps of an entity's rows; others do so when they next open them. */
export function forgetCatalog(repository: Repository, entity: string): void {
  forgetEntity(directoryOf(repository), entity);
}
