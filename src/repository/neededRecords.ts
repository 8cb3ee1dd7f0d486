import { listAll, type Storage } from '../storage/index.ts';
import { isLockable } from './lockable.ts';
import type { Manifest } from './manifest.ts';
import { CONFIG, lastSegment, names } from './names.ts';

/** Names of the small objects without which nothing of an entity can be found or opened. */
export async function* neededRecords(storage: Storage, tag: string, signal?: AbortSignal): AsyncGenerator<string> {
  yield CONFIG;
  for (const prefix of [names.key(''), names.epoch(''), names.entity(tag)]) {
    for await (const { name } of listAll(storage, prefix, signal ? { signal } : {})) if (isLockable(name)) yield name;
  }
}

/** Whether one of these is needed by a snapshot: slots, epochs and keys of the entity that were made after it are not. */
export function isNeededBy({ id, entityKeys }: Manifest, name: string): boolean {
  const last = lastSegment(name);
  if (name.startsWith(names.entity(''))) return entityKeys?.includes(last) ?? true;
  const [, madeAs] = last.split('-');
  return madeAs === undefined || madeAs <= id;
}
