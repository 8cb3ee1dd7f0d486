import { HoldfastError } from '../../domain/index.ts';
import { exportSnapshot, type ExportFormat } from '../../recovery/index.ts';
import type { Repository } from '../../repository/index.ts';
import { openSink, type ObjectSink } from '../../storage/index.ts';
import type { CommandContext } from '../commandContext.ts';
import type { ExitCode } from '../exitCodes.ts';
import { findSnapshot } from '../findSnapshot.ts';
import { openRepository } from '../openRepository.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import { selectRows } from '../selectRows.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';
import { snapshotDescriptor } from '../snapshotDescriptor.ts';
import { tellExported } from '../tellExported.ts';

interface Options extends RepositoryOptions {
  readonly snapshot: string;
  readonly format: ExportFormat;
  readonly to: string;
  readonly path?: string;
  readonly partSize?: number;
  readonly entity?: string;
  readonly holds?: boolean;
}

const PART_SIZE = 5_000_000_000;

export async function exportToPlace(context: CommandContext, options: Options): Promise<ExitCode> {
  const { stderr, clock, signal } = context;
  const { format, path, partSize = PART_SIZE, holds = false } = options;
  const started = clock.monotonic();
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const progress = display.listener;
  const repository = await openRepository(context, options, progress);
  const manifest = await findSnapshot(context, repository, options.snapshot, options.entity);
  const selection = await selectRows(repository, manifest, path, signal);
  const sink = await openSink(options.to, { settings: context.settings, clock });
  mustBeOutside(sink, repository);
  const descriptor = await snapshotDescriptor(manifest);
  const report = await exportSnapshot(repository, manifest, { ...selection, sink, format, descriptor, partSize, path, holds, signal, progress });
  display.stop();
  return tellExported(context, { manifest, format, location: sink.location, report, tookMs: clock.monotonic() - started });
}

/** Files of an export among the objects of the repository would be taken for damage, and copied with them. */
function mustBeOutside({ location }: ObjectSink, { context }: Repository): void {
  const [repository, place] = [placeOf(context.storage.location), placeOf(location)];
  if (place.service !== repository.service || !place.path.startsWith(repository.path)) return;
  throw new HoldfastError('cli/export-in-repository', 'input', `${location} lies inside the repository. Choose another place for the export.`);
}

/** A bucket's address has behind "?" what tells services apart, and the region, which does not. */
function placeOf(location: string): { readonly path: string; readonly service: string } {
  const [path = '', query] = location.split('?');
  const parameters = new URLSearchParams(query);
  return { path: path.replace(/\/?$/, '/'), service: `${parameters.get('endpoint')} ${parameters.get('account')}` };
}
