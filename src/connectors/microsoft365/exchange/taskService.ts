import type { ProviderSettings } from '../../../runtime/index.ts';
import type { FoundEntity, Offer, TaskService } from '../../offer.ts';
import { DIRECTORY_ATTRIBUTES, type Mailbox } from '../directory/mailboxes.ts';
import { SYSTEM_RUNTIME } from '../settings.ts';
import { AdminConsent, type Application } from '../signIn/adminConsent.ts';
import { Tenant } from '../tenant.ts';
import { SERVICE } from './descriptor.ts';
import { entityOf } from './exchangeSource.ts';

const OFFER: Omit<Offer, 'missing'> = {
  service: SERVICE,
  title: 'Microsoft Exchange',
  noun: { one: 'mailbox', many: 'mailboxes' },
  includes: ['Mail', 'Calendar', 'Contacts', 'Tasks'],
  needs: ['A Microsoft 365 licence with Exchange Online.', 'A Global Administrator of the organisation, who consents on a page of Microsoft and then signs in there.'],
  advice: ['Use a licensed account as administrator: unlicensed ones (invited guests, storage shares) have narrow rights.'],
  authorisation: 'consent',
  kinds: { user: 'User mailbox', shared: 'Shared mailbox', room: 'Room', equipment: 'Equipment', unlicensed: 'User mailbox' },
  licences: true,
  bulk: ['attributes', 'csv'],
  attributes: DIRECTORY_ATTRIBUTES,
};

/** Mailboxes of a tenant, as tasks of the service work with them. */
export function exchangeTaskService(settings: ProviderSettings): TaskService {
  const application = applicationOf(settings);
  if (application === undefined) {
    const missing = 'Who runs the service has to register it with Microsoft first (MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET).';
    return { offer: { ...OFFER, missing }, entities: () => { throw new TypeError('not registered'); } };
  }
  return {
    offer: { ...OFFER, missing: undefined },
    consent: new AdminConsent(application, SYSTEM_RUNTIME),
    async *entities(secret, signal) {
      const { tenant } = JSON.parse(secret) as { tenant: string };
      for await (const batch of new Tenant({ ...application, tenant }).mailboxes(signal)) yield batch.map(foundOf);
    },
  };
}

function applicationOf(settings: ProviderSettings): Application | undefined {
  const { MICROSOFT_CLIENT_ID: clientId, MICROSOFT_CLIENT_SECRET: clientSecret, MICROSOFT_LOGIN_URL: loginUrl, MICROSOFT_GRAPH_URL: graphUrl } = settings;
  if (clientId === undefined || clientSecret === undefined) return undefined;
  return { clientId, clientSecret, ...(loginUrl === undefined ? {} : { loginUrl }), ...(graphUrl === undefined ? {} : { graphUrl }) };
}

/** Without a plan of their own are shared mailboxes and rooms, too. */
function foundOf(mailbox: Mailbox): FoundEntity {
  const { name, address, kind = 'user', attributes = {} } = mailbox;
  return { reference: entityOf(mailbox).id, name, address, kind, licensed: kind === 'user', attributes };
}
