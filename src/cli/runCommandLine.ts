import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { Command, CommanderError } from 'commander';
import { readSettings, SETTINGS, type Clock } from '../runtime/index.ts';
import type { CommandContext, TerminalStream } from './commandContext.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import { defineCommands, type RunAction } from './defineCommands.ts';
import { isNoReader, Output } from './output.ts';
import { settingsList } from './settingsHelp.ts';
import { errorDocument, errorText, isUsageError, usageError } from './presentError.ts';

/** What is around a command: the process's own, or a test's. */
export interface Surroundings {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  /** The process's own unless told. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Runs one command line (without program name) to its end. Never throws: what goes wrong is told and becomes the exit code. */
export async function runCommandLine(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  const { stdin, stderr, clock, signal } = around;
  const optionsEnd = args.indexOf('--');
  const json = (optionsEnd < 0 ? args : args.slice(0, optionsEnd)).includes('--json');
  const out = new Output(around.stdout, json);
  stderr.on('error', ignoreNoReader);
  const context: CommandContext = { stdin, out, stderr, clock, signal, settings: readSettings(around.environment) };
  let code: ExitCode = EXIT.done;
  const run: RunAction = async (load, options) => {
    const action = await load();
    code = await action(context, options as never);
  };
  try {
    const program = commandLine(around, run);
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return await tell(error, context);
  } finally {
    stderr.off('error', ignoreNoReader);
  }
}

async function tell(error: unknown, { out, stderr, signal }: CommandContext): Promise<ExitCode> {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
  if (isNoReader(error)) return EXIT.failed;
  const wrongUsage = error instanceof CommanderError;
  const shown = wrongUsage ? usageError(error.code.replace('commander.', ''), error.message) : error;
  // Commander has told it on stderr already.
  if (!wrongUsage) stderr.write(signal.aborted ? 'holdfast: interrupted\n' : errorText(shown));
  if (out.json && !out.begun) {
    const interrupted = { error: { code: 'cli/interrupted', message: 'The command was interrupted.', data: {} } };
    await out.document(signal.aborted ? interrupted : errorDocument(shown)).catch(() => undefined);
  }
  if (signal.aborted) return EXIT.interrupted;
  return isUsageError(shown) ? EXIT.usage : EXIT.failed;
}

function commandLine(around: Surroundings, run: RunAction): Command {
  const program = new Command('holdfast')
    .description('Backs up mailboxes and folders, keeps every point in time, and gives any of it back.')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => around.stdout.write(text),
      writeErr: (text) => around.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'holdfast: ')),
    })
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError('(add --help to see what there is)')
    .enablePositionalOptions()
    .addHelpText('after', settingsHelp);
  defineCommands(program, run);
  return program;
}

function settingsHelp({ command }: { command: Command }): string {
  if (command.parent !== null) return '';
  return `\nEnvironment (for those of the service: holdfast serve --help):\n${settingsList(SETTINGS)}\n
Exit codes: 0 done · 1 failed · 2 wrong usage · 3 finished with warnings · 130 interrupted`;
}

function version(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

function ignoreNoReader(): void {}
