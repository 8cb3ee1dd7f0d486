import { browseDifference, type Difference } from '../../recovery/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { pickSnapshot, snapshotsOf } from '../findSnapshot.ts';
import { countText, printable } from '../formatText.ts';
import { itemDocument, type ItemDocument } from '../itemDocument.ts';
import { keyStyleOf } from '../keyStyle.ts';
import { openRepository } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions {
  readonly before: string;
  readonly after: string;
  readonly entity?: string;
}

interface DifferenceDocument extends ItemDocument {
  readonly change: Difference['change'];
  /** Of a changed item: which of name, folder, content and (other) fields differ. */
  readonly parts?: readonly string[];
  /** Of a changed item: as it was. */
  readonly before?: Omit<ItemDocument, 'id'>;
}

export async function compareSnapshots(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, signal } = context;
  const repository = await openRepository(context, options);
  const snapshots = await snapshotsOf(context, repository, options.entity);
  const before = pickSnapshot(snapshots, options.before);
  const after = pickSnapshot(snapshots, options.after);
  if (before.tag !== after.tag) {
    throw usageError('two-entities', `The snapshots are of two entities (${before.entity.id} and ${after.entity.id}). Compare two of one.`);
  }
  const counts = { added: 0, changed: 0, removed: 0 };
  const differences = counted(browseDifference(repository, before, after, { keys: keyStyleOf(after), signal }), counts);
  await out.list(differences, { json: differenceDocument, line: differenceLine });
  await out.line(`${countText(counts.added)} added, ${countText(counts.changed)} changed, ${countText(counts.removed)} removed`);
  return EXIT.done;
}

async function* counted(
  batches: AsyncIterable<Difference[]>, counts: Record<Difference['change'], number>,
): AsyncGenerator<Difference[]> {
  for await (const batch of batches) {
    for (const { change } of batch) counts[change]++;
    yield batch;
  }
}

function differenceDocument(difference: Difference): DifferenceDocument {
  if (difference.change === 'removed') return { change: 'removed', ...itemDocument(difference.before) };
  if (difference.change === 'added') return { change: 'added', ...itemDocument(difference.after) };
  const { id: _, ...before } = itemDocument(difference.before);
  return { change: 'changed', ...itemDocument(difference.after), parts: difference.parts, before };
}

const MARK = { added: '+', changed: '~', removed: '-' };

function differenceLine(difference: Difference): string {
  const { row, path } = difference.change === 'removed' ? difference.before : difference.after;
  const shown = `${MARK[difference.change]} ${printable(path)}${row.kind === 'folder' ? '/' : ''}`;
  if (difference.change !== 'changed') return shown;
  const { before, parts } = difference;
  const was = before.path === path ? '' : `, was ${printable(before.path)}`;
  return `${shown}  (${parts.join(', ')}${was})`;
}
