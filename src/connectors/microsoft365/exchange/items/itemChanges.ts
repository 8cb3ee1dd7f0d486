import type { ItemRow, Outcome } from '../../../../domain/index.ts';
import type { PreviousState, SourceChange, SourceItem } from '../../../contract.ts';
import type { SortedSpool, SpooledGroup } from '../sortedSpool.ts';
import { idBehind, type FolderRound, type ItemRecord, type ItemSource } from './itemSource.ts';

/** Changes that are yielded together. */
const BATCH = 256;
/** With more changes than this one pass over all rows costs less than a look at each. */
const MOST_LOOKS = 500;

export interface JoinOptions {
  readonly source: Pick<ItemSource, 'keys' | 'isSame'>;
  readonly previous: PreviousState;
  readonly rounds: ReadonlyMap<string, FolderRound>;
  /** Rows that no record speaks of have to be looked at, too. */
  readonly scan: boolean;
  /** Contents that failed last time are offered again. */
  readonly retry: boolean;
  /** Told of each item that is offered because of how it ended last time. */
  readonly onRetry: (item: SourceItem, outcome: Outcome) => void;
  /** Told how many changes there are in all, if each record that is left is one. */
  readonly onCount: (changes: number) => void;
}

/** What the spooled records of all folders change in the previous snapshot, in ascending order of keys. */
export async function* itemChanges(spool: SortedSpool, options: JoinOptions): AsyncGenerator<readonly SourceChange[]> {
  let changes: SourceChange[] = [];
  let [given, left] = [0, spool.length];
  options.onCount(left);
  for await (const [group, row] of joined(spool, options)) {
    const change = changeOf(group, row, options);
    left -= group?.values.length ?? 0;
    if (change === undefined) continue;
    changes.push(change);
    if (change.type === 'item') given++;
    if (changes.length < BATCH) continue;
    options.onCount(given + left);
    yield changes;
    changes = [];
  }
  options.onCount(given);
  if (changes.length > 0) yield changes;
}

/** Whether the previous snapshot has an item that no reading told although its folder was read whole: it is gone, or was missed. */
export async function hasMissing(spool: SortedSpool, options: Omit<JoinOptions, 'scan' | 'retry' | 'onRetry' | 'onCount'>): Promise<boolean> {
  for await (const [group, row] of scanned(spool, options)) {
    if (group === undefined && row !== undefined && isGone(idBehind(options.source.keys.folders, row.parent), new Set(), options.rounds)) return true;
  }
  return false;
}

type Pair = readonly [group: SpooledGroup | undefined, row: ItemRow | undefined];

function joined(spool: SortedSpool, options: JoinOptions): AsyncGenerator<Pair> {
  return options.scan || spool.length > MOST_LOOKS ? scanned(spool, options) : lookedUp(spool, options);
}

async function* lookedUp(spool: SortedSpool, { previous, source }: JoinOptions): AsyncGenerator<Pair> {
  for await (const group of spool.groups()) {
    const key = source.keys.items + group.key;
    let found: ItemRow | undefined;
    for await (const rows of previous.rows(key)) found ??= rows.find((row) => row.key === key);
    yield [group, found];
  }
}

/** All records and all rows, side by side. */
async function* scanned(spool: SortedSpool, { previous, source }: Pick<JoinOptions, 'previous' | 'source'>): AsyncGenerator<Pair> {
  const rows = each(previous.rows(source.keys.items));
  let next = await rows.next();
  for await (const group of spool.groups()) {
    const key = source.keys.items + group.key;
    while (next.done !== true && next.value.key < key) {
      yield [undefined, next.value];
      next = await rows.next();
    }
    const same = next.done !== true && next.value.key === key ? next.value : undefined;
    yield [group, same];
    if (same !== undefined) next = await rows.next();
  }
  for (; next.done !== true; next = await rows.next()) yield [undefined, next.value];
}

async function* each(batches: AsyncIterable<readonly ItemRow[]>): AsyncGenerator<ItemRow> {
  for await (const rows of batches) yield* rows;
}

function changeOf(group: SpooledGroup | undefined, row: ItemRow | undefined, options: JoinOptions): SourceChange | undefined {
  const standing = group === undefined ? { item: undefined, left: new Set<string>() } : standingOf(group, options.rounds);
  if (standing.item !== undefined) return present(standing.item, row, options);
  if (row === undefined) return undefined;
  if (isGone(idBehind(options.source.keys.folders, row.parent), standing.left, options.rounds)) return { type: 'removed', key: row.key };
  return options.retry && hasFailed(row) ? offeredAgain(plain(row), row, options) : undefined;
}

/**
 * Where an item stands by its records: in the folder that told of it last, if that has not told since that it left. An item that moved left one folder
 * and is in another; in which order the two were read does not matter.
 */
function standingOf({ values }: SpooledGroup, rounds: JoinOptions['rounds']): { item: SourceItem | undefined; left: ReadonlySet<string> } {
  const latest = new Map<string, SourceItem | null>();
  for (const value of values) {
    const [folderId, epoch, item] = JSON.parse(value) as ItemRecord;
    const round = rounds.get(folderId);
    if (round?.epoch !== epoch) continue;
    // Told again: it goes to the end.
    latest.delete(folderId);
    latest.set(folderId, item);
  }
  const left = new Set([...latest].flatMap(([folderId, item]) => (item === null ? [folderId] : [])));
  const item = [...latest.values()].findLast((one) => one !== null) ?? undefined;
  return { item, left };
}

/** Whether a row's item is there no longer, although nothing tells where it is. */
function isGone(folderId: string, left: ReadonlySet<string>, rounds: JoinOptions['rounds']): boolean {
  const round = rounds.get(folderId);
  if (round === undefined) return true;
  return round.state === 'read' && (round.full || left.has(folderId));
}

function present(item: SourceItem, row: ItemRow | undefined, options: JoinOptions): SourceChange | undefined {
  if (row === undefined) return { type: 'item', item, content: { from: 'fetch' } };
  if (hasFailed(row)) return offeredAgain(item, row, options);
  if (row.change === item.change) return undefined;
  // The size of the content, not the store's count.
  if (row.content !== '' && options.source.isSame(row, item)) return { type: 'item', item: { ...item, size: row.size }, content: { from: 'kept' } };
  return { type: 'item', item, content: { from: 'fetch' } };
}

function offeredAgain(item: SourceItem, { outcome }: ItemRow, { onRetry }: JoinOptions): SourceChange {
  onRetry(item, JSON.parse(outcome) as Outcome);
  return { type: 'item', item, content: { from: 'fetch' } };
}

/** Not stored, or stored as of an earlier run. */
function hasFailed({ outcome }: ItemRow): boolean {
  return outcome !== '' && (JSON.parse(outcome) as Outcome).state !== 'altered';
}

function plain({ key, parent, name, kind, size, modified, change, meta }: ItemRow): SourceItem {
  return { key, parent, name, kind, size, modified, change, meta };
}
