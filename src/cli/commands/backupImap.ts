import { openSource } from '../../connectors/imap/index.ts';
import { backUp, type BackupCommandOptions } from '../backUp.ts';
import type { CommandContext } from '../commandContext.ts';
import { connectionSettings } from '../connectionSettings.ts';
import type { ExitCode } from '../exitCodes.ts';
import type { ConnectionOptions } from '../sharedOptions.ts';

export function backupImap(context: CommandContext, options: BackupCommandOptions & ConnectionOptions): Promise<ExitCode> {
  const open = async () => openSource(await connectionSettings(context, options), context.signal);
  return backUp(context, options, open, { countsAll: false });
}
