import { Option, type Command } from 'commander';
import type { Action } from './commandContext.ts';
import { defineErasure } from './defineErasure.ts';
import { defineKeys } from './defineKeys.ts';
import { defineService } from './defineService.ts';
import { defineUndo } from './defineUndo.ts';
import {
  byteSize, connectionOptions, day, keyOptions, lockOptions, percent, profileOption, repositoryOptions, searchOptions, span, wholeNumber,
} from './sharedOptions.ts';
import { tenantOptions } from './tenantOptions.ts';

/** Runs what `load` gives with the options and arguments by name. */
export type RunAction = (load: () => Promise<Action<never>>, options: object) => Promise<void>;

const SNAPSHOT = 'id, unique beginning of an id, or "latest"';
const ENTITY = 'id or name of what was backed up, where the repository holds several';

/**
 * All commands with their options and help. A command's own module is loaded when it runs: loading is most of a short
 * command's time, so nothing here may import more than the parser.
 */
export function defineCommands(program: Command, run: RunAction): void {
  const does = (command: Command, load: () => Promise<Action<never>>): void => {
    command.action(async () => {
      const named = command.registeredArguments.map((argument, i) => [argument.name(), command.processedArgs[i]] as const);
      await run(load, { ...command.opts(), ...Object.fromEntries(named) });
    });
  };
  defineRepository(program, does);
  defineBackup(program, does);
  defineBrowsing(program, does);
  defineRestore(program, does);
  defineUndo(program, does);
  defineExport(program, does);
  defineCare(program, does);
  defineStorage(program, does);
  defineKeys(program, does);
  defineErasure(program, does);
  defineService(program, does);
}

/** Declares which module a command runs. */
export type Does = (command: Command, load: () => Promise<Action<never>>) => void;

function defineRepository(program: Command, does: Does): void {
  const repo = program.command('repo').description('makes repositories, tells of them, and sets what holds for all who use them');
  const init = lockOptions(repositoryOptions(repo.command('init'), { recovery: false }))
    .description('makes a repository; refuses a place that has one')
    .addHelpText('after', `
The key file is made (for you alone, mode 0600) where it does not exist, else used. Then the recovery key is shown,
once: print it or write it down. Without key file and recovery key nobody reads the repository, you included.`);
  does(init, async () => (await import('./commands/initRepository.ts')).initRepository);

  const settings = repositoryOptions(repo.command('settings'))
    .description('tells what is set in a repository, or sets it for all who use it')
    .addOption(new Option('--index <state>', 'whether items may be indexed for search; default: as for the repository, which has on').choices(['on', 'off', 'default']))
    .option('--entity <entity>', 'only for this entity (id or name)')
    .addHelpText('after', `
What may not be indexed cannot be searched. Local indexes that there are of it are deleted: on this machine at once, on others
when they next use the repository.`);
  does(settings, async () => (await import('./commands/repositorySettings.ts')).repositorySettings);

  const info = repositoryOptions(repo.command('info'))
    .description('tells what a repository holds, and until when its snapshots are locked');
  does(info, async () => (await import('./commands/repositoryInfo.ts')).repositoryInfo);

  const lock = lockOptions(repositoryOptions(repo.command('lock')))
    .description('locks the snapshots of a repository from the next backup on, or for another time')
    .addHelpText('after', '\nWhat is locked already stays locked as it is: no lock is ever made shorter.');
  does(lock, async () => (await import('./commands/lockRepository.ts')).lockRepository);
}

function defineBackup(program: Command, does: Does): void {
  const backup = program.command('backup').description('backs up a folder or a mailbox');
  const init = (): Option => new Option('--init', 'make repository and key file first where they are missing');
  const folder = repositoryOptions(backup.command('folder'))
    .description('backs up a directory tree')
    .argument('<path>', 'its top directory')
    .addOption(init()).addOption(profileOption());
  does(folder, async () => (await import('./commands/backupFolder.ts')).backupFolder);

  const imap = connectionOptions(repositoryOptions(backup.command('imap')))
    .description('backs up a mailbox')
    .addOption(init()).addOption(profileOption())
    .addHelpText('after', `
One command protects a mailbox from a fresh machine:
  holdfast backup imap --host mail.example.test --user alice@example.test --password-file alice.password \\
    --repo /srv/backup --key-file holdfast.key --init`);
  does(imap, async () => (await import('./commands/backupImap.ts')).backupImap);
  defineMicrosoft365(backup, does, init());
}

