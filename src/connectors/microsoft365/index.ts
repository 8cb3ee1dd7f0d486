import { ExchangeSource } from './exchange/exchangeSource.ts';
import type { SourceSession } from '../contract.ts';
import type { Mailbox } from './directory/mailboxes.ts';
import type { Tenant } from './tenant.ts';

export { descriptor } from './exchange/descriptor.ts';
export type { Mailbox, MailboxKind } from './directory/mailboxes.ts';
export type { Microsoft365Runtime, Microsoft365Settings } from './settings.ts';
export { Tenant } from './tenant.ts';

/** A reading session of one mailbox. Nothing is sent before its first call. */
export function openSource(tenant: Tenant, mailbox: Mailbox): SourceSession {
  return new ExchangeSource(tenant, mailbox);
}
