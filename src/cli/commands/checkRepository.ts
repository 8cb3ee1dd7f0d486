import { check, type CheckReport, type Finding, type LockReport } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { bytesText, countText, durationText, plural, printable } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions {
  /** Percent. */
  readonly readData?: number;
}

/** What `check --json` answers; see docs/guides/command-line.md. Fields are only ever added. */
interface CheckDocument extends CheckReport {
  readonly sound: boolean;
}

/** Ends with 1 when something is lost or cannot be proved, so that a script notices. */
export async function checkRepository(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, stderr, clock, signal } = context;
  const started = clock.monotonic();
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const repository = await openRepository(context, options, display.listener);
  const { errors, notices, counts, lock } = await check(repository, { readData: options.readData ?? 0, signal, progress: display.listener });
  display.stop();
  const sound = errors.length === 0;
  await out.document({ sound, errors, notices, counts, ...(lock && { lock }) } satisfies CheckDocument);
  for (const finding of errors) for (const line of findingLines('DAMAGE', finding)) await out.line(line);
  for (const finding of notices) for (const line of findingLines('notice', finding)) await out.line(line);
  await out.line(sound ? 'The repository is sound.' : `The repository is DAMAGED: ${plural(errors.length, 'object')} named above.`);
  await out.line(`  ${plural(counts.snapshots, 'snapshot')} with ${plural(counts.items, 'version')} of items, `
    + `${plural(counts.blobs, 'blob')} in ${plural(counts.packs, 'pack')}`);
  const read = counts.packsRead === 0 ? 'Contents were not read; --read-data does that'
    : `${countText(counts.packsRead)} of ${plural(counts.packs, 'pack')} read and proved whole, ${bytesText(counts.bytesRead)}`;
  await out.line(`  ${read}; ${durationText(clock.monotonic() - started)}`);
  for (const line of lock ? lockLines(lock) : []) await out.line(line);
  return sound ? EXIT.done : EXIT.failed;
}

function lockLines({ mode, days, objects, covered }: LockReport): string[] {
  const entities = Object.entries(covered).map(([entity, until]) =>
    `  ${printable(entity)}: ${until === null ? 'its newest snapshot is NOT locked' : `locked until ${until}`}`);
  return [`Locked for ${plural(days, 'day')} (${mode}), ${plural(objects, 'object')} asked for:`, ...entities];
}

function findingLines(word: string, { object, code, message, items, itemCount }: Finding): string[] {
  const lines = [`${word} ${printable(object)}: ${printable(message)} [${code}]`];
  for (const { entity, snapshot, path } of items) lines.push(`  hits ${printable(path)} of ${printable(entity)}, snapshot ${snapshot}`);
  if (itemCount > items.length) lines.push(`  and ${plural(itemCount - items.length, 'more item')}`);
  return lines;
}
