import { HoldfastError, type Entity, type Progress } from '../domain/index.ts';
import type { SearchHit, SearchQuery } from '../catalog/index.ts';
import type { Searchable } from '../connectors/contract.ts';
import { readIndexSetting, type Manifest, type Repository } from '../repository/index.ts';
import { buildSearchIndex } from './buildSearchIndex.ts';
import { openEntityCatalog } from './entityCatalog.ts';

/** An entity to look in: all its kept snapshots in time order, and what its connector says of searching. */
export interface SearchedEntity {
  readonly snapshots: readonly Manifest[];
  readonly search: Searchable;
  /** Only what this one of them shows. */
  readonly at?: string | undefined;
}

export interface SearchRequest {
  readonly query: SearchQuery;
  /** At most 1000. */
  readonly limit: number;
  /** The `cursor` of a hit: those after it. */
  readonly after?: string | undefined;
  /** False: nothing is indexed now; what is not indexed yet is told in `gaps`. */
  readonly index: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface EntityHit extends SearchHit {
  readonly entity: Entity;
  /** Where the list goes on after this hit; valid as long as the local catalog is not made anew. */
  readonly cursor: string;
}

/** What of an entity a search did not look into. */
export interface SearchGap {
  readonly entity: Entity;
  /** Versions that are not indexed yet. */
  readonly pending: number;
  /** Items that only their headers find, and some of them by name. */
  readonly failed: number;
  readonly failedNames: readonly string[];
  /** Nothing of the entity is indexed. */
  readonly unindexed: boolean;
  /** It may not be indexed: the repository's setting says so. */
  readonly off: boolean;
}

export interface SearchAnswer {
  /** Newest first, over all entities. */
  readonly hits: readonly EntityHit[];
  readonly more: boolean;
  readonly gaps: readonly SearchGap[];
  /** False where no entity ever had the folder that was asked for. */
  readonly folder: boolean;
}

const NAMED = 5;

/** A place in the list over all entities: by time, those of one moment by the entity's tag. */
interface Cursor {
  readonly place: number;
  readonly tag: string;
}

interface Tagged {
  readonly tag: string;
  readonly hit: EntityHit;
}

/**
 * Searches entities one after another: no more than one catalog is open, and no more than two pages are held. What may not be indexed is not looked
 * at, and told.
 */
export async function searchEntities(
  repository: Repository, entities: readonly SearchedEntity[], request: SearchRequest,
): Promise<SearchAnswer> {
  const after = request.after === undefined ? undefined : decodeCursor(request.after);
  const setting = await readIndexSetting(repository.context, request.signal);
  const gaps: SearchGap[] = [];
  let best: Tagged[] = [];
  let more = false;
  let folder = false;
  for (const searched of entities) {
    const [first] = searched.snapshots;
    if (!first) continue;
    if (!setting.of(first.tag)) {
      gaps.push({ entity: first.entity, pending: 0, failed: 0, failedNames: [], unindexed: true, off: true });
      continue;
    }
    const found = await searchOne(repository, searched, request, after, gaps);
    folder ||= found.folder;
    best.push(...found.hits.map((hit) => ({ tag: first.tag, hit: { ...hit, entity: first.entity, cursor: encodeCursor(hit.place, first.tag) } })));
    more ||= found.more || best.length > request.limit;
    best = best.toSorted((a, b) => b.hit.place - a.hit.place || (a.tag < b.tag ? -1 : 1)).slice(0, request.limit);
  }
  return { hits: best.map(({ hit }) => hit), more, gaps, folder };
}

async function searchOne(
  repository: Repository, { snapshots, search, at }: SearchedEntity, request: SearchRequest, after: Cursor | undefined, gaps: SearchGap[],
): Promise<{ hits: readonly SearchHit[]; more: boolean; folder: boolean }> {
  const { query, limit, index, signal, progress } = request;
  const { entity, tag } = snapshots[0] as Manifest;
  const catalog = await openEntityCatalog(repository, snapshots, { indexed: true, signal });
  try {
    if (index) await buildSearchIndex(repository, snapshots, catalog, { search, signal, progress });
    const { pending, failed, begun } = await catalog.search.status(signal);
    if (pending + failed > 0) {
      const failures = failed === 0 ? [] : await catalog.search.failures(NAMED, signal);
      gaps.push({ entity, pending, failed, failedNames: failures.map(({ row }) => row.name), unindexed: !begun && pending > 0, off: false });
    }
    const place = after && { after: after.place, inclusive: tag > after.tag };
    return await catalog.search.find(query, { limit, snapshot: at, ...place }, signal);
  } finally {
    await catalog.close();
  }
}

function encodeCursor(place: number, tag: string): string {
  return `${place.toString(36)}.${tag}`;
}

function decodeCursor(text: string): Cursor {
  const [, place, tag] = /^([0-9a-z]{1,11})\.([0-9a-f]{32})$/.exec(text) ?? [];
  if (place === undefined || tag === undefined) {
    throw new HoldfastError('search/bad-cursor', 'input', 'This place in the hits is none. Give the cursor of a hit as it is, or leave it out.');
  }
  return { place: Number.parseInt(place, 36), tag };
}
