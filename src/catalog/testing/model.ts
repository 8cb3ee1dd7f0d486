import type { ItemRow, RowChange } from '../../domain/index.ts';
import type { CatalogSnapshot, DayCount, RowDifference, RowVersion } from '../protocol.ts';
import { sortKey } from '../rowCodec.ts';

/** What one snapshot shows, by key. */
export type State = ReadonlyMap<string, ItemRow>;

export interface ModelSnapshot extends CatalogSnapshot {
  readonly state: State;
}

/** A row with every field set; tests override what they care for. */
export function row(fields: Partial<ItemRow> & { key: string }): ItemRow {
  const plain = { kind: 'file', size: 1, modified: 0, change: '', meta: '', outcome: '', content: '' };
  return { parent: '', name: fields.key, ...plain, ...fields };
}

/** The n-th snapshot of a test, six hours after the one before it. */
export function snapshotOf(index: number, state: State): ModelSnapshot {
  const startedAt = new Date(Date.UTC(2026, 0, 1) + index * 6 * 3_600_000).toISOString();
  return { id: index.toString(16).padStart(32, '0'), startedAt, state };
}

function ascending(state: Iterable<string>): string[] {
  return [...state].sort();
}

export function rowsOf(state: State): ItemRow[] {
  return ascending(state.keys()).flatMap((key) => state.get(key) ?? []);
}

export function changesBetween(from: State | undefined, to: State): RowChange[] {
  const changes: RowChange[] = [];
  for (const { key, before, after } of differences(from ?? new Map(), to)) {
    if (after) changes.push({ row: after });
    else if (before) changes.push({ removed: key });
  }
  return changes;
}

/** In batches of a few, as a caller would stream them. */
export async function* batches(changes: readonly RowChange[], size = 3): AsyncGenerator<RowChange[]> {
  for (let start = 0; start < changes.length; start += size) yield changes.slice(start, start + size);
}

function equal(a: ItemRow, b: ItemRow): boolean {
  return JSON.stringify(inOrder(a)) === JSON.stringify(inOrder(b));
}

function inOrder(value: ItemRow): unknown[] {
  const { key, parent, name, kind, size, modified, change, meta, outcome, content } = value;
  return [key, parent, name, kind, size, modified, change, meta, outcome, content];
}

export function differences(a: State, b: State): RowDifference[] {
  const found: RowDifference[] = [];
  for (const key of ascending(new Set([...a.keys(), ...b.keys()]))) {
    const before = a.get(key);
    const after = b.get(key);
    if (before && after) {
      if (equal(before, after)) continue;
      const { parent, name, change } = after;
      const elsewhere = before.parent !== parent || before.name !== name;
      const moved = elsewhere && equal({ ...before, parent, name, change }, after);
      found.push({ key, change: moved ? 'moved' : 'changed', before, after });
    } else if (before) found.push({ key, change: 'removed', before });
    else if (after) found.push({ key, change: 'added', after });
  }
  return found;
}

export function dayCounts(kept: readonly ModelSnapshot[]): DayCount[] {
  const days = new Map<string, { day: string; snapshots: number; added: number; changed: number; removed: number }>();
  for (const [index, { startedAt, state }] of kept.entries()) {
    const day = startedAt.slice(0, 10);
    const sums = days.get(day) ?? { day, snapshots: 0, added: 0, changed: 0, removed: 0 };
    sums.snapshots++;
    for (const { change } of differences(kept[index - 1]?.state ?? new Map(), state)) {
      sums[change === 'moved' ? 'changed' : change]++;
    }
    days.set(day, sums);
  }
  return ascending(days.keys()).flatMap((day) => days.get(day) ?? []);
}

export function versionsOf(kept: readonly ModelSnapshot[], key: string): RowVersion[] {
  const versions: { row: ItemRow; first: string; last: string }[] = [];
  let previous: ItemRow | undefined;
  for (const { id, state } of kept) {
    const now = state.get(key);
    const version = versions.at(-1);
    if (now && previous && version && equal(now, previous)) version.last = id;
    else if (now) versions.push({ row: now, first: id, last: id });
    previous = now;
  }
  return versions;
}

/** In the order of a page, up to ties. */
export function childrenOf(state: State, parent: string): ItemRow[] {
  return rowsOf(state).filter((child) => child.parent === parent);
}

/** Negative, 0 or positive, as a page by name ascending has it. */
export function compareByName(a: ItemRow, b: ItemRow): number {
  const leaf = Number(a.kind !== 'folder') - Number(b.kind !== 'folder');
  return leaf === 0 ? Buffer.compare(sortKey(a.name), sortKey(b.name)) : leaf;
}

export function namesAbove(state: State, key: string): string[] {
  const names: string[] = [];
  const seen = new Set([key]);
  let parent = state.get(key)?.parent;
  while (parent !== undefined && parent !== '' && !seen.has(parent)) {
    seen.add(parent);
    const folder = state.get(parent);
    if (folder) names.unshift(folder.name);
    parent = folder?.parent;
  }
  return names;
}

/** Keys of all rows that hang below a folder. */
export function keysBelow(state: State, folder: string): string[] {
  const found = new Set<string>();
  const open = [folder];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    for (const child of childrenOf(state, parent)) {
      if (found.has(child.key) || child.key === folder) continue;
      found.add(child.key);
      if (child.kind === 'folder') open.push(child.key);
    }
  }
  return ascending(found);
}

/** Rows that a path of names leads to. */
export function rowsAt(state: State, path: readonly string[]): ItemRow[] {
  let parents = [''];
  let found: ItemRow[] = [];
  for (const name of path) {
    found = rowsOf(state).filter((child) => parents.includes(child.parent) && child.name === name);
    parents = found.map((child) => child.key);
  }
  return found;
}
