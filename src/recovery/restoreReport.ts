/** One thing that did not come back as it was. */
export interface RestoreIssue {
  readonly item: string;
  readonly code: string;
  readonly message: string;
}

/** What a restore did; items are counted once each. */
export interface RestoreReport {
  written: number;
  replaced: number;
  /** Stood there already, equal. */
  unchanged: number;
  /** Stood there, different, and was left by choice. */
  skipped: number;
  failed: number;
  folders: number;
  bytes: number;
  /** The first thousand. */
  readonly issues: RestoreIssue[];
}

export const NO_RESTORE: RestoreReport = {
  written: 0, replaced: 0, unchanged: 0, skipped: 0, failed: 0, folders: 0, bytes: 0, issues: [],
};
