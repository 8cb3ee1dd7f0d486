import { runBackup } from '../backup/index.ts';
import type { SourceSession } from '../connectors/contract.ts';
import type { SnapshotWarning } from '../domain/index.ts';
import type { Manifest, Repository } from '../repository/index.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import { bytesText, countText, durationText, plural, printable } from './formatText.ts';
import { openOrMakeRepository, openRepository, type MadeRepository } from './openRepository.ts';
import { ProgressDisplay } from './progressDisplay.ts';
import type { ProfileName, RepositoryOptions } from './sharedOptions.ts';
import { snapshotDocument, type SnapshotDocument } from './snapshotDocument.ts';
import { madeDocument, tellMade, type MadeDocument } from './tellMade.ts';

export interface BackupCommandOptions extends RepositoryOptions {
  readonly init?: boolean;
  readonly profile?: ProfileName;
}

/** What `backup … --json` answers: the new snapshot, what is missing of it by name, and what `--init` made. */
interface BackupDocument extends SnapshotDocument {
  readonly exceptions: readonly SnapshotWarning[];
  readonly made?: MadeDocument;
}

/** `countsAll`: a run's progress counts every item of the source, so that the last run's number says how far it is. */
export async function backUp(
  context: CommandContext, options: BackupCommandOptions, openSource: () => Promise<SourceSession>, { countsAll }: { countsAll: boolean },
): Promise<ExitCode> {
  const { out, stderr, signal, clock } = context;
  const started = clock.monotonic();
  let expect: (() => Promise<number | undefined>) | undefined;
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true, expected: async () => expect?.() });
  const progress = display.listener;
  // Wrong settings of the source show before anything is made.
  const source = await openSource();
  let made: MadeRepository | undefined;
  let manifest: Manifest;
  try {
    const opened = options.init === true
      ? await openOrMakeRepository(context, options, progress)
      : { repository: await openRepository(context, options, progress) };
    made = 'made' in opened ? opened.made : undefined;
    if (made) await tellMade(context, made);
    if (countsAll) expect = () => lastCount(opened.repository, source.entity.id, signal);
    manifest = await runBackup(opened.repository, source, {
      signal, progress, clock, ...(options.profile ? { profile: options.profile } : {}),
    });
  } finally {
    await source.close();
  }
  display.stop();
  const document = snapshotDocument(manifest);
  await out.document({
    ...document, exceptions: manifest.warnings, ...(made ? { made: madeDocument(made) } : {}),
  } satisfies BackupDocument);
  if (made) await out.line();
  for (const line of summary(manifest, document, clock.monotonic() - started)) await out.line(line);
  return document.warnings > 0 || document.status === 'partial' ? EXIT.warnings : EXIT.done;
}

async function lastCount(repository: Repository, entityId: string, signal: AbortSignal): Promise<number | undefined> {
  const tag = repository.context.keyring.entityTag(entityId);
  const last = (await repository.newest(tag, signal))?.manifest.counts;
  return last && last.items + last.folders;
}

function summary({ id, entity, status, counts }: Manifest, { warnings }: SnapshotDocument, tookMs: number): string[] {
  const lines = [
    `Snapshot ${id} of ${printable(entity.id)}: ${status === 'complete' ? 'complete' : 'PARTIAL'}`,
    `  ${plural(counts.items, 'item')} in ${plural(counts.folders, 'folder')}, ${bytesText(counts.bytes)}`,
    `  ${countText(counts.added)} added, ${countText(counts.changed)} changed, ${countText(counts.removed)} removed, in ${durationText(tookMs)}`,
  ];
  if (warnings > 0) {
    const { skipped, failed, altered } = counts;
    lines.push(`  ${plural(warnings, 'item')} not stored as at the source: ${failed} failed, ${skipped} skipped, ${altered} altered`);
  }
  return lines;
}
