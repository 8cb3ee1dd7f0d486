import { ExchangeSource } from './exchange/exchangeSource.ts';
import { ExchangeTarget } from './exchange/exchangeTarget.ts';
import type { Fidelity } from './exchange/streams/fidelity.ts';
import type { TargetOptions } from './exchange/subTarget.ts';
import { ExchangeUndo } from './exchange/undo/exchangeUndo.ts';
import type { SourceSession, TargetSession, UndoSession } from '../contract.ts';
import type { Mailbox } from './directory/mailboxes.ts';
import type { Tenant } from './tenant.ts';

export { descriptor } from './exchange/descriptor.ts';
export { FIDELITIES, type Fidelity } from './exchange/streams/fidelity.ts';
export type { TargetOptions } from './exchange/subTarget.ts';
export type { Mailbox, MailboxKind } from './directory/mailboxes.ts';
export type { Microsoft365Runtime, Microsoft365Settings } from './settings.ts';
export { exchangeTaskService } from './exchange/taskService.ts';
export { Tenant } from './tenant.ts';

/** A reading session of one mailbox. Nothing is sent before its first call. */
export function openSource(tenant: Tenant, mailbox: Mailbox, fidelity: Fidelity): SourceSession {
  return new ExchangeSource(tenant, mailbox, fidelity);
}

/** A writing session of one mailbox, the original or another. Nothing is sent before its first call. */
export function openTarget(tenant: Tenant, mailbox: Mailbox, options: TargetOptions): TargetSession {
  return new ExchangeTarget(tenant, mailbox, options);
}

/** A session that takes a restore into this mailbox back; `restore` is its id. Nothing is sent before its first call. */
export function openUndo(tenant: Tenant, mailbox: Mailbox, restore: string): UndoSession {
  return new ExchangeUndo(tenant, mailbox, restore);
}
