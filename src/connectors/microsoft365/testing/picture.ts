import type { SnapshotModel } from '../../conformance.ts';

/** A snapshot as a person sees it, and the bytes: equal for two that show the same, whatever change keys say. */
export function picture(snapshot: SnapshotModel): string[] {
  return snapshot.sorted.map((row) => JSON.stringify([row.key, snapshot.pathOf(row), row.kind, row.size, row.modified, row.meta, row.outcome, row.content])).sort();
}

/** All fields of all rows. */
export function wholeRows(snapshot: SnapshotModel): string[] {
  return snapshot.sorted.map((row) => JSON.stringify(row));
}
