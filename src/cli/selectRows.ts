import { HoldfastError, type BinaryString, type ItemRow } from '../domain/index.ts';
import { isTop, SnapshotBrowser, type Placed } from '../recovery/index.ts';
import type { Manifest, Repository } from '../repository/index.ts';
import { keyStyleOf } from './keyStyle.ts';

/** Which rows of a snapshot a restore is to give back; no field: all. */
export interface RowSelection {
  readonly prefix?: BinaryString;
  readonly within?: (row: ItemRow) => boolean;
  /** The folders above what is chosen, top first. */
  readonly above?: readonly ItemRow[];
}

/** What `--path` means in this snapshot: an item, a folder with all below it, or several where names repeat. None: `cli/no-item`. */
export async function selectRows(
  repository: Repository, manifest: Manifest, path: string | undefined, signal: AbortSignal,
): Promise<RowSelection> {
  if (path === undefined || isTop(path)) return {};
  const keys = keyStyleOf(manifest);
  const browser = new SnapshotBrowser(repository, manifest, { keys, signal });
  const found = await browser.find(path);
  const [only] = found;
  if (!only) throw noItem(path);
  const above = await foldersAbove(browser, found);
  if (keys === 'path') {
    const { key } = only.row;
    return { prefix: key, within: (row) => row.key === key || row.key.startsWith(`${key}\0`), above };
  }
  const chosen = new Set(found.map(({ row }) => row.key));
  const folders = await foldersBelow(browser, found);
  return { within: (row) => chosen.has(row.key) || folders.has(row.parent), above };
}

export function noItem(path: string): HoldfastError {
  return new HoldfastError('cli/no-item', 'input', `There is no "${path}" in this snapshot. "holdfast ls" shows what there is.`,
    { data: { path } });
}

async function foldersAbove(browser: SnapshotBrowser, found: readonly Placed[]): Promise<ItemRow[]> {
  const above = new Map<BinaryString, ItemRow>();
  for (const { row } of found) for (const folder of await browser.above(row)) above.set(folder.key, folder);
  return [...above.values()];
}

/** Keys of the chosen folders and of all folders below them: as many as there are folders, never items. */
async function foldersBelow(browser: SnapshotBrowser, found: readonly Placed[]): Promise<Set<BinaryString>> {
  const keys = new Set<BinaryString>();
  for (const { row } of found) {
    if (row.kind !== 'folder') continue;
    keys.add(row.key);
    for await (const batch of browser.below(row)) for (const one of batch) if (one.row.kind === 'folder') keys.add(one.row.key);
  }
  return keys;
}
