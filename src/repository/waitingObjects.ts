import { DoomedList } from './doomed.ts';
import { keepsLocked } from './lockEnds.ts';
import type { RepositoryContext } from './repositoryContext.ts';

/** Full names of what waits for the end of its locks, all or of one erasure. A place that locks nothing is not asked. */
export async function waitingObjects(context: RepositoryContext, signal?: AbortSignal, items?: string): Promise<ReadonlySet<string>> {
  if (!keepsLocked(context.storage)) return new Set();
  const { records } = await DoomedList.load(context.storage, context.keyring, signal);
  return new Set([...records.values()].flatMap(({ waits, objects }) => (waits && (items === undefined || waits.items === items) ? objects : [])));
}
