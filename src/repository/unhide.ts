import { noLocks, type Storage, type VersionedObject } from '../storage/index.ts';
import type { Clock } from '../runtime/index.ts';
import { inLanes } from './inLanes.ts';
import { isLockable, isReplaceable } from './lockable.ts';
import { isHidden, lockedVersion } from './lockedVersions.ts';

const LANES = 4;

export interface UnhideOptions {
  readonly dryRun?: boolean;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Brings back every locked object of a repository that somebody deleted or put something else over: what lies on top is taken away, and what
 * is itself locked by then is put under once more. Of a key slot only deletions are taken back: which of several versions is its author's nobody tells
 * without a key, and who opens the repository tries them all. Needs no key. Errors: `storage/no-lock` and those of the storage.
 * @returns names, in ascending order.
 */
export async function unhide(storage: Storage, { dryRun = false, clock, signal }: UnhideOptions): Promise<string[]> {
  const { locks, location } = storage;
  if (!locks || !(await locks.state({ signal })).available) throw noLocks(location);
  const found: string[] = [];
  for (let after: string | undefined; ;) {
    const page = await locks.versions('', { after, signal });
    const odd = page.objects.filter(({ name, deleted, versions }) => isLockable(name) && (deleted || versions.length > 1));
    await inLanes(odd, LANES, async (object) => {
      const own = await lockedVersion(locks, object, clock.now(), signal);
      if (!own || !(isReplaceable(object.name) ? object.deleted : await isHidden(locks, object, own.version, signal))) return;
      if (!dryRun) await uncover(storage, object, { version: own.version.id, clock, signal });
      found.push(object.name);
    });
    if (page.next === undefined) return found.toSorted();
    after = page.next;
  }
}

async function uncover(
  storage: Storage, { name, versions, deletions }: VersionedObject, { version, clock, signal }: { version: string; clock: Clock; signal: AbortSignal | undefined },
): Promise<void> {
  const { locks } = storage;
  if (!locks) return;
  for (const mark of deletions) await locks.remove(name, mark, { signal });
  if (isReplaceable(name)) return;
  const above = versions.slice(0, versions.findIndex(({ id }) => id === version));
  let stuck = false;
  for (const { id } of above) {
    const lock = await locks.lockOf(name, id, { signal });
    if (lock && lock.until > clock.now()) stuck = true;
    else await locks.remove(name, id, { signal });
  }
  if (!stuck) return;
  const lock = await locks.lockOf(name, version, { signal });
  await storage.put(name, [await locks.read(name, version, { signal })], { ...(lock && { lock }), ...(signal && { signal }) });
}
