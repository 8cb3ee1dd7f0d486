import type { AddressGuard } from '../../runtime/index.ts';
import { HoldfastError } from '../../domain/index.ts';
import type { Authorised, Credentials, Offer, TaskService } from '../offer.ts';
import { ConnectionPool } from './connectionPool.ts';
import { descriptor } from './descriptor.ts';
import { ImapConnection } from './imapConnection.ts';
import { checkSettings, entityOf, type ImapSettings } from './imapSettings.ts';

const OFFER: Offer = {
  service: descriptor.service,
  title: 'IMAP',
  noun: { one: 'mailbox', many: 'mailboxes' },
  includes: ['Mail'],
  needs: ['Name of the mail server, user name and password; some providers ask for an app password.'],
  advice: [],
  authorisation: 'credentials',
  kinds: { mailbox: 'Mailbox' },
  licences: false,
  bulk: [],
  attributes: {},
  missing: undefined,
};

/** A mailbox of any mail server, as tasks of the service work with it. Customers name the server: the guard tells where they may lead to. */
export function imapTaskService(guard: AddressGuard): TaskService {
  const open = async (settings: ImapSettings, signal: AbortSignal): Promise<void> => {
    const pool = new ConnectionPool((abort) => ImapConnection.open(settings, abort), 1);
    try {
      await pool.use(undefined, signal, async () => undefined);
    } finally {
      await pool.close();
    }
  };
  return {
    offer: OFFER,
    async credentials(given, signal) {
      await open(await guarded(given, guard, signal), signal);
      return authorisedOf(given);
    },
    async *entities(secret, signal) {
      const given = JSON.parse(secret) as Credentials;
      await open(await guarded(given, guard, signal), signal);
      const { host, user } = given;
      yield [{ reference: entityOf({ host, user }).id, name: user, address: user.includes('@') ? user : `${user}@${host}`, kind: 'mailbox', licensed: undefined }];
    },
  };
}

/** Errors: `network/…`, `imap/settings`, among them a password in clear text beyond the operator's own networks. */
async function guarded(given: Credentials, guard: AddressGuard, signal: AbortSignal): Promise<ImapSettings> {
  const settings = settingsOf(given);
  checkSettings(settings);
  const address = await guard.resolve(settings.host, signal);
  if (settings.tls === 'off' && !guard.isOpened(address)) {
    throw new HoldfastError('imap/settings', 'input', 'The password would travel in clear text. Use TLS or STARTTLS.');
  }
  return { ...settings, address };
}

function settingsOf({ host, port, user, password, tls = 'on', ca }: Credentials): ImapSettings {
  return { host: host.toLowerCase(), user, password, tls, ...(port === undefined ? {} : { port }), ...(ca === undefined ? {} : { ca }) };
}

function authorisedOf(given: Credentials): Authorised {
  const { host, user } = given;
  const label = `${user} on ${host.toLowerCase()}`;
  return { secret: JSON.stringify({ ...given, host: host.toLowerCase() }), identity: entityOf({ host, user }).id, label };
}
