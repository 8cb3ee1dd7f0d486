import { resolve } from 'node:path';
import { HoldfastError } from '../../domain/index.ts';
import type { Descriptor } from '../../connectors/contract.ts';
import { restoreFolder, type FolderMode } from '../../recovery/index.ts';
import type { Manifest } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import type { ExitCode } from '../exitCodes.ts';
import { findSnapshot } from '../findSnapshot.ts';
import { openRepository } from '../openRepository.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import { selectRows } from '../selectRows.ts';
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
    ...selection, to: resolve(options.to), descriptor: await descriptorOf(manifest), mode: options.mode, signal, progress,
  });
  display.stop();
  return tellRestored(context, { manifest, report, tookMs: clock.monotonic() - started });
}

/** The list of connectors loads them all, which takes longer than to restore a single file: the usual one goes past it. */
async function descriptorOf({ entity }: Manifest): Promise<Descriptor> {
  if (entity.service === 'folder') return (await import('../../connectors/folder/index.ts')).descriptor;
  const found = (await import('../../connectors/index.ts')).descriptorOf(entity.service);
  if (found) return found;
  throw new HoldfastError('cli/unknown-service', 'never',
    `The snapshot is of "${entity.service}", which this version does not know. Update Holdfast and try again.`);
}
