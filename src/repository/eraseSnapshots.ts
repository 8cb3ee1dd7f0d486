import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { checkSeal, readManifest, type ManifestRef, type StoredManifest } from './manifest.ts';
import { lastSegment, names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { waitingObjects } from './waitingObjects.ts';

/** By the id of a snapshot that stands: what stands for it since an erasure. */
export function supersededBy(stored: readonly StoredManifest[]): Map<string, ManifestRef> {
  const standing = new Set(stored.map(({ manifest }) => manifest.id));
  const by = new Map<string, ManifestRef>();
  for (const { manifest, sha256 } of stored) {
    if (manifest.replaces && standing.has(manifest.replaces.id)) by.set(manifest.replaces.id, { id: manifest.id, sha256 });
  }
  return by;
}

/**
 * All that are sealed, those that others stand for too, oldest first, but not what was removed and only waits for the end of its locks.
 * A damaged one ends it: what it holds is not known.
 */
export async function sealedManifests(context: RepositoryContext, tag: string, signal?: AbortSignal): Promise<StoredManifest[]> {
  const { storage, keyring } = context;
  const stored: StoredManifest[] = [];
  const waiting = await waitingObjects(context, signal);
  for await (const { name } of listAll(storage, names.seal(tag, ''), signal ? { signal } : {})) {
    if (waiting.has(name.replace('seals/', 'snapshots/'))) continue;
    try {
      const one = await readManifest(storage, keyring, tag, lastSegment(name), signal);
      await checkSeal(storage, keyring, one, signal);
      stored.push(one);
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
    }
  }
  return stored;
}
