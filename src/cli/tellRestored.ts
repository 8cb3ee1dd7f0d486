import type { RestoreIssue, RestoreReport } from '../recovery/index.ts';
import type { Manifest } from '../repository/index.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import { bytesText, countText, durationText, plural } from './formatText.ts';

/** What a restore answers; see docs/guides/command-line.md. Fields are only ever added. */
interface RestoreDocument {
  readonly snapshot: string;
  readonly dryRun: boolean;
  readonly written: number;
  readonly replaced: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly failed: number;
  readonly folders: number;
  readonly bytes: number;
  readonly issues: readonly RestoreIssue[];
  /** Snapshot of the destination that was taken before anything was written. */
  readonly before?: string;
  /** Id of this restore, by which it can be taken back. */
  readonly restore?: string;
}

export async function tellRestored(
  { out }: CommandContext,
  { manifest, report, tookMs, dryRun = false, before, restore }: { manifest: Manifest; report: RestoreReport; tookMs: number; dryRun?: boolean; before?: string; restore?: string | undefined },
): Promise<ExitCode> {
  const { written, replaced, unchanged, skipped, failed, folders, bytes, issues } = report;
  await out.document({
    snapshot: manifest.id, dryRun, written, replaced, unchanged, skipped, failed, folders, bytes, issues, ...(before === undefined ? {} : { before }), ...(restore === undefined ? {} : { restore }),
  } satisfies RestoreDocument);
  await out.line(dryRun ? `Nothing was written. A restore of snapshot ${manifest.id} would give:` : `Restored snapshot ${manifest.id}`);
  const counts = [
    [written, 'written'], [replaced, 'replaced'], [unchanged, 'unchanged'], [skipped, 'left as they are'], [failed, 'FAILED'],
  ] as const;
  const told = counts.filter(([count]) => count > 0).map(([count, word]) => `${countText(count)} ${word}`);
  await out.line(`  ${plural(written + replaced + unchanged + skipped + failed, 'item')} in ${plural(folders, 'folder')}: ${told.join(', ') || 'nothing'}`);
  if (!dryRun) await out.line(`  ${bytesText(bytes)} in ${durationText(tookMs)}`);
  if (before !== undefined) await out.line(`  as it was before: snapshot ${before}`);
  if (restore !== undefined) await out.line(`  to take it back: holdfast undo ${restore}`);
  return failed > 0 || issues.length > 0 ? EXIT.warnings : EXIT.done;
}
