import { isHoldfastError, type BinaryString, type SnapshotCounts } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { lastSegment, names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isNumber, isText, objectOf, orNull, shaped } from './recordShape.ts';
import { isUnreadable, openJson, sealJson } from './sealedObject.ts';
import { isLayers, type Layer } from './segment.ts';

/** What a run had made durable before it ended or died. A root, like a manifest, until the run that takes it over is sealed. */
export interface Checkpoint {
  readonly runId: string;
  readonly predecessor: string | null;
  /** The whole state: what prune keeps alive. */
  readonly layers: readonly Layer[];
  /** The layers that unfinished runs added to the predecessor's. */
  readonly own: readonly Layer[];
  /** Key of the last row. */
  readonly upTo: BinaryString;
  readonly counts: SnapshotCounts;
  /** ISO 8601, by the writer's clock. */
  readonly writtenAt: string;
}

const isCheckpoint = objectOf({
  runId: isText, predecessor: orNull(isText), layers: isLayers, own: isLayers, upTo: isText, writtenAt: isText,
  counts: objectOf({ items: isNumber, folders: isNumber, bytes: isNumber }),
});

/** Throws `repository/damaged`. */
export function openCheckpoint(context: RepositoryContext, name: string, bytes: Uint8Array): Checkpoint {
  return shaped<Checkpoint>(name, openJson(name, bytes, context.keyring.metaOf), isCheckpoint);
}

export async function writeCheckpoint(context: RepositoryContext, tag: string, checkpoint: Checkpoint, signal?: AbortSignal): Promise<void> {
  const name = names.checkpoint(tag, checkpoint.runId);
  const parts = sealJson(name, checkpoint, context.keyring.meta, context.random);
  await context.storage.put(name, parts, signal ? { signal } : {});
}

/** Ascending by run. One that cannot be read is passed over: losing it loses only work, and a prune takes it away. */
export async function readCheckpoints(context: RepositoryContext, tag: string, signal?: AbortSignal): Promise<Checkpoint[]> {
  const checkpoints: Checkpoint[] = [];
  for await (const object of listAll(context.storage, names.checkpoint(tag, ''), signal ? { signal } : {})) {
    try {
      const bytes = await context.storage.get(object.name, signal ? { signal } : {});
      checkpoints.push(openCheckpoint(context, object.name, bytes));
    } catch (error) {
      if (!isUnreadable(error) && !(isHoldfastError(error) && error.code === 'storage/not-found')) throw error;
    }
  }
  return checkpoints;
}

/** A sealed run needs neither its own checkpoint nor the one that it took over. */
export async function deleteCheckpoints(
  context: RepositoryContext, tag: string, taken: Checkpoint | undefined, runId: string, signal?: AbortSignal,
): Promise<void> {
  for (const run of taken ? [taken.runId, runId] : [runId]) {
    await context.storage.delete(names.checkpoint(tag, lastSegment(run)), signal ? { signal } : {});
  }
}
