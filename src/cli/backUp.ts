import { runBackup } from '../backup/index.ts';
import type { SourceSession } from '../connectors/contract.ts';
import type { Manifest, Repository } from '../repository/index.ts';
import { backupDocument, backupSummary, exitCodeOf } from './backupSummary.ts';
import type { CommandContext } from './commandContext.ts';
import type { ExitCode } from './exitCodes.ts';
import { openOrMakeRepository, openRepository, type MadeRepository } from './openRepository.ts';
import { ProgressDisplay } from './progressDisplay.ts';
import type { ProfileName, RepositoryOptions } from './sharedOptions.ts';
import { madeDocument, tellMade } from './tellMade.ts';

export interface BackupCommandOptions extends RepositoryOptions {
  readonly init?: boolean;
  readonly profile?: ProfileName;
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
  const document = backupDocument(manifest, made && madeDocument(made));
  await out.document(document);
  if (made) await out.line();
  for (const line of backupSummary(manifest, clock.monotonic() - started)) await out.line(line);
  return exitCodeOf(document);
}

async function lastCount(repository: Repository, entityId: string, signal: AbortSignal): Promise<number | undefined> {
  const tag = repository.context.keyring.entityTag(entityId);
  const last = (await repository.newest(tag, signal))?.manifest.counts;
  return last && last.items + last.folders;
}
