import { isCompanion, type ItemRow, type Outcome } from '../../../../domain/index.ts';
import type { PreviousState, SourceChange, SourceItem } from '../../../contract.ts';
import type { SortedSpool, SpooledGroup } from '../sortedSpool.ts';
import { companionChange, inChosenForm, listedChange, type CompanionRules } from './companionChange.ts';
import { idBehind, type FolderRound, type ItemRecord, type ItemSource } from './itemSource.ts';

/** Changes that are yielded together. */
const BATCH = 256;
/** With more changes than this one pass over all rows costs less than a look at each. */
const MOST_LOOKS = 500;

export interface JoinOptions extends CompanionRules {
  readonly source: Pick<ItemSource, 'keys' | 'isSame' | 'streamChange' | 'streamMeta' | 'mayBeStreamAlone'>;
  readonly previous: PreviousState;
  readonly rounds: ReadonlyMap<string, FolderRound>;
  /** Rows that no record speaks of have to be looked at, too. */
  readonly scan: boolean;
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
  for await (const pair of joined(spool, options)) {
    left -= pair.group?.values.length ?? 0;
    for (const change of await changesOf(pair, options)) {
      changes.push(change);
      if (change.type === 'item') given++;
    }
    if (changes.length < BATCH) continue;
    options.onCount(given + left);
    yield changes;
    changes = [];
  }
  options.onCount(given);
  if (changes.length > 0) yield changes;
}

/** Whether the previous snapshot has an item that no reading told although its folder was read whole: it is gone, or was missed. */
export async function hasMissing(spool: SortedSpool, options: Pick<JoinOptions, 'source' | 'previous' | 'rounds'>): Promise<boolean> {
  for await (const { group, row } of scanned(spool, options)) {
    if (group === undefined && row !== undefined && isGone(idBehind(options.source.keys.folders, row.parent), new Set(), options.rounds)) return true;
  }
  return false;
}

/** What is told of an item, its row, and the row of its stream. */
interface Pair {
  readonly group: SpooledGroup | undefined;
  readonly row: ItemRow | undefined;
  readonly companion: ItemRow | undefined;
}

/** The item's own change comes first: so keys ascend. */
async function changesOf({ group, row, companion }: Pair, options: JoinOptions): Promise<SourceChange[]> {
  const own = changeOf(group, row, options);
  const now = own === undefined ? row && plain(row) : own.type === 'item' ? own.item : undefined;
  const change = await inChosenForm(own, row, now, options);
  const beside = await companionChange(now && { ...now, change: listedChange(now.change) }, companion, options);
  return [change, beside].filter((one) => one !== undefined);
}

function joined(spool: SortedSpool, options: JoinOptions): AsyncGenerator<Pair> {
  return options.scan || spool.length > MOST_LOOKS ? scanned(spool, options) : lookedUp(spool, options);
}

async function* lookedUp(spool: SortedSpool, { previous, source }: JoinOptions): AsyncGenerator<Pair> {
  for await (const group of spool.groups()) {
    const key = source.keys.items + group.key;
    const found: ItemRow[] = [];
    for await (const rows of previous.rows(key)) found.push(...rows.filter((row) => row.key === key || (isCompanion(row) && row.parent === key)));
    yield { group, row: found.find((row) => row.key === key), companion: found.find(isCompanion) };
  }
}

/** All records and all rows, side by side. */
async function* scanned(spool: SortedSpool, { previous, source }: Pick<JoinOptions, 'previous' | 'source'>): AsyncGenerator<Pair> {
  const rows = withCompanions(previous.rows(source.keys.items));
  let next = await rows.next();
  for await (const group of spool.groups()) {
    const key = source.keys.items + group.key;
    while (next.done !== true && next.value.row.key < key) {
      yield { group: undefined, ...next.value };
      next = await rows.next();
    }
    const same = next.done !== true && next.value.row.key === key ? next.value : undefined;
    yield { group, row: same?.row, companion: same?.companion };
    if (same !== undefined) next = await rows.next();
  }
  for (; next.done !== true; next = await rows.next()) yield { group: undefined, ...next.value };
}

/** A companion follows its item at once. */
async function* withCompanions(batches: AsyncIterable<readonly ItemRow[]>): AsyncGenerator<{ readonly row: ItemRow; readonly companion: ItemRow | undefined }> {
  let row: ItemRow | undefined;
  for await (const rows of batches) {
    for (const next of rows) {
      if (row !== undefined) yield { row, companion: isCompanion(next) ? next : undefined };
      row = isCompanion(next) ? undefined : next;
    }
  }
  if (row !== undefined) yield { row, companion: undefined };
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
  if (listedChange(row.change) === item.change) return undefined;
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
