import type { Document } from './readMailbox.ts';

/** An item as Graph shows it. */
export interface ShownItem {
  readonly path: string;
  readonly fields: Document;
}

/** Puts an item under its key; a second one of a key gets another. */
export function put(items: Map<string, ShownItem>, key: string, item: ShownItem): void {
  let free = key;
  while (items.has(free)) free += ' (again)';
  items.set(free, item);
}

/** Names of the fields that differ over all items that are in both. What says nothing (null, '', {}, []) is no difference. */
export function differing(before: ReadonlyMap<string, ShownItem>, after: ReadonlyMap<string, ShownItem>): string[] {
  const found = new Set<string>();
  for (const [key, { fields }] of before) {
    const other = after.get(key)?.fields ?? {};
    for (const name of new Set([...Object.keys(fields), ...Object.keys(other)])) if (plain(fields[name]) !== plain(other[name])) found.add(name);
  }
  return [...found].sort();
}

function plain(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) => {
    if (inner === null || inner === '' || (Array.isArray(inner) && inner.length === 0)) return undefined;
    if (typeof inner !== 'object' || Array.isArray(inner)) return inner;
    const entries = Object.entries(inner).filter(([, part]) => part !== null && part !== '').sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }) ?? '';
}
