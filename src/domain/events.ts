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
    }
  | { readonly type: 'waiting'; readonly for: string; readonly untilMs?: number }
  | { readonly type: 'warning'; readonly item: string; readonly code: string; readonly message: string };

export type Progress = (event: ProgressEvent) => void;
