import type { LockedTally } from './lockedTally.ts';
import type { ErasureNote } from './removals.ts';
import type { PruneView } from './pruneRoots.ts';
import { lastEnd, noteWaiting } from './waiting.ts';

/** What a prune has announced and could not delete. */
export interface Undeleted {
  /** The names of the own records. */
  readonly records: readonly string[];
  /** Full names of announced packs that are known to be locked. */
  readonly packs: readonly string[];
  /** Full names of what else was announced and is locked. */
  readonly refused: Iterable<string>;
  readonly locked: LockedTally;
  readonly note: ErasureNote | undefined;
}

/**
 * Where a lock holds something that was to be deleted, the records say from now on that it waits for nothing else. Those of an erasure name seals and index
 * segments too, and what waits for other reasons: that may be of its items as well.
 * @returns whether there was anything.
 */
export async function waitForLocks(view: PruneView, { records, packs, refused, locked, note }: Undeleted): Promise<boolean> {
  const waiting = [...view.others.records.values()].flatMap(({ waits, objects }) => (waits ? [{ waits, objects }] : []));
  const names = new Set([...packs, ...(note ? locked.refused.keys() : refused)].filter((name) => view.erasure?.indexes?.has(name) !== true));
  const ends = [...locked.refused.values(), Date.parse(locked.rest.until ?? '1970-01-01')];
  if (note) {
    for (const { waits, objects } of waiting.filter((one) => one.waits.items !== note.items)) {
      for (const name of objects) names.add(name);
      ends.push(Date.parse(waits.until));
    }
    // Of the same erasure, by a round before.
    for (const { objects } of waiting.filter((one) => one.waits.items === note.items)) for (const name of objects) names.delete(name);
  }
  // It goes after its manifest.
  const manifests = [...names].filter((name) => name.startsWith('snapshots/'));
  for (const name of manifests) names.add(name.replace('snapshots/', 'seals/'));
  if (names.size === 0) return false;
  const until = await lastEnd(view.context, ends, view.signal);
  await noteWaiting(view.context, records, view.pruner, [...names], { until, ...(note && { items: note.items }) }, view.signal);
  return true;
}
