/** How much of the work behind a run is done of what it takes in all, in a unit of its own: for estimates of the time, where items differ in what they cost. */
export interface Effort {
  readonly done: number;
  /** As far as known by now; may grow and shrink. */
  readonly total: number;
}

/** What a long run tells its listeners. Counters are totals since its start, never differences. */
export type ProgressEvent =
  | {
      readonly type: 'progress';
      /** 'scan', 'store', 'seal', 'restore', 'check', 'prune' … */
      readonly stage: string;
      readonly items: number;
      readonly bytes: number;
      /** Known only where the source says it beforehand. */
      readonly totalItems?: number;
      /** More may come than `totalItems` says: not everything has been counted yet. */
      readonly totalIsLeast?: boolean;
      readonly totalBytes?: number;
      /** Where it is told, the time left goes by it and not by items and bytes. */
      readonly effort?: Effort;
    }
  | { readonly type: 'waiting'; readonly for: string; readonly untilMs?: number }
  | { readonly type: 'warning'; readonly item: string; readonly code: string; readonly message: string };

export type Progress = (event: ProgressEvent) => void;
