import { Option, type Command } from 'commander';
import type { Does } from './defineCommands.ts';
import { repositoryOptions, searchOptions } from './sharedOptions.ts';

const ALONE = 'no prune and no erasure is running: pass over what one that died has left';

/** The commands that destroy what was backed up. */
export function defineErasure(program: Command, does: Does): void {
  const erase = repositoryOptions(program.command('erase'))
    .description('takes items out of every snapshot, for good, and writes a certificate')
    .requiredOption('--entity <entity>', 'id or name of what was backed up')
    .option('--item <id...>', 'items by id, as "holdfast ls --json" shows it')
    .option('--items-file <file>', 'items by id, a line each: what an erasure wrote before it was interrupted')
    .option('--path <path>', 'the item at that path in any snapshot; a folder with all below it')
    .option('--query <words>', 'every item in which these words are found, as by "holdfast search"');
  searchOptions(erase)
    .option('--dry-run', 'only tell what would be erased')
    .addOption(new Option('--names <how>', 'in the certificate: keyed hashes of names and ids, or as they are').choices(['hashed', 'plain']).default('hashed'))
    .option('--certificate <file>', 'where to (default: holdfast-erasure-<time>.json here)')
    .option('--alone', ALONE)
    .option('--yes', 'do not ask')
    .addHelpText('after', `
Several of --query, --from, --to, --subject, --folder, --after and --before choose what all of them find; look with --dry-run first.
Run again it finishes an erasure that was interrupted. What the source still has is stored again by the next backup.`);
  does(erase, async () => (await import('./commands/eraseItems.ts')).eraseItems);

  const entity = program.command('entity').description('removes what was backed up');
  const remove = repositoryOptions(entity.command('remove'))
    .description('removes an entity with all its snapshots and its keys, for good')
    .argument('<entity>', 'its id or name')
    .option('--alone', ALONE)
    .option('--yes', 'do not ask');
  does(remove, async () => (await import('./commands/removeEntity.ts')).removeEntity);
}
