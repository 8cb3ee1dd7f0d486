import { listAll } from '../storage/index.ts';
import { appendRecord } from './journal.ts';
import { names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isText, listOf, objectOf, orMissing, shaped } from './recordShape.ts';
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
  /** Key slots that were taken away: one that is put back gets no key of a later epoch. */
  readonly slots?: readonly string[];
}

const PREFIX = 'removals/';
const isRemoval = objectOf({
  removed: listOf(objectOf({ tag: isText, id: isText, sha256: isText })),
  slots: orMissing(listOf(isText)),
});

function readRemoval({ keyring }: RepositoryContext, name: string, bytes: Uint8Array): RemovalRecord {
  return shaped<RemovalRecord>(name, openJson(name, bytes, keyring.metaOf), isRemoval);
}

/** Puts the record under the next free number, and tells its name. It must stand before the first of the manifests, or the slot, is deleted. */
export async function writeRemoval(
  context: RepositoryContext, removed: readonly RemovedSnapshot[], signal?: AbortSignal, slots: readonly string[] = [],
): Promise<string> {
  const record: RemovalRecord = { madeAt: new Date(context.clock.now()).toISOString(), removed, ...(slots.length > 0 ? { slots } : {}) };
  return appendRecord(context, PREFIX, names.removal, record, signal);
}

/** Key slots whose removal is on record. */
export async function removedSlots(context: RepositoryContext, signal?: AbortSignal): Promise<Set<string>> {
  const slots = new Set<string>();
  for await (const { name } of listAll(context.storage, PREFIX, signal ? { signal } : {})) {
    const bytes = await context.storage.get(name, signal ? { signal } : {});
    for (const slot of readRemoval(context, name, bytes).slots ?? []) slots.add(slot);
  }
  return slots;
}

/** Every removal on record, as `<tag>/<id>` → hashes of the manifest. */
export async function readRemovals(
  context: RepositoryContext, onDamage: (name: string, error: unknown) => void, signal?: AbortSignal,
): Promise<Map<string, Set<string>>> {
  const removed = new Map<string, Set<string>>();
  for await (const object of listAll(context.storage, PREFIX, signal ? { signal } : {})) {
    try {
      const bytes = await context.storage.get(object.name, signal ? { signal } : {});
      for (const one of readRemoval(context, object.name, bytes).removed) {
        const key = `${one.tag}/${one.id}`;
        removed.set(key, (removed.get(key) ?? new Set()).add(one.sha256));
      }
    } catch (error) {
      onDamage(object.name, error);
    }
  }
  return removed;
}
