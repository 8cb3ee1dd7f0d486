import { lockHere, type Manifest } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { snapshotsOf } from '../findSnapshot.ts';
import { bytesText, countText, plural, printable, timeText } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';
import { snapshotDocument, type SnapshotDocument } from '../snapshotDocument.ts';

export async function listSnapshots(
  context: CommandContext, options: RepositoryOptions & { entity?: string },
): Promise<ExitCode> {
  const { out } = context;
  const repository = await openRepository(context, options);
  const { snapshots, damaged } = await snapshotsOf(context, repository, options.entity);
  const documents: SnapshotDocument[] = [];
  for (const manifest of snapshots) documents.push(snapshotDocument(manifest, await lockHere(repository.context, manifest, context.signal)));
  await out.document(documents);
  if (snapshots.length + damaged.length === 0) await out.line('No snapshot yet.');
  for (const [entity, group] of Map.groupBy(snapshots, (manifest) => manifest.entity.id)) {
    await out.line(printable(entity));
    for (const manifest of group) await out.line(snapshotLine(manifest));
  }
  return damaged.length > 0 ? EXIT.warnings : EXIT.done;
}

function snapshotLine({ id, startedAt, status, counts }: Manifest): string {
  const { added, changed, removed } = counts;
  const missing = counts.skipped + counts.failed + counts.altered;
  const notes = [
    ...(status === 'partial' ? ['partial'] : []),
    ...(missing > 0 ? [plural(missing, 'warning')] : []),
  ];
  return [
    `  ${id}`, timeText(Date.parse(startedAt)), plural(counts.items, 'item').padStart(15), bytesText(counts.bytes).padStart(9),
    `+${countText(added)} ~${countText(changed)} -${countText(removed)}`, ...notes,
  ].join('  ');
}
