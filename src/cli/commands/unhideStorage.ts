import { unhide } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { plural, printable } from '../formatText.ts';
import { openPatiently } from '../openRepository.ts';

interface Options {
  readonly url: string;
  readonly dryRun?: boolean;
}

/** `--json`: `{location, dryRun, objects}`. */
export async function unhideStorage(context: CommandContext, { url, dryRun = false }: Options): Promise<ExitCode> {
  const { out, clock, signal } = context;
  const storage = await openPatiently(context, url, { create: false });
  const objects = await unhide(storage, { dryRun, clock, signal });
  await out.document({ location: storage.location, dryRun, objects });
  for (const name of objects) await out.line(`  ${printable(name)}`);
  await out.line(objects.length === 0 ? 'Nothing that is locked is hidden.' : `${plural(objects.length, 'object')} ${dryRun ? 'would be brought back' : 'brought back'}.`);
  return EXIT.done;
}
