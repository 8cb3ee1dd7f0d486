import type { Outcome } from './item.ts';

/** What a snapshot says of the run that made it. `complete`: enumerated = stored + named exceptions. */
export type SnapshotStatus = 'complete' | 'partial';

/** A mailbox, a directory tree, a drive: what one run backs up. */
export interface Entity {
  /** Stable and readable: the service, a colon, and what the service calls it. */
  readonly id: string;
  /** The connector's name. */
  readonly service: string;
  /** For people. */
  readonly name: string;
}

export interface SnapshotCounts {
  /** Rows that are not folders. */
  items: number;
  folders: number;
  /** Content bytes of all items of this point in time. */
  bytes: number;
  /** Against the predecessor, folders included. */
  added: number;
  changed: number;
  removed: number;
  /** Items whose outcome is not 'stored'. */
  skipped: number;
  failed: number;
  altered: number;
}

export interface SnapshotWarning extends Outcome {
  /** Path or name that a person knows. */
  readonly item: string;
}

/** One point in time of one entity, as listed. Times are ISO 8601, UTC. */
export interface SnapshotInfo {
  /** Time-ordered random id, 32 hex digits. */
  readonly id: string;
  readonly entity: Entity;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly status: SnapshotStatus;
  readonly counts: SnapshotCounts;
  /** The first exceptions by name (bounded); `counts` has all. */
  readonly warnings: readonly SnapshotWarning[];
}
