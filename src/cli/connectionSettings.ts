import { readFile } from 'node:fs/promises';
import { HoldfastError, messageOf } from '../domain/index.ts';
import type { ImapSettings } from '../connectors/imap/index.ts';
import { askSecret } from './askSecret.ts';
import type { CommandContext } from './commandContext.ts';
import { printable } from './formatText.ts';
import { usageError } from './presentError.ts';
import { readSecret } from './readSecret.ts';
import type { ConnectionOptions } from './sharedOptions.ts';

/** How to reach the mailbox that the options name; secrets are read here. */
export async function connectionSettings(context: CommandContext, options: ConnectionOptions): Promise<ImapSettings> {
  const { host, port, user, tls, connections, caFile } = options;
  return {
    host, user, tls,
    ...(port === undefined ? {} : { port }),
    ...(connections === undefined ? {} : { connections }),
    ...(caFile === undefined ? {} : { ca: await certificates(caFile) }),
    ...await secretOf(context, options),
  };
}

async function secretOf(
  context: CommandContext, { host, user, passwordFile, tokenFile }: ConnectionOptions,
): Promise<Pick<ImapSettings, 'password' | 'token'>> {
  const { stdin } = context;
  if (passwordFile !== undefined) return { password: await readSecret('password', passwordFile, stdin) };
  if (tokenFile !== undefined) {
    const first = await readSecret('access token', tokenFile, stdin);
    // A token lives for an hour, a run may last longer: who renews the file is followed.
    return { token: tokenFile === '-' ? first : () => readSecret('access token', tokenFile, stdin) };
  }
  if (stdin.isTTY === true && context.stderr.isTTY === true) {
    return { password: await askSecret(`Password of ${printable(user)} on ${printable(host)}: `, context) };
  }
  throw usageError('no-password', 'Give the password or token of the mailbox: --password-file FILE or --token-file FILE.');
}

async function certificates(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new HoldfastError('cli/ca-unreadable', 'input', `The certificates cannot be read from ${file} (${messageOf(cause)}).`, { cause });
  }
}
