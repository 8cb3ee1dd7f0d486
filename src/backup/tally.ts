import { isCompanion, type ItemRow, type Outcome, type SnapshotCounts, type SnapshotWarning } from '../domain/index.ts';

/** Warnings that a snapshot names itself; the rows have all. */
const NAMED = 100;

export const NO_COUNTS: SnapshotCounts = {
  items: 0, folders: 0, bytes: 0, added: 0, changed: 0, removed: 0, skipped: 0, failed: 0, altered: 0,
};

/** Keeps the totals of the new point in time: those of the one before, moved by every change. */
export class Tally {
  readonly counts: SnapshotCounts;
  readonly warnings: SnapshotWarning[] = [];

  /** `before`: totals of the state that the changes are applied to. `carry`: changes of an unfinished run count as this one's. */
  constructor(before: SnapshotCounts, carry: boolean) {
    this.counts = { ...before, ...(carry ? {} : { added: 0, changed: 0, removed: 0 }) };
  }

  added(row: ItemRow): void {
    if (!isCompanion(row)) this.counts.added++;
    this.#move(row, 1);
    this.#name(row);
  }

  changed(before: ItemRow, after: ItemRow): void {
    if (!isCompanion(after)) this.counts.changed++;
    this.#move(before, -1);
    this.#move(after, 1);
    this.#name(after);
  }

  /** As it was, and named once more. */
  again(row: ItemRow): void {
    this.#name(row);
  }

  removed(row: ItemRow): void {
    if (!isCompanion(row)) this.counts.removed++;
    this.#move(row, -1);
  }

  warn(warning: SnapshotWarning): void {
    if (this.warnings.length < NAMED) this.warnings.push(warning);
  }

  #name(row: ItemRow): void {
    if (row.outcome === '') return;
    this.warn({ item: row.name, ...(JSON.parse(row.outcome) as Outcome) });
  }

  #move(row: ItemRow, by: 1 | -1): void {
    if (row.kind === 'folder') this.counts.folders += by;
    else {
      if (!isCompanion(row)) this.counts.items += by;
      this.counts.bytes += by * row.size;
    }
    if (row.outcome !== '') this.counts[(JSON.parse(row.outcome) as Outcome).state] += by;
  }
}
