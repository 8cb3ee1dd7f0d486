import type { Command } from 'commander';
import type { Does } from './defineCommands.ts';
import { repositoryOptions } from './sharedOptions.ts';
import { tenantOptions } from './tenantOptions.ts';

/** Taking restores back. */
export function defineUndo(program: Command, does: Does): void {
  const restores = repositoryOptions(program.command('restores'))
    .description('lists the restores that can be taken back');
  does(restores, async () => (await import('./commands/listRestores.ts')).listRestores);

  const undo = tenantOptions(repositoryOptions(program.command('undo')))
    .description('takes a restore into a mailbox of Microsoft 365 back')
    .argument('<restore>', 'id, unique beginning of an id, or "latest": "holdfast restores" lists them')
    .option('--dry-run', 'only tell what would be done')
    .addHelpText('after', `
What the restore made goes to Deleted Items, what it moved or changed is as it was, and what it put into Deleted Items comes back. What
somebody changed since the restore is left as it is, and named. A restore that was stopped can be taken back, too, and a second undo
changes nothing. The application needs the permissions that the restore needed.`);
  does(undo, async () => (await import('./commands/undoRestore.ts')).undoRestore);
}
