import type { KnownRestore } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { restoresOf } from '../findRestore.ts';
import { printable, timeText } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

/** What `restores --json` answers for each; see docs/guides/command-line.md. Fields are only ever added. */
interface RestoreEntry {
  readonly id: string;
  readonly madeAt: string;
  readonly service: string;
  readonly snapshot: string;
  readonly source: string;
  readonly target: string;
  readonly mode: string;
  /** The snapshot of the destination that was taken before. */
  readonly before?: string;
  readonly ended: boolean;
  readonly undone: KnownRestore['undone'];
}

export async function listRestores(context: CommandContext, options: RepositoryOptions): Promise<ExitCode> {
  const { out } = context;
  const { restores, damaged } = await restoresOf(context, await openRepository(context, options));
  await out.document(restores.map(entryOf));
  if (restores.length + damaged === 0) await out.line('No restore that can be taken back.');
  for (const restore of restores) await out.line(restoreLine(restore));
  return damaged > 0 ? EXIT.warnings : EXIT.done;
}

function entryOf({ id, begin: { madeAt, service, snapshot, source, target, mode, before }, ended, undone }: KnownRestore): RestoreEntry {
  return { id, madeAt, service, snapshot, source: source.name, target: target.name, mode, ...(before === undefined ? {} : { before }), ended, undone };
}

function restoreLine({ id, begin: { madeAt, source, target, mode }, ended, undone }: KnownRestore): string {
  const notes = [...(ended ? [] : ['did not end']), ...(undone === 'yes' ? ['taken back'] : undone === 'begun' ? ['taken back in part'] : [])];
  const way = source.name === target.name ? printable(target.name) : `${printable(source.name)} into ${printable(target.name)}`;
  return [id, timeText(Date.parse(madeAt)), way, mode, ...notes].join('  ');
}
