import { compareRanked } from '../odata/cursor.ts';
import type { Cursor } from '../odata/cursor.ts';
import type { Listing, Properties } from '../odata/list.ts';
import type { DeltaSource } from '../odata/delta.ts';
import type { TypeName } from '../odata/typeProperties.ts';
import type { Folder } from './folder.ts';
import type { Item } from './item.ts';
import type { Placed } from './shelf.ts';

/** What lists and delta queries of items have in common. */
export interface ItemView {
  readonly type: TypeName;
  document(item: Item, folder: Folder): Properties;
  shape: Listing['shape'];
  readonly rankedBy?: string;
}

const ITEM_SIZES = { defaultTop: 10, mostTop: 1000 };

/** The items of one or several folders as one list in rank order. */
export function itemListing(folders: readonly Folder[], view: ItemView): Listing {
  return {
    ...ITEM_SIZES,
    type: view.type,
    shape: view.shape,
    ...(view.rankedBy === undefined ? {} : { rankedBy: view.rankedBy }),
    count: () => folders.reduce((sum, { shelf }) => sum + shelf.size, 0),
    *entries(after) {
      for (const { placed, folder } of mergedEntries(folders, after)) {
        yield { rank: placed.rank, key: placed.key, document: () => view.document(placed.item(), folder) };
      }
    },
  };
}

function* mergedEntries(folders: readonly Folder[], after: Cursor | undefined): Generator<{ placed: Placed; folder: Folder }> {
  const heads = folders.map((folder) => {
    const entries = folder.shelf.entries(after);
    return { folder, entries, next: entries.next() };
  });
  for (;;) {
    let first: { folder: Folder; entries: Generator<Placed>; next: IteratorResult<Placed> } | undefined;
    for (const head of heads) {
      if (head.next.done !== true && (first === undefined || compareRanked(head.next.value, first.next.value as Placed) < 0)) first = head;
    }
    if (first === undefined) return;
    yield { placed: first.next.value as Placed, folder: first.folder };
    first.next = first.entries.next();
  }
}

/** What a delta query of one folder's items is made from. */
export function itemDelta(folder: Folder, view: ItemView, rest: Pick<DeltaSource, 'resource' | 'life' | 'removed'> & { mostFiltered?: number }): DeltaSource {
  const { shelf } = folder;
  return {
    ...rest,
    type: view.type, shape: view.shape,
    defaultPage: ITEM_SIZES.defaultTop, mostPage: ITEM_SIZES.mostTop,
    sequence: () => shelf.sequence,
    entries: (after) => shelf.entries(after),
    changes: (since) => shelf.changes(since),
    document: (key) => {
      const item = shelf.get(key);
      return item === undefined ? undefined : view.document(item, folder);
    },
  };
}
