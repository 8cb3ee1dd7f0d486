import { listAll } from '../storage/index.ts';
import { appendRecord } from './journal.ts';
import { names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isText, listOf, objectOf, shaped } from './recordShape.ts';
import { openJson } from './sealedObject.ts';

/** One removed snapshot: its manifest's SHA-256 (hex) is what its successor names as predecessor. */
export interface RemovedSnapshot {
  readonly tag: string;
  readonly id: string;
  readonly sha256: string;
}

/** The journal's word that snapshots were removed on purpose; without it a gap in the chain is damage. */
export interface RemovalRecord {
  readonly madeAt: string;
  readonly removed: readonly RemovedSnapshot[];
}

const PREFIX = 'removals/';
const isRemoval = objectOf({ removed: listOf(objectOf({ tag: isText, id: isText, sha256: isText })) });

/** Puts the record under the next free number. It must stand before the first of the manifests is deleted. */
export async function writeRemoval(context: RepositoryContext, removed: readonly RemovedSnapshot[], signal?: AbortSignal): Promise<void> {
  const record: RemovalRecord = { madeAt: new Date(context.clock.now()).toISOString(), removed };
  await appendRecord(context, PREFIX, names.removal, record, signal);
}

/** Every removal on record, as `<tag>/<id>` → hashes of the manifest. */
export async function readRemovals(
  context: RepositoryContext, onDamage: (name: string, error: unknown) => void, signal?: AbortSignal,
): Promise<Map<string, Set<string>>> {
  const removed = new Map<string, Set<string>>();
  for await (const object of listAll(context.storage, PREFIX, signal ? { signal } : {})) {
    try {
      const bytes = await context.storage.get(object.name, signal ? { signal } : {});
      for (const one of shaped<RemovalRecord>(object.name, openJson(object.name, bytes, context.keyring.metaOf), isRemoval).removed) {
        const key = `${one.tag}/${one.id}`;
        removed.set(key, (removed.get(key) ?? new Set()).add(one.sha256));
      }
    } catch (error) {
      onDamage(object.name, error);
    }
  }
  return removed;
}
