import { Option } from 'commander';
import type { Command } from 'commander';
import { PROVIDER_SETTINGS, SERVICE_SETTINGS } from '../runtime/index.ts';
import type { Does } from './defineCommands.ts';
import { settingsList } from './settingsHelp.ts';
import { choices, wholeNumber } from './sharedOptions.ts';

const SERVICE_ROLES = ['web', 'worker', 'scheduler'] as const;

/** `serve`, and what looks at the service from outside. */
export function defineService(program: Command, does: Does): void {
  const serve = program.command('serve').description('runs the service: the API, and what works behind it')
    .addOption(new Option('--role <roles>', 'what this process does, with commas between').argParser(choices(SERVICE_ROLES)).default([...SERVICE_ROLES], SERVICE_ROLES.join(',')))
    .option('--host <address>', 'address to listen on; 0.0.0.0 is every one', '127.0.0.1')
    .addOption(new Option('--port <number>', 'port to listen on; 0 is any free one').argParser(wholeNumber(0, 65_535)).default(8080))
    .option('--json', 'tell address and port as JSON once it takes requests')
    .addHelpText('after', () => `
Logs JSON lines on stderr. Ends in order with SIGTERM or Ctrl-C. A worker sends mail and reads what there
is to back up, a scheduler deletes what has run out.

Environment:\n${settingsList({ ...SERVICE_SETTINGS, ...PROVIDER_SETTINGS })}`);
  does(serve, async () => (await import('./commands/serve.ts')).serve);

  const user = program.command('user').description('helps users of the service who cannot help themselves');
  const reset = user.command('reset-two-factor').description('takes the second factor off a user who has lost it and all recovery codes')
    .argument('<email>', 'the address that they sign in with')
    .option('--yes', 'do not ask')
    .option('--json', 'answer with one JSON document')
    .addHelpText('after', `
Make sure first that it is them who ask, by another way than mail. Their sessions end and their password stays; they,
the owner and all administrators of the account are told by mail, and its audit log has it.
Needs the settings of the service (holdfast serve --help).`);
  does(reset, async () => (await import('./commands/resetTwoFactor.ts')).resetTwoFactor);

  const audit = program.command('audit').description('looks at the audit log of the service');
  const verify = audit.command('verify').description('proves that nothing in the audit log was changed, left out or cut off')
    .option('--json', 'answer with one JSON document')
    .addHelpText('after', '\nNeeds the settings of the service (holdfast serve --help). Ends with 1 where the log was tampered with.');
  does(verify, async () => (await import('./commands/verifyAudit.ts')).verifyAudit);
}
