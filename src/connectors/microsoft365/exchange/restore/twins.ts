import type { ItemRow } from '../../../../domain/index.ts';
import { entriesOf } from '../../graph/pages.ts';
import { idBehind } from '../items/itemSource.ts';
import type { TargetAccess } from '../subTarget.ts';
import type { FolderPlaces } from './folderPlaces.ts';
import { originContent, type StandingItem } from './itemDecision.ts';
import type { ItemWriting } from './partWriting.ts';
import { documentOf, readBatch, standingItem } from './standingItems.ts';

interface Search {
  readonly access: TargetAccess;
  readonly part: ItemWriting;
  readonly places: FolderPlaces;
  readonly isBeside: boolean;
}

/**
 * Finds what earlier restores made and could note no origin on, for rows for which nothing stands: meetings, of whose changes others would hear. They are known by the mark that
 * all copies of a meeting share, and count as made of the row.
 */
export async function findTwins({ access, part, places, isBeside }: Search, standing: Map<ItemRow, readonly StandingItem[]>, signal: AbortSignal): Promise<void> {
  const { streams } = part;
  if (streams?.twinsPath === undefined) return;
  const asked = [...standing].flatMap(([row, found]) => {
    const folderId = found.length > 0 ? undefined : places.find(row.parent);
    const path = folderId === undefined ? undefined : streams.twinsPath?.(access.path, row, folderId);
    return folderId === undefined || path === undefined ? [] : [{ row, folderId, path }];
  });
  const results = asked.length === 0 ? [] : await readBatch(access, part, asked.map(({ path }) => path), signal);
  for (const [at, { row, folderId }] of asked.entries()) {
    const document = documentOf(results[at]);
    const [twin] = document === undefined ? [] : entriesOf(document).map((entry) => standingItem(part, entry, folderId)).filter(({ origin }) => origin === undefined);
    if (twin === undefined) continue;
    const origin = { source: idBehind(`${part.name}/i/`, row.key), content: originContent(row, streams.stampOfRow?.(row) ?? ''), beside: isBeside, whole: true };
    standing.set(row, [{ ...twin, origin }]);
  }
}
