import { listAll } from '../storage/index.ts';
import { lastSegment, names, SHARED } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';

/** Up to so many packs are looked for one by one; for more, listing all is cheaper. */
const ONE_BY_ONE = 32;

/** Those of an entity's `packs` (own or shared) that do not stand. */
export async function missingPacks(
  context: RepositoryContext, tag: string, packs: ReadonlySet<string>, signal?: AbortSignal,
): Promise<Set<string>> {
  const missing = new Set(packs);
  const options = signal ? { signal } : {};
  for (const stream of [tag, SHARED]) {
    if (missing.size > ONE_BY_ONE) {
      for await (const object of listAll(context.storage, names.packs(stream), options)) missing.delete(lastSegment(object.name));
    } else {
      for (const pack of missing) if (await context.storage.stat(names.pack(stream, pack), options)) missing.delete(pack);
    }
  }
  return missing;
}
