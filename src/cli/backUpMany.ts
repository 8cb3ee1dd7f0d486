import { runBackup } from '../backup/index.ts';
import type { SourceSession } from '../connectors/contract.ts';
import { isHoldfastError, type HoldfastError, type Progress } from '../domain/index.ts';
import type { Repository } from '../repository/index.ts';
import type { BackupCommandOptions } from './backUp.ts';
import { backupDocument, backupSummary, exitCodeOf, type BackupDocument } from './backupSummary.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import { printable } from './formatText.ts';
import { openOrMakeRepository, openRepository, type MadeRepository } from './openRepository.ts';
import { errorDocument, type ErrorDocument } from './presentError.ts';
import { ProgressDisplay } from './progressDisplay.ts';
import { ProgressSum } from './progressSum.ts';
import { madeDocument, tellMade } from './tellMade.ts';

/** One of several entities that a command backs up. */
export interface ManyEntry {
  /** For people. */
  readonly name: string;
  open(): SourceSession;
}

export interface Many {
  readonly entries: readonly ManyEntry[];
  /** How many at once. */
  readonly parallel: number;
  /** Whether an error is about one entity alone, so that the others go on. */
  isOfOne(error: HoldfastError): boolean;
}

/** What became of one: a snapshot, or why there is none. */
type Result = BackupDocument | (ErrorDocument & { readonly name: string });

/**
 * Backs up several entities, some at once. `find` looks them up, so that wrong settings show before anything is made. `--json` answers with an array in the
 * order of the entities. One alone that fails fails the command; of several the others go on, and the exit code says that something is missing.
 */
export async function backUpMany(context: CommandContext, options: BackupCommandOptions, find: () => Promise<Many>): Promise<ExitCode> {
  const { out, stderr, clock } = context;
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const many = await find();
  const opened: { repository: Repository; made?: MadeRepository } = options.init === true
    ? await openOrMakeRepository(context, options, display.listener)
    : { repository: await openRepository(context, options, display.listener) };
  if (opened.made) await tellMade(context, opened.made);
  const results = await runAll(context, options, { many, repository: opened.repository, progress: display.listener });
  display.stop();
  const [first, ...others] = results.map(({ result }) => result);
  await out.document(first === undefined ? [] : [opened.made ? { ...first, made: madeDocument(opened.made) } : first, ...others]);
  if (opened.made) await out.line();
  for (const { lines } of results) for (const line of lines) await out.line(line);
  return worst(results.map(({ result }) => result));
}

interface Work {
  readonly many: Many;
  readonly repository: Repository;
  readonly progress: Progress;
}

interface Ended {
  readonly result: Result;
  readonly lines: readonly string[];
}

async function runAll(context: CommandContext, options: BackupCommandOptions, work: Work): Promise<Ended[]> {
  const { many: { entries, parallel }, progress } = work;
  const ended: Ended[] = [];
  const sum = new ProgressSum(progress, entries.length);
  const stop = new AbortController();
  const inner = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let place = next++; place < entries.length; place = next++) {
      const entry = entries[place];
      if (entry === undefined) return;
      ended[place] = await runOne(inner, options, work, entry, entries.length === 1 ? progress : sum.of(entry.name));
    }
  };
  // After an error the others stop at their next step, and all have ended before it goes on upwards.
  await Promise.all(Array.from({ length: Math.min(parallel, entries.length) }, () => worker().catch((error: unknown) => stop.abort(error))));
  inner.signal.throwIfAborted();
  return ended;
}

async function runOne(context: CommandContext, options: BackupCommandOptions, { many, repository }: Work, entry: ManyEntry, progress: Progress): Promise<Ended> {
  const { signal, clock, stderr } = context;
  const started = clock.monotonic();
  const source = entry.open();
  try {
    const manifest = await runBackup(repository, source, {
      signal, progress, clock, ...(options.profile ? { profile: options.profile } : {}), ...(many.entries.length > 1 ? { workers: 1 } : {}),
    });
    return { result: backupDocument(manifest), lines: [`${printable(entry.name)}:`, ...backupSummary(manifest, clock.monotonic() - started).map((line) => `  ${line}`)] };
  } catch (error) {
    if (many.entries.length === 1 || signal.aborted || !isHoldfastError(error) || !many.isOfOne(error)) throw error;
    stderr.write(`holdfast: ${printable(entry.name)}: ${printable(error.message)} [${error.code}]\n`);
    return { result: { name: entry.name, ...errorDocument(error) }, lines: [`${printable(entry.name)}: FAILED  ${printable(error.message)}`] };
  } finally {
    await source.close();
  }
}

function worst(results: readonly Result[]): ExitCode {
  const failed = results.filter((result) => 'error' in result).length;
  if (failed > 0) return failed === results.length ? EXIT.failed : EXIT.warnings;
  return results.some((result) => !('error' in result) && exitCodeOf(result) !== EXIT.done) ? EXIT.warnings : EXIT.done;
}
