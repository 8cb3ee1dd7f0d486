import type { Readable, Writable } from 'node:stream';
import type { Clock, Settings } from '../runtime/index.ts';
import type { ExitCode } from './exitCodes.ts';
import type { Output } from './output.ts';

/** A stream that may be a terminal. */
export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Where a command runs: all that it may touch besides what its options name. */
export interface CommandContext {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** The answer. */
  readonly out: Output;
  /** Progress, warnings, errors. */
  readonly stderr: TerminalStream;
  readonly settings: Settings;
  readonly clock: Clock;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/** A command module's one export: does the work and tells how it ended. Errors are thrown. */
export type Action<Options> = (context: CommandContext, options: Options) => Promise<ExitCode>;
