import { isHoldfastError } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { DoomedList } from './doomed.ts';
import type { Manifest } from './manifest.ts';
import { names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isText, objectOf, shaped } from './recordShape.ts';
import { openJson, sealJson } from './sealedObject.ts';

/** What a pin object says; a root of prune for as long as it stands. */
export interface PinRecord {
  readonly tag: string;
  readonly snapshot: string;
  readonly purpose: string;
  readonly madeAt: string;
}

const isPin = objectOf({ tag: isText, snapshot: isText });

/** Throws `repository/damaged`. */
export function openPin(context: RepositoryContext, name: string, bytes: Uint8Array): PinRecord {
  return shaped<PinRecord>(name, openJson(name, bytes, context.keyring.metaOf), isPin);
}

export interface Pin {
  readonly manifest: Manifest;
  /** False: the snapshot is gone or going; the pin does not protect it. */
  readonly stands: boolean;
  /** Whether the pin object is still there: a prune retires pins that are many days old, before it lists the roots. */
  held(signal?: AbortSignal): Promise<boolean>;
  release(): Promise<void>;
}

/** Writes the pin first and looks afterwards whether nobody announced the snapshot's end and it still stands. */
export async function pinSnapshot(context: RepositoryContext, manifest: Manifest, purpose: string, signal?: AbortSignal): Promise<Pin> {
  const { storage, keyring, clock, random } = context;
  const options = signal ? { signal } : {};
  const name = names.pin(manifest.tag, timeOrderedId(clock.now(), random));
  const record: PinRecord = {
    tag: manifest.tag, snapshot: manifest.id, purpose, madeAt: new Date(clock.now()).toISOString(),
  };
  await storage.put(name, sealJson(name, record, keyring.meta, random), options);
  const doomed = await DoomedList.load(storage, keyring, signal);
  const snapshot = names.snapshot(manifest.tag, manifest.id);
  const stands = !doomed.has(snapshot) && (await storage.stat(snapshot, options)) !== undefined;
  return {
    manifest, stands,
    held: async (during) => (await storage.stat(name, during ? { signal: during } : {})) !== undefined,
    release: () => releasePin(context, name),
  };
}

/** A pin that cannot be deleted only delays a prune; one that is many days old is retired. */
async function releasePin(context: RepositoryContext, name: string): Promise<void> {
  try {
    await context.storage.delete(name);
  } catch (error) {
    if (!isHoldfastError(error) || error.retryClass !== 'retry') throw error;
  }
}
