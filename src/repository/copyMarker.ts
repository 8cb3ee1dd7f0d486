import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { namesUnder } from './roots.ts';
import { isCount, isText, objectOf, orNull, shaped } from './recordShape.ts';
import { isUnreadable, openJson, sealJson } from './sealedObject.ts';

const PREFIX = names.copy('');

/** What stands in a copy as long as it is one; each run of `copy` puts one and takes away those that it found. */
export interface CopyMarker {
  /** Where the source was: the address without secrets. */
  readonly of: string;
  readonly madeAt: string;
  /** How many packs the index is known to name; null: not known. */
  readonly packs: number | null;
  /** `<tag>/<id>` of snapshots of which something could not be copied, with the number of missing blobs. */
  readonly flawed: Readonly<Record<string, number>>;
}

const isMarker = objectOf({ of: isText, packs: orNull(isCount), flawed: objectOf({}) });

/** Names of the markers, the oldest first; none: no copy. */
export function markerNames(context: RepositoryContext, signal?: AbortSignal): Promise<Set<string>> {
  return namesUnder(context, PREFIX, signal);
}

export async function isCopy(context: RepositoryContext, signal?: AbortSignal): Promise<boolean> {
  const { objects } = await context.storage.list(PREFIX, { limit: 1, ...(signal ? { signal } : {}) });
  return objects.length > 0;
}

/** Undefined where it is gone or cannot be read: it saves work, and that it stands is what counts. */
export async function readMarker(context: RepositoryContext, name: string, signal?: AbortSignal): Promise<CopyMarker | undefined> {
  try {
    const value = openJson(name, await context.storage.get(name, signal ? { signal } : {}), context.keyring.metaOf);
    return shaped<CopyMarker>(name, value, isMarker);
  } catch (error) {
    if (isUnreadable(error) || (isHoldfastError(error) && error.code === 'storage/not-found')) return undefined;
    throw error;
  }
}

/** @returns its name. */
export async function putMarker(context: RepositoryContext, marker: Omit<CopyMarker, 'madeAt'>, signal?: AbortSignal): Promise<string> {
  const { storage, keyring, clock, random } = context;
  const now = clock.now();
  const name = names.copy(timeOrderedId(now, random));
  const record: CopyMarker = { ...marker, madeAt: new Date(now).toISOString() };
  await storage.put(name, sealJson(name, record, keyring.meta, random), signal ? { signal } : {});
  return name;
}

/** Backups and prunes have no place in a copy: what they change there the original never learns. Throws `repository/is-copy`. */
export async function refuseCopy(context: RepositoryContext, signal?: AbortSignal): Promise<void> {
  const page = await context.storage.list(PREFIX, { limit: 1, ...(signal ? { signal } : {}) });
  const name = page.objects[0]?.name;
  if (name === undefined) return;
  const marker = await readMarker(context, name, signal);
  throw new HoldfastError('repository/is-copy', 'input',
    `The repository at ${context.storage.location} is a copy${marker ? ` of ${marker.of}` : ''}: it is written by 'holdfast copy' alone. `
    + `Use the original; or, when this one is to take its place, make it independent with 'holdfast copy --detach'.`,
    { data: { location: context.storage.location } });
}

/** From now on the repository stands on its own: backups and prunes work in it, `copy` into it does not. @returns whether it was a copy. */
export async function detachCopy(context: RepositoryContext, signal?: AbortSignal): Promise<boolean> {
  const found = await markerNames(context, signal);
  for (const name of found) await context.storage.delete(name, signal ? { signal } : {});
  return found.size > 0;
}
