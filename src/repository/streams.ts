import type { OwnStream } from './indexSegment.ts';
import { ownStream, readEntity } from './entityKeys.ts';
import { SHARED } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import type { SealingKey } from './xaes.ts';

/** The stream of a pack or index segment, by its full name. */
export function streamOf(name: string): string {
  return name.split('/')[1] ?? '';
}

export type KeyOf = (epoch: number) => SealingKey;

/** Looks up the keys of packs by stream; an entity's record is read once. Throws what reading that record throws. */
export function streamKeys(context: RepositoryContext): (stream: string, signal?: AbortSignal) => Promise<KeyOf> {
  const known = new Map<string, Promise<KeyOf>>([[SHARED, Promise.resolve(context.keyring.sharedOf)]]);
  return (stream, signal) => {
    let keys = known.get(stream);
    if (!keys) {
      keys = readEntity(context.storage, context.keyring, stream, signal).then((record) => () => record.packs.key);
      known.set(stream, keys);
    }
    return keys;
  };
}

/** A stream as its index is read and written by those who have no record at hand. */
export async function indexedStream({ storage }: RepositoryContext, stream: string, signal?: AbortSignal): Promise<string | OwnStream> {
  return stream === SHARED ? stream : ownStream(storage, stream, signal);
}