function defineMicrosoft365(backup: Command, does: Does, init: Option): void {
  const microsoft365 = backup.command('microsoft365').description('backs up a tenant of Microsoft 365');
  const exchange = tenantOptions(repositoryOptions(microsoft365.command('exchange')))
    .description('backs up mailboxes of a tenant: mail, calendars, contacts, tasks, notes, settings')
    .option('--mailbox <address...>', 'only these mailboxes (default: all that the tenant has, shared ones too)')
    .option('--parallel <number>', 'mailboxes at once (default: 4)', wholeNumber(1, 64))
    .addOption(new Option('--fidelity <form>', 'form in which mails, events and contacts are kept: mime (readable), stream (whole, for Exchange alone), or both')
      .choices(['both', 'mime', 'stream']).default('both'))
    .addOption(init).addOption(profileOption())
    .addHelpText('after', `
The application needs these application permissions of Microsoft Graph, with an administrator's consent:
  User.Read.All         to find mailboxes
  Mail.Read             mail
  MailboxSettings.Read  settings, rules and categories; also where no --mailbox is given
  Calendars.Read        calendars
  Contacts.Read         contacts
  Tasks.Read.All        tasks
  MailboxFolder.Read.All, MailboxItem.Read.All, MailboxItem.Export.All
                        notes
  MailboxItem.Export.All with --fidelity both (or stream): without it mails are kept as MIME alone, and the snapshot says so
A part whose permission is missing is named in the snapshot, and the others are backed up:
  holdfast backup microsoft365 exchange --tenant contoso.example --client-id 00000000-0000-0000-0000-000000000000 \\
    --client-secret-file secret --mailbox alice@contoso.example --repo /srv/backup --key-file holdfast.key --init`);
  does(exchange, async () => (await import('./commands/backupExchange.ts')).backupExchange);
}

function defineBrowsing(program: Command, does: Does): void {
  const snapshots = repositoryOptions(program.command('snapshots'))
    .description('lists every point in time')
    .option('--entity <entity>', 'only of this entity (id or name)');
  does(snapshots, async () => (await import('./commands/listSnapshots.ts')).listSnapshots);

  const days = repositoryOptions(program.command('days'))
    .description('tells what each day added, changed and removed')
    .option('--entity <entity>', 'only of this entity (id or name)');
  does(days, async () => (await import('./commands/listDays.ts')).listDays);

  const ls = repositoryOptions(program.command('ls'))
    .description('lists what a snapshot holds')
    .argument('<snapshot>', SNAPSHOT)
    .argument('[path]', 'a folder or an item of it; everything at the top unless given')
    .option('-r, --recursive', 'with all that lies below')
    .option('--entity <entity>', ENTITY);
  does(ls, async () => (await import('./commands/listFolder.ts')).listFolder);

  const diff = repositoryOptions(program.command('diff'))
    .description('tells what was added, changed and removed between two snapshots of an entity')
    .argument('<before>', SNAPSHOT)
    .argument('<after>', SNAPSHOT)
    .option('--entity <entity>', ENTITY);
  does(diff, async () => (await import('./commands/compareSnapshots.ts')).compareSnapshots);
  defineSearch(program, does);
}

function defineSearch(program: Command, does: Does): void {
  const search = repositoryOptions(program.command('search'))
    .description('finds items of all points in time by words, people, folder and date, newest first')
    .argument('[query...]', 'words that must all be there')
    .option('--entity <entity>', 'only in this entity (id or name)');
  searchOptions(search)
    .addOption(new Option('--snapshot <snapshot>', `only what this one shows: ${SNAPSHOT}`).conflicts('at'))
    .option('--at <day>', 'only what was there then: in the last snapshot of each entity up to this day (its beginning, UTC) or time', day)
    .addOption(new Option('--limit <number>', 'at most so many hits').argParser(wholeNumber(1, 1000)).default(50))
    .option('--continue <cursor>', 'the hits after the one with this cursor')
    .option('--no-index', 'index nothing now: search what is indexed already')
    .addHelpText('after', `
In words and fields: "two words" stand together, wor* begins a word, -word must not be there. Everything else is searched
for as it is written. After --, a query may begin with a minus:
  holdfast search --repo /srv/backup --from alice@example.test -- '"final report"' invoic* -draft
The first search of an entity reads all that it holds; later ones only what is new.`);
  does(search, async () => (await import('./commands/search.ts')).search);
}

