import type { BinaryString, ItemRow } from '../domain/index.ts';
import { walkVisible, type Manifest, type Repository } from '../repository/index.ts';
import { MOST_DEPTH, pathNames, rowsOf } from './browseSnapshot.ts';

/** A version of a row, and the snapshots that show it, by their numbers. */
interface Version {
  readonly row: ItemRow;
  readonly shownBy: ReadonlySet<number>;
}

/**
 * Keys of all items that are at a path in any of an entity's snapshots, where keys say nothing of paths. A pass over the rows that the
 * snapshots share for each level of folders, however many snapshots there are. Memory: items of such a name, and the folders above them.
 */
export async function keysAtPath(repository: Repository, manifests: readonly Manifest[], path: string, signal?: AbortSignal): Promise<Set<BinaryString>> {
  const [first] = manifests;
  if (!first) return new Set();
  const versions = async (isWanted: (key: BinaryString, name: () => string) => boolean): Promise<Version[]> => {
    const found: Version[] = [];
    await walkVisible(rowsOf(repository, first), manifests.map(({ layers }) => layers), (cursor, shownBy) => {
      if (isWanted(cursor.key ?? '', () => cursor.row.name)) found.push({ row: cursor.row, shownBy: new Set(shownBy) });
      return undefined;
    }, signal);
    return found;
  };
  const wanted = pathNames(path);
  const candidates = await versions((_, name) => wanted.some((text) => text.endsWith(name())));
  const folders = new Map<BinaryString, readonly Version[]>();
  for (let level: readonly Version[] = candidates; level.length > 0;) {
    const above = new Set(level.map(({ row }) => row.parent).filter((key) => key !== '' && !folders.has(key)));
    for (const key of above) folders.set(key, []);
    level = above.size > 0 ? await versions((key) => above.has(key)) : [];
    for (const one of level) folders.set(one.row.key, [...(folders.get(one.row.key) ?? []), one]);
  }
  const isThere = ({ row, shownBy }: Version): boolean => [...shownBy].some((snapshot) => wanted.includes(pathIn(snapshot, row, folders)));
  return new Set(candidates.filter(isThere).map(({ row }) => row.key));
}

function pathIn(snapshot: number, row: ItemRow, folders: ReadonlyMap<BinaryString, readonly Version[]>): string {
  const names = [row.name];
  for (let { parent } = row; parent !== '' && names.length < MOST_DEPTH;) {
    const folder = folders.get(parent)?.find(({ shownBy }) => shownBy.has(snapshot))?.row;
    if (!folder) break;
    names.unshift(folder.name);
    ({ parent } = folder);
  }
  return names.join('/');
}
