import { checkMasterKey, deriveServiceKeys, Outbox, resetSecondFactorAsOperator } from '../../accounts/index.ts';
import { openDatabase } from '../../database/index.ts';
import { systemRandom } from '../../runtime/index.ts';
import { readMasterKey } from '../../server/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { confirmName } from '../confirmName.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { plural, printable } from '../formatText.ts';

interface Options {
  readonly email: string;
  readonly yes?: boolean;
}

export async function resetTwoFactor(command: CommandContext, { email, yes = false }: Options): Promise<ExitCode> {
  const { out, stderr, settings, signal, clock } = command;
  const keys = deriveServiceKeys(readMasterKey(settings.service));
  const { databaseUrl: url, data: dataDirectory } = settings.service;
  await confirmName(command, () => `This takes the second factor off ${printable(email)} and is told to everybody who administers the account. It`, email, yes);
  const database = await openDatabase({ url, dataDirectory, signal, onNotice: ({ message }) => stderr.write(`${printable(message)}\n`) });
  try {
    const context = { database, keys, locations: [], clock, random: systemRandom };
    await checkMasterKey(context);
    const reset = await resetSecondFactorAsOperator(context, new Outbox(context), email);
    await out.document(reset);
    await out.line(`The second factor of ${printable(reset.email)} (${reset.role}) is off; ${plural(reset.sessions, 'session')} ended, ${plural(reset.told, 'person', 'people')} told by mail.`);
    return EXIT.done;
  } finally {
    await database.close();
  }
}
