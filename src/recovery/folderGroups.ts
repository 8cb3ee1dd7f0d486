import type { BinaryString, ItemRow } from '../domain/index.ts';

/**
 * The folders of items in groups of at most `most`, so that whoever takes the items of one group after another needs no more
 * files open at once. Undefined where that is not needed: the items of each folder come together.
 */
export async function folderGroups(
  batches: AsyncIterable<readonly ItemRow[]>, most: number, within?: (row: ItemRow) => boolean,
): Promise<ReadonlySet<BinaryString>[] | undefined> {
  const seen = new Set<BinaryString>();
  let mixed = false;
  let last: BinaryString | undefined;
  for await (const batch of batches) {
    for (const row of batch) {
      if (row.kind === 'folder' || row.parent === last || (within && !within(row))) continue;
      last = row.parent;
      mixed ||= seen.has(last);
      seen.add(last);
    }
  }
  if (!mixed || seen.size <= most) return undefined;
  const folders = [...seen];
  return Array.from({ length: Math.ceil(folders.length / most) }, (_, i) => new Set(folders.slice(i * most, (i + 1) * most)));
}
