import { jsonLogger } from '../../runtime/index.ts';
import { runService, type ServiceRole } from '../../server/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';

interface ServeOptions {
  readonly role: readonly ServiceRole[];
  readonly host: string;
  readonly port: number;
}

/** Runs until it is interrupted, which is how a service ends: that is no failure. */
export async function serve({ out, stderr, settings, clock, signal }: CommandContext, { role, host, port }: ServeOptions): Promise<ExitCode> {
  const log = jsonLogger((line) => stderr.write(line), clock);
  const told: Promise<void>[] = [];
  await runService({
    roles: new Set(role), host, port, settings, clock, log, signal,
    onReady: (ready) => told.push(out.json ? out.document(ready) : out.line(`Holdfast serves at ${ready.url}`)),
  });
  await Promise.all(told);
  return EXIT.done;
}
