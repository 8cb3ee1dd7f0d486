import { HoldfastError } from '../domain/index.ts';
import type { Clock } from '../runtime/index.ts';
import { seeLateListing, type Storage } from '../storage/index.ts';
import { CONFIG, WEAK } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';

/**
 * A prune, and an erasure, relies on listings that show at once what was put: on what another program has just stored. Throws `repository/prune-refused` where the
 * service says that they may lag, where somebody has seen it, and where it shows now; what is seen is noted for all later prunes.
 */
export async function refuseWeakStorage({ storage, clock, random }: RepositoryContext, signal?: AbortSignal): Promise<void> {
  if (storage.listing === undefined) return;
  const options = signal ? { signal } : {};
  if (storage.listing === 'late') throw weak(storage.location, 'the service keeps its listings up only after a while');
  if (await storage.stat(WEAK, options)) throw weak(storage.location, 'it was seen there that listings or reads lag behind');
  const seen = await seeLateListing(storage, { clock, random, signal });
  if (seen === undefined) return;
  await putNote(storage, clock, seen, signal);
  throw weak(storage.location, seen);
}

/** Keeps what a trial of a place has found for the prunes of a repository there; `undefined` takes an earlier note away. */
export async function noteWeakness(storage: Storage, clock: Clock, seen: string | undefined, signal?: AbortSignal): Promise<void> {
  const options = signal ? { signal } : {};
  if (!(await storage.stat(CONFIG, options))) return;
  if (seen !== undefined) await putNote(storage, clock, seen, signal);
  else if (await storage.stat(WEAK, options)) await storage.delete(WEAK, options);
}

/** In the clear: a trial has no key, and the worst that a false note does is to stop prunes. */
async function putNote(storage: Storage, clock: Clock, seen: string, signal?: AbortSignal): Promise<void> {
  const text = `${JSON.stringify({ seenAt: new Date(clock.now()).toISOString(), seen })}\n`;
  await storage.put(WEAK, [Buffer.from(text)], signal ? { signal } : {});
}

function weak(location: string, why: string): HoldfastError {
  return new HoldfastError('repository/prune-refused', 'input',
    `Nothing was deleted: ${why}, so that a prune or an erasure at ${location} could take away what a backup beside it has just stored. Backups and restores work there. `
    + `To free space, copy the repository to another place ('holdfast copy') and prune there; 'holdfast storage test' tells whether a place is fit for it.`, { data: { location } });
}
