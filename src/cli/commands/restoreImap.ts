import { HoldfastError } from '../../domain/index.ts';
import { openTarget } from '../../connectors/imap/index.ts';
import type { RestoreMode } from '../../connectors/contract.ts';
import { restoreToTarget } from '../../recovery/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { connectionSettings } from '../connectionSettings.ts';
import type { ExitCode } from '../exitCodes.ts';
import { findSnapshot } from '../findSnapshot.ts';
import { openRepository } from '../openRepository.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import { selectRows } from '../selectRows.ts';
import type { ConnectionOptions, RepositoryOptions } from '../sharedOptions.ts';
import { tellRestored } from '../tellRestored.ts';

interface Options extends RepositoryOptions, ConnectionOptions {
  readonly snapshot: string;
  readonly mode: RestoreMode;
  readonly folder?: string;
  readonly path?: string;
  readonly dryRun?: boolean;
  readonly entity?: string;
}

export async function restoreImap(context: CommandContext, options: Options): Promise<ExitCode> {
  const { stderr, clock, signal } = context;
  const { mode, dryRun = false } = options;
  const started = clock.monotonic();
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const progress = display.listener;
  const repository = await openRepository(context, options, progress);
  const manifest = await findSnapshot(context, repository, options.snapshot, options.entity);
  if (manifest.entity.service !== 'imap') {
    throw new HoldfastError('cli/no-mailbox', 'input',
      `Snapshot ${manifest.id} is of ${manifest.entity.id}, which is no mailbox. Use "holdfast restore folder" for it.`);
  }
  const { within } = await selectRows(repository, manifest, options.path, signal);
  // By the day: doing it again on the same day finds the folder and writes nothing twice.
  const folderName = options.folder ?? `Restored ${new Date(clock.now()).toISOString().slice(0, 10)}`;
  const target = await openTarget(await connectionSettings(context, options), { mode, folderName }, signal);
  try {
    const report = await restoreToTarget(repository, manifest, target, { ...(within ? { within } : {}), dryRun, signal, progress });
    display.stop();
    return await tellRestored(context, { manifest, report, dryRun, tookMs: clock.monotonic() - started });
  } finally {
    await target.close();
  }
}
