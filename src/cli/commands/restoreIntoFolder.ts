import { resolve } from 'node:path';
import { restoreFolder, type FolderMode } from '../../recovery/index.ts';
import type { CommandContext } from '../commandContext.ts';
import type { ExitCode } from '../exitCodes.ts';
import { findSnapshot } from '../findSnapshot.ts';
import { openRepository } from '../openRepository.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import { selectRows } from '../selectRows.ts';
import { snapshotDescriptor } from '../snapshotDescriptor.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';
import { tellRestored } from '../tellRestored.ts';

interface Options extends RepositoryOptions {
  readonly snapshot: string;
  readonly to: string;
  readonly path?: string;
  readonly mode: FolderMode;
  readonly entity?: string;
}

export async function restoreIntoFolder(context: CommandContext, options: Options): Promise<ExitCode> {
  const { stderr, clock, signal } = context;
  const started = clock.monotonic();
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const progress = display.listener;
  const repository = await openRepository(context, options, progress);
  const manifest = await findSnapshot(context, repository, options.snapshot, options.entity);
  const selection = await selectRows(repository, manifest, options.path, signal);
  const report = await restoreFolder(repository, manifest, {
    ...selection, to: resolve(options.to), descriptor: await snapshotDescriptor(manifest), mode: options.mode, signal, progress,
  });
  display.stop();
  return tellRestored(context, { manifest, report, tookMs: clock.monotonic() - started });
}
