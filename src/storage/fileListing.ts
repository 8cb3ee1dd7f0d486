import { lstat, readdir } from 'node:fs/promises';
import type { ObjectInfo } from './contract.ts';
import { errnoOf } from './fileErrors.ts';
import { isNameSegment } from './objectName.ts';

/** lstat calls under way at once. */
const STAT_BATCH = 128;

/** Which part of the tree below `root` is asked for: names that start with `prefix` and sort after `after`. */
export interface Selection {
  readonly root: string;
  readonly prefix: string;
  readonly after: string;
  readonly signal: AbortSignal | undefined;
}

/** Up to `count` of the selected objects, in ascending byte order. Reads only folders that can hold one of them. */
export async function listFiles(selection: Selection, count: number): Promise<ObjectInfo[]> {
  const { root, prefix, signal } = selection;
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const names = walk(selection, folder);
  const found: ObjectInfo[] = [];
  let more = true;
  while (more && found.length < count) {
    const batch: string[] = [];
    while (more && batch.length < Math.min(STAT_BATCH, count - found.length)) {
      const next = await names.next();
      if (next.done) more = false;
      else batch.push(next.value);
    }
    signal?.throwIfAborted();
    for (const info of await Promise.all(batch.map((name) => statFile(root, name)))) if (info) found.push(info);
  }
  return found;
}

/** The regular file of that name, undefined where there is none. */
export async function statFile(root: string, name: string): Promise<ObjectInfo | undefined> {
  try {
    const found = await lstat(`${root}/${name}`);
    return found.isFile() ? { name, size: found.size } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Nothing of that name, or a name that leads through a file. */
export function isMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

/**
 * Names of the selected files below `folder` ('' or with a '/' at its end), in ascending byte order. A folder sorts
 * as its name with '/' at the end, as the names of all that it holds begin so: 'a-b' < 'a.b' < 'a/…' < 'a0'.
 */
async function* walk(selection: Selection, folder: string): AsyncGenerator<string, void, undefined> {
  const { prefix, after, signal } = selection;
  signal?.throwIfAborted();
  for (const entry of await readEntries(selection.root, folder)) {
    const name = folder + entry;
    if (!entry.endsWith('/')) {
      if (name > after && name.startsWith(prefix)) yield name;
      continue;
    }
    const mayMatch = name.startsWith(prefix) || prefix.startsWith(name);
    const mayFollow = name > after || after.startsWith(name);
    if (mayMatch && mayFollow) yield* walk(selection, name);
  }
}

/** Sorted; folders end with '/'. Left out: what is neither file nor folder, and names that no object can have. */
async function readEntries(root: string, folder: string): Promise<string[]> {
  try {
    const entries = await readdir(`${root}/${folder}`, { withFileTypes: true });
    const ours = entries.filter((entry) => isNameSegment(entry.name) && (entry.isFile() || entry.isDirectory()));
    return ours.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
