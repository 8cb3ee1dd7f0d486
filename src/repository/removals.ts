import { listAll } from '../storage/index.ts';
import { appendRecord } from './journal.ts';
import type { ManifestRef } from './manifest.ts';
import { names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isFlag, isText, listOf, objectOf, orMissing, shaped } from './recordShape.ts';
import { isUnreadable, openJson } from './sealedObject.ts';

/** One removed snapshot: its manifest's SHA-256 (hex) is what its successor names as predecessor. */
export interface RemovedSnapshot {
  readonly tag: string;
  readonly id: string;
  readonly sha256: string;
  /** The snapshot that stands for it since an erasure. */
  readonly by?: ManifestRef;
}

/** What the journal keeps of an erasure: which it was, and nothing of what was erased. */
export interface ErasureNote {
  /** Keyed hash of the entity and the items that were asked for: a rerun knows by it what it goes on with. */
  readonly items: string;
  readonly startedAt: string;
  /** In the last record of one that has ended: later ones of the same items are another erasure's. */
  readonly finished?: true;
}

/** The journal's word that snapshots were removed on purpose; without it a gap in the chain is damage. */
export interface RemovalRecord {
  readonly madeAt: string;
  readonly removed: readonly RemovedSnapshot[];
  /** Why the snapshots were removed, where it was an erasure. */
  readonly erasure?: ErasureNote;
  /** Key slots that were taken away: one that is put back gets no key of a later epoch. */
  readonly slots?: readonly string[];
}

const PREFIX = 'removals/';
const isRemoval = objectOf({
  removed: listOf(objectOf({ tag: isText, id: isText, sha256: isText, by: orMissing(objectOf({ id: isText, sha256: isText })) })),
  slots: orMissing(listOf(isText)),
  erasure: orMissing(objectOf({ items: isText, startedAt: isText, finished: orMissing(isFlag) })),
});

function readRemoval({ keyring }: RepositoryContext, name: string, bytes: Uint8Array): RemovalRecord {
  return shaped<RemovalRecord>(name, openJson(name, bytes, keyring.metaOf), isRemoval);
}

/** Puts the record under the next free number, and tells its name. It must stand before the first of the manifests, or the slot, is deleted. */
export async function writeRemoval(
  context: RepositoryContext, removed: readonly RemovedSnapshot[], signal?: AbortSignal,
  more: Pick<RemovalRecord, 'slots' | 'erasure'> = {},
): Promise<string> {
  const record: RemovalRecord = { madeAt: new Date(context.clock.now()).toISOString(), removed, ...more };
  return appendRecord(context, PREFIX, names.removal, record, signal);
}

/** Key slots whose removal is on record, and the names of the records. A record that cannot be read throws, unless it is to be passed over. */
export async function removedSlots(
  context: RepositoryContext, signal?: AbortSignal, { passOverUnreadable = false } = {},
): Promise<Map<string, string>> {
  const slots = new Map<string, string>();
  for await (const { name } of listAll(context.storage, PREFIX, signal ? { signal } : {})) {
    const bytes = await context.storage.get(name, signal ? { signal } : {});
    try {
      for (const slot of readRemoval(context, name, bytes).slots ?? []) slots.set(slot, name);
    } catch (error) {
      if (!passOverUnreadable || !isUnreadable(error)) throw error;
    }
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

/** The records of all erasures of the same items, oldest first. */
export async function erasureRecords(context: RepositoryContext, items: string, signal?: AbortSignal): Promise<RemovalRecord[]> {
  const records: RemovalRecord[] = [];
  for await (const { name } of listAll(context.storage, PREFIX, signal ? { signal } : {})) {
    const record = readRemoval(context, name, await context.storage.get(name, signal ? { signal } : {}));
    if (record.erasure?.items === items) records.push(record);
  }
  return records;
}

/** Records of the erasure that is at work, or, where that removed nothing, of the one before it: its certificate may be lost. */
export function ofLastErasure(records: readonly RemovalRecord[]): readonly RemovalRecord[] {
  let last: readonly RemovalRecord[] = [];
  let own: RemovalRecord[] = [];
  for (const record of records) {
    own.push(record);
    if (record.erasure?.finished !== true) continue;
    if (own.some(({ removed }) => removed.length > 0)) last = own;
    own = [];
  }
  return own.some(({ removed }) => removed.length > 0) ? own : last;
}