function defineRestore(program: Command, does: Does): void {
  const restore = program.command('restore').description('gives back what a snapshot holds');
  const folder = repositoryOptions(restore.command('folder'))
    .description('gives files back into a directory')
    .argument('<snapshot>', SNAPSHOT)
    .requiredOption('--to <directory>', 'where to; made where it is missing')
    .option('--path <path>', 'only this item, or this folder with all below it')
    .addOption(new Option('--mode <mode>', 'where another file stands already: refuse names it, skip leaves it, replace writes over it')
      .choices(['refuse', 'skip', 'replace']).default('refuse'))
    .option('--entity <entity>', ENTITY);
  does(folder, async () => (await import('./commands/restoreIntoFolder.ts')).restoreIntoFolder);

  const imap = connectionOptions(repositoryOptions(restore.command('imap')))
    .description('gives mail back into a mailbox')
    .argument('<snapshot>', SNAPSHOT)
    .addOption(new Option('--mode <mode>', 'separate: below a new folder; skip: only what is missing; replace: flags too, as they were')
      .choices(['separate', 'skip', 'replace']).default('separate'))
    .option('--folder <name>', 'with --mode separate: the new folder (default: "Restored" and the date)')
    .option('--path <path>', 'only this mail, or this folder with all below it')
    .option('--dry-run', 'only tell what would be done')
    .option('--entity <entity>', ENTITY)
    .addHelpText('after', '\nNo mode deletes a mail. What stands there already is recognised: a second run writes nothing.');
  does(imap, async () => (await import('./commands/restoreImap.ts')).restoreImap);
  defineRestoreExchange(restore, does);
}

function defineRestoreExchange(restore: Command, does: Does): void {
  const microsoft365 = restore.command('microsoft365').description('gives things back to a tenant of Microsoft 365');
  const exchange = tenantOptions(repositoryOptions(microsoft365.command('exchange')))
    .description('gives mail, calendars, contacts, tasks, notes and settings back into a mailbox of a tenant')
    .argument('<snapshot>', SNAPSHOT)
    .option('--to <address>', 'into this mailbox (default: the one that was backed up)')
    .addOption(new Option('--mode <mode>', 'separate: below a new folder; skip: only what is missing or deleted; replace: all as it was, also what was moved or changed')
      .choices(['separate', 'skip', 'replace']).default('separate'))
    .option('--folder <name>', 'with --mode separate: the new folder (default: "Restored" and the date)')
    .option('--tag [category]', 'with --mode replace: a category for what is given back (default: "Restored" and the date)')
    .option('--suffix [text]', 'with --mode replace: an ending for names of folders that are made (default: "(restored" and the date)')
    .option('--snapshot-first', 'back up the destination before anything is written')
    .option('--path <path>', 'only this item, or this folder with all below it: Calendars, Contacts, Mail, Notes, Settings, Tasks')
    .option('--dry-run', 'only tell what would be done')
    .option('--entity <entity>', ENTITY)
    .addHelpText('after', `
The application needs Mail.ReadWrite, Calendars.ReadWrite, Contacts.ReadWrite, Tasks.ReadWrite.All and MailboxSettings.ReadWrite
in addition to what backups need, each for its part. With MailboxItem.ImportExport.All what is kept as a stream comes back whole, and notes come back
(new folders for them need MailboxFolder.ReadWrite.All). Nothing is sent to anybody: without it meetings come back without the people in them. Nothing is deleted for good:
where --mode replace puts back a mail that was edited, the edited one goes to Deleted Items. A second run writes nothing. "holdfast undo"
takes a restore back.`);
  does(exchange, async () => (await import('./commands/restoreExchange.ts')).restoreExchange);
}

