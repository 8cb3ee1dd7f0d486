import type { ChangeNote, NotedChange, UndoResult, UndoSession } from '../connectors/contract.ts';
import type { Progress } from '../domain/index.ts';
import { beginUndo, type KnownRestore, type Repository, type StoredChange } from '../repository/index.ts';
import type { RestoreIssue } from './restoreReport.ts';

/** Changes that a session gets at once. */
const BATCH = 64;
/** Issues that the report names itself; all are told as they come. */
const NAMED = 1000;

/** What became of the changes of a restore; of those alone that no earlier undo had taken back. */
export interface UndoReport {
  undone: number;
  /** Nothing was to be taken back: never made, or away already. */
  nothing: number;
  /** Undone, but not all as it was. */
  altered: number;
  /** Changed by somebody since, so it stays as it is. */
  left: number;
  failed: number;
  /** The first thousand. */
  readonly issues: RestoreIssue[];
}

export interface UndoOptions {
  /** What would be done is counted; nothing is written. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/**
 * Takes a restore back through the session of its destination, the latest change first. What was taken back is noted, so a second run does it no second time; what
 * somebody changed since is left and named, and looked at again by the next run. A restore that was killed is taken back as well.
 */
export async function undoRestore(repository: Repository, restore: KnownRestore, session: UndoSession, options: UndoOptions): Promise<UndoReport> {
  const { dryRun, signal } = options;
  const run = await beginUndo(repository, restore, { dryRun, signal });
  const report: UndoReport = { undone: 0, nothing: 0, altered: 0, left: 0, failed: 0, issues: [] };
  const takeBack = async (some: readonly NotedChange[]): Promise<void> => {
    for (let start = 0; start < some.length; start += BATCH) {
      const changes = some.slice(start, start + BATCH);
      const results = await session.undo(changes, { dryRun, signal });
      await run.note(changes.filter((change, place) => isSettled(change, results[place])).map(({ number }) => number));
      for (const [place, change] of changes.entries()) count(report, change, results[place], options);
    }
  };
  // There are few of them. A folder may have been made while what lies in it was noted already.
  const folders: NotedChange[] = [];
  for await (const stored of run.changes()) {
    const changes = stored.map(changeOf);
    folders.push(...changes.filter(({ note }) => note.isFolder === true));
    await takeBack(changes.filter(({ note }) => note.isFolder !== true));
  }
  await takeBack(folders);
  if (report.left + report.failed === 0) await run.end();
  return report;
}

function changeOf({ number, note, outcome }: StoredChange): NotedChange {
  return { number, note: note as ChangeNote, outcome };
}

/** No later run finds anything to do. Of a change that nobody noted the end of, a restore that still ran might yet make it. */
function isSettled({ outcome }: NotedChange, result: UndoResult | undefined): boolean {
  if (result?.result === 'nothing') return outcome !== undefined;
  return result?.result === 'undone' || result?.result === 'altered';
}

function count(report: UndoReport, { note: { item } }: NotedChange, result: UndoResult | undefined, { progress }: UndoOptions): void {
  if (result === undefined) throw new TypeError('an undo told nothing of a change');
  report[result.result]++;
  const { undone, nothing, altered, left, failed } = report;
  progress({ type: 'progress', stage: 'undo', items: undone + nothing + altered + left + failed, bytes: 0 });
  const { code, message } = result;
  if (code === undefined || message === undefined) return;
  const issue = { item, code: `undo/${code}`, message };
  if (report.issues.length < NAMED) report.issues.push(issue);
  progress({ type: 'warning', ...issue });
}
