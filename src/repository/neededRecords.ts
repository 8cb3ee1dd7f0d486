import { listAll, type Storage } from '../storage/index.ts';
import { isLockable } from './lockable.ts';
import type { Manifest } from './manifest.ts';
import { CONFIG, names } from './names.ts';

/** Names of the small objects without which a snapshot's segments and packs cannot be found or opened. */
export async function* neededRecords(
  storage: Storage, { tag, layers }: Pick<Manifest, 'tag' | 'layers'>, signal?: AbortSignal,
): AsyncGenerator<string> {
  yield CONFIG;
  for (const { id } of layers.flat()) yield names.segment(tag, id);
  for (const prefix of [names.key(''), names.epoch(''), names.entity(tag)]) {
    for await (const { name } of listAll(storage, prefix, signal ? { signal } : {})) if (isLockable(name)) yield name;
  }
}