function defineExport(program: Command, does: Does): void {
  const command = repositoryOptions(program.command('export'))
    .description('writes what a snapshot holds as files for other programs')
    .argument('<snapshot>', SNAPSHOT)
    .addOption(new Option('--format <format>', 'eml: each mail a file; mbox: a file for each folder; zip: everything packed')
      .choices(['eml', 'mbox', 'zip']).makeOptionMandatory())
    .requiredOption('--to <place>', 'an empty or new folder, or an empty place in a bucket: s3://…, azblob://… or gs://…')
    .option('--path <path>', 'only this item, or this folder with all below it')
    .option('--part-size <size>', 'largest ZIP or MBOX file (default: 5GB)', byteSize(1_000_000))
    .option('--entity <entity>', ENTITY)
    .option('--holds', 'take along what only a legal hold of the source keeps')
    .addHelpText('after', `
eml and mbox hold mails: what else was chosen is left out, told by kind, and the export ends with 3. --format zip holds everything.
manifest.jsonl lists what the export holds and what is missing, with hashes. It appears last: without it the export is
not whole. An export is not encrypted: keep it where only you can read it.`);
  does(command, async () => (await import('./commands/exportToPlace.ts')).exportToPlace);
}

function defineCare(program: Command, does: Does): void {
  const check = repositoryOptions(program.command('check'))
    .description('tells whether the repository is whole, and what a damage hits')
    .addOption(new Option('--read-data [percent]', 'read contents too: every byte, or of a random share of the packs')
      .preset('100').argParser(percent))
    .addHelpText('after', '\nEnds with 1 where something is damaged. Changes nothing.');
  does(check, async () => (await import('./commands/checkRepository.ts')).checkRepository);

  const prune = repositoryOptions(program.command('prune'))
    .description('drops old snapshots and frees their space, also while backups run')
    .option('--keep-last <number>', 'of each entity the newest so many stay', wholeNumber(1, 1_000_000))
    .option('--keep-within <time>', 'those of the last days, months or years stay: 30d, 6m, 2y', span)
    .option('--dry-run', 'only tell what would be done')
    .addHelpText('after', '\nThe newest complete snapshot of an entity always stays.');
  does(prune, async () => (await import('./commands/pruneRepository.ts')).pruneRepository);

  const copy = keyOptions(program.command('copy'))
    .description('brings the snapshots of a repository into a second one in another place, or what is new of them')
    .option('--from <url>', 'the repository (default: HOLDFAST_REPO)')
    .requiredOption('--to <url>', 'where the copy is, or is to be made')
    .option('--prune', 'remove from the copy what a prune has removed from the repository')
    .option('--read-back', 'read every byte that is put once more, not only the ends of packs')
    .option('--detach', 'copy nothing; make the copy at --to independent, so that backups work in it')
    .addHelpText('after', `
The copy has the same keys. It is written by this command alone: backups and prunes refuse it until it is detached.
Everything is proved on the way. Ends with 3 where something is damaged in the repository and was not copied.`);
  does(copy, async () => (await import('./commands/copyRepository.ts')).copyRepository);

  const rebuild = repositoryOptions(program.command('rebuild'))
    .description('makes every index and cache again from the repository alone');
  does(rebuild, async () => (await import('./commands/rebuildRepository.ts')).rebuildRepository);
}

function defineStorage(program: Command, does: Does): void {
  const storage = program.command('storage').description('looks at places for repositories');
  const test = storage.command('test')
    .description('tells whether a place keeps what repositories rely on')
    .argument('<url>', 'a path, file:///path, s3://…, azblob://… or gs://…')
    .option('--lock-seconds <n>', 'in a bucket with object lock: for how long it locks what it tries with; 60 unless told', wholeNumber(5, 3600))
    .option('--json', 'answer with one JSON document')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', `
Works below a new prefix "storage-test-…" and deletes what it put there; sends and receives about 100 MB. Ends with 3 where
backups can be made but something must not be done, with 1 where no repository should be.`);
  does(test, async () => (await import('./commands/tryStorage.ts')).tryStorage);

  const unhide = storage.command('unhide')
    .description('brings back locked objects of a repository that somebody deleted or overwrote')
    .argument('<url>', 'the repository: s3://…')
    .option('--dry-run', 'only tell what would be done')
    .option('--json', 'answer with one JSON document')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', `
Needs no key of the repository. In a bucket with object lock a deletion only hides what is locked: this takes away what hides it.
Whoever did that has keys of the bucket: change them first.`);
  does(unhide, async () => (await import('./commands/unhideStorage.ts')).unhideStorage);
}
