import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { systemClock } from '../../src/runtime/index.ts';
import { runCommandLine } from '../../src/cli/index.ts';

export const HOLDFAST = join(dirname(dirname(import.meta.dirname)), 'bin', 'holdfast');

/** How a command ended and what it said. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  /** Over the sandbox's own; undefined takes one away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** A scratch folder with a repository address, a key file and caches of its own; nothing of the machine is read or changed. */
export class CliSandbox implements Disposable {
  readonly directory: string;
  readonly environment: Record<string, string>;

  constructor(root = tmpdir()) {
    this.directory = mkdtempSync(join(root, 'holdfast-cli-'));
    this.environment = {
      HOLDFAST_REPO: this.path('repo'), HOLDFAST_KEY_FILE: this.path('key'), HOLDFAST_CACHE: this.path('cache'),
    };
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  /** Runs a command line in this process. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Said> {
    const stdout = new Captured();
    const stderr = new Captured();
    const code = await runCommandLine(args, {
      stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)], { objectMode: false }),
      stdout, stderr, environment: { ...this.environment, ...options.environment }, clock: systemClock,
      signal: options.signal ?? new AbortController().signal,
    });
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  /** Runs a command that must end with `code`, with --json, and gives its document. */
  async json<T>(args: readonly string[], code = 0, options: RunOptions = {}): Promise<T> {
    const said = await this.run([...args, '--json'], options);
    if (said.code !== code) throw new Error(`exit code ${said.code} of ${args.join(' ')}: ${said.stderr}${said.stdout}`);
    return JSON.parse(said.stdout) as T;
  }

  /** Of the real command in a process of its own. */
  environmentOfProcess(): Record<string, string> {
    const compiled = process.env['NODE_COMPILE_CACHE'];
    return { HOME: this.directory, PATH: process.env['PATH'] ?? '', TMPDIR: this.path(), ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }), ...this.environment };
  }

  /** Starts the real command in a process of its own. */
  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningCommand {
    return new RunningCommand(spawn(HOLDFAST, args, {
      stdio: ['ignore', 'pipe', 'pipe'], env: { ...this.environmentOfProcess(), ...environment },
    }));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A command in a process of its own; what it says is gathered. */
export class RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<Said & { readonly signal: NodeJS.Signals | null }>;

  constructor(child: ChildProcess) {
    this.child = child;
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code: code ?? -1, stdout, stderr, signal }));
    });
  }
}

class Captured extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}
