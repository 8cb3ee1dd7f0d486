import { deriveServiceKeys, verifyAudit as verify } from '../../accounts/index.ts';
import { openDatabase } from '../../database/index.ts';
import { readMasterKey } from '../../server/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { plural, printable } from '../formatText.ts';

export async function verifyAudit({ out, stderr, settings, signal }: CommandContext): Promise<ExitCode> {
  const keys = deriveServiceKeys(readMasterKey(settings.service));
  const { databaseUrl: url, data: dataDirectory } = settings.service;
  const database = await openDatabase({ url, dataDirectory, signal, onNotice: ({ message }) => stderr.write(`${printable(message)}\n`) });
  try {
    const report = await verify(database, keys, signal);
    await out.document(report);
    for (const { accountId, seq, what } of report.breaks) await out.line(`account ${accountId}: entry ${seq} is ${what}`);
    const whole = report.breaks.length === 0;
    await out.line(`${plural(report.entries, 'entry', 'entries')} of ${plural(report.accounts, 'account')} read: ${whole ? 'the audit log is whole' : 'THE AUDIT LOG WAS TAMPERED WITH'}`);
    return whole ? EXIT.done : EXIT.failed;
  } finally {
    await database.close();
  }
}
