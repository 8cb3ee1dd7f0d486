import type { SnapshotWarning } from '../domain/index.ts';
import type { Manifest } from '../repository/index.ts';
import { bytesText, countText, durationText, plural, printable, timeText } from './formatText.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import { snapshotDocument, type SnapshotDocument } from './snapshotDocument.ts';
import type { MadeDocument } from './tellMade.ts';

/** What `backup … --json` answers: the new snapshot, what is missing of it by name, and what `--init` made. */
export interface BackupDocument extends SnapshotDocument {
  readonly exceptions: readonly SnapshotWarning[];
  readonly made?: MadeDocument;
}

export function backupDocument(manifest: Manifest, made?: MadeDocument): BackupDocument {
  return { ...snapshotDocument(manifest, manifest.lock), exceptions: manifest.warnings, ...(made === undefined ? {} : { made }) };
}

export function exitCodeOf({ warnings, status }: SnapshotDocument): ExitCode {
  return warnings > 0 || status === 'partial' ? EXIT.warnings : EXIT.done;
}

/** The same for a person. */
export function backupSummary({ id, entity, status, counts, lock }: Manifest, tookMs: number): string[] {
  const lines = [
    `Snapshot ${id} of ${printable(entity.id)}: ${status === 'complete' ? 'complete' : 'PARTIAL'}`,
    `  ${plural(counts.items, 'item')} in ${plural(counts.folders, 'folder')}, ${bytesText(counts.bytes)}`,
    `  ${countText(counts.added)} added, ${countText(counts.changed)} changed, ${countText(counts.removed)} removed, in ${durationText(tookMs)}`,
  ];
  if (lock) lines.push(`  locked with all that it needs until ${timeText(Date.parse(lock.until))} (${lock.mode})`);
  const { skipped, failed, altered } = counts;
  if (skipped + failed + altered > 0) {
    lines.push(`  ${plural(skipped + failed + altered, 'item')} not stored as at the source: ${failed} failed, ${skipped} skipped, ${altered} altered`);
  }
  return lines;
}
