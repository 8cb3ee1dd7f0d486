import { openSource } from '../../connectors/folder/index.ts';
import { backUp, type BackupCommandOptions } from '../backUp.ts';
import type { CommandContext } from '../commandContext.ts';
import type { ExitCode } from '../exitCodes.ts';

export function backupFolder(context: CommandContext, options: BackupCommandOptions & { path: string }): Promise<ExitCode> {
  return backUp(context, options, () => openSource({ path: options.path, clock: context.clock }), { countsAll: true });
}
