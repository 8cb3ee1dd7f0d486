import { HoldfastError, isHoldfastError, messageOf, type ItemRow, type Progress } from '../domain/index.ts';
import type { RestoreIssue, RestoreReport } from './restoreReport.ts';

/** Issues that a report names itself; all are told as they come. */
const NAMED = 1000;

/** Puts what did not come back into the report of a restore to a directory, and tells it. */
export class IssueLog {
  readonly #report: RestoreReport;
  readonly #progress: Progress;

  constructor(report: RestoreReport, progress: Progress) {
    this.#report = report;
    this.#progress = progress;
  }

  issue(row: ItemRow, code: string, message: string): void {
    const issue: RestoreIssue = { item: row.name, code, message };
    if (code !== 'restore/altered') this.#report.failed++;
    if (this.#report.issues.length < NAMED) this.#report.issues.push(issue);
    this.#progress({ type: 'warning', ...issue });
  }

  /** Names what could not be done; an error that concerns more than this row goes on upwards. `what`: a clause without a full stop. */
  failed(row: ItemRow, error: unknown, what: string, code = 'restore/not-written'): void {
    if (isHoldfastError(error)) {
      if (error.retryClass !== 'never') throw error;
      this.issue(row, error.code, error.message);
      return;
    }
    const { code: system, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    if (system === 'ENOSPC' || system === 'EDQUOT') this.issue(row, 'restore/full', 'The disk is full. Make room and run the restore again.');
    else this.issue(row, code, `${what} (${system ?? messageOf(error)}).`);
  }
}

/** What a row says of why its content is not whole. */
export function outcomeText(row: ItemRow): string {
  try {
    return (JSON.parse(row.outcome) as { message: string }).message;
  } catch (error) {
    throw new HoldfastError('repository/damaged', 'never', `The outcome of ${row.name} cannot be read.`, { cause: error });
  }
}
