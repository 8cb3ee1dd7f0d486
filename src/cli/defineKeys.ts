import type { Command } from 'commander';
import type { Does } from './defineCommands.ts';
import { repositoryOptions } from './sharedOptions.ts';

/** The commands that look after the keys of a repository. */
export function defineKeys(program: Command, does: Does): void {
  const key = program.command('key').description('lists, adds, removes and rotates the keys of a repository');
  const list = repositoryOptions(key.command('list')).description('lists key slots and key epochs');
  does(list, async () => (await import('./commands/listKeys.ts')).listKeys);

  const add = repositoryOptions(key.command('add'))
    .description('adds one more key that opens the repository')
    .option('--operator <file>', 'a key file; made (for you alone, mode 0600) where it does not exist')
    .option('--recovery', 'a new recovery key, shown once')
    .option('--retire-old', 'with --recovery: take the recovery keys before it away, when the new one was shown');
  does(add, async () => (await import('./commands/addKey.ts')).addKey);

  const remove = repositoryOptions(key.command('remove'))
    .description('takes a key away, and rotates')
    .argument('<slot>', 'as "holdfast key list" shows it')
    .addHelpText('after', '\nOne operator and one recovery key always stay, and the key that is given.');
  does(remove, async () => (await import('./commands/removeKey.ts')).removeKey);

  const rotate = repositoryOptions(key.command('rotate'))
    .description('begins a key epoch: all that is written from now on is sealed with new keys');
  does(rotate, async () => (await import('./commands/rotateKeys.ts')).rotateKeys);

  const sheet = repositoryOptions(key.command('recovery-sheet'))
    .description('prints the sheet of a recovery key, after trying it on the repository')
    .option('--new', 'of a new recovery key; on a terminal it is read back')
    .option('--retire-old', 'with --new: take the recovery keys before it away, when the new one was shown (and typed back)');
  does(sheet, async () => (await import('./commands/printRecoverySheet.ts')).printRecoverySheet);
}
