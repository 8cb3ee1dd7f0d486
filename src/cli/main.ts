import { systemClock } from '../runtime/index.ts';
import { EXIT } from './exitCodes.ts';
import { runCommandLine } from './runCommandLine.ts';

/** What hangs after a command has ended keeps nobody waiting longer than this. */
const LINGER_MS = 3_000;

const interrupt = new AbortController();

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    interrupt.abort();
    if (process.stderr.isTTY) process.stderr.write('\nholdfast: stopping; once more ends at once\n');
  });
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, clock: systemClock, signal: interrupt.signal,
});
setTimeout(() => process.exit(), LINGER_MS).unref();
