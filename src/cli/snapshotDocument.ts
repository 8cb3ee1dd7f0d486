import type { SnapshotInfo } from '../domain/index.ts';
import type { Manifest } from '../repository/index.ts';

/** A snapshot as programs read it; see docs/guides/command-line.md. Fields are only ever added. */
export interface SnapshotDocument {
  readonly id: string;
  readonly service: string;
  /** Id of the entity. */
  readonly entity: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly status: 'complete' | 'partial';
  readonly items: number;
  readonly bytes: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Items that are not, or not exactly, as they were at the source: skipped, failed and altered ones. */
  readonly warnings: number;
  /** Where the repository is locked: until when nobody can delete the snapshot or what it needs. */
  readonly lockedUntil?: string;
}

/** @param lock what the manifest says of its lock, where that is said of this place. */
export function snapshotDocument(
  { id, entity, startedAt, finishedAt, status, counts }: SnapshotInfo, lock: Manifest['lock'],
): SnapshotDocument {
  const { items, bytes, added, changed, removed } = counts;
  return {
    id, service: entity.service, entity: entity.id, startedAt, finishedAt, status, items, bytes, added, changed, removed,
    warnings: counts.skipped + counts.failed + counts.altered, ...(lock && { lockedUntil: lock.until }),
  };
}
