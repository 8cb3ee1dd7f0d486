import { sql } from 'kysely';
import { HoldfastError, judge, type Principal } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import type { AccountsContext } from './accountsContext.ts';
import { ticketLetter } from './letters.ts';
import type { Outbox } from './outbox.ts';
import { containing } from './inServices.ts';

export type TicketState = 'open' | 'closed';

/** A ticket without its messages. */
export interface Ticket {
  readonly id: string;
  readonly subject: string;
  readonly state: TicketState;
  readonly openedBy: string;
  readonly messages: number;
  readonly createdAt: Date;
  readonly changedAt: Date;
}

/** Part of a ticket. */
export interface TicketMessage {
  readonly id: string;
  readonly author: string;
  readonly text: string;
  readonly createdAt: Date;
}

/** Where tickets go besides the database. */
export interface SupportDesk {
  readonly outbox: Outbox;
  /** Of who runs the service; undefined: tickets wait to be looked at. */
  readonly address: string | undefined;
}

const MOST_MESSAGES = 200;
const COLUMNS = ['id', 'subject', 'state', 'userName as openedBy', 'messages', 'createdAt', 'changedAt'] as const;

/** Opens a ticket and mails it to the support. */
export async function openTicket(context: AccountsContext, { outbox, address }: SupportDesk, principal: Principal, { subject, text }: { subject: string; text: string }): Promise<Ticket> {
  const { clock, random, database } = context;
  const now = new Date(clock.now());
  const ticket = { id: timeOrderedId(now.getTime(), random), subject, state: 'open' as const, messages: 1, createdAt: now, changedAt: now };
  await database.query.transaction().execute(async (transaction) => {
    await transaction.insertInto('tickets').values({ ...ticket, accountId: principal.accountId, userId: principal.userId, userName: principal.name }).execute();
    await transaction.insertInto('ticketMessages').values({ id: timeOrderedId(now.getTime(), random), ticketId: ticket.id, author: principal.name, text, createdAt: now }).execute();
    if (address !== undefined) await outbox.put(address, ticketLetter(ticket, principal, text), transaction);
  });
  return { ...ticket, openedBy: principal.name };
}

/** Which tickets. */
export interface TicketFilter {
  readonly state?: TicketState | undefined;
  /** Part of the subject. */
  readonly text?: string | undefined;
}

/** Those that the user may see, newest first or oldest first; `after` is the id of the last one of the page before. */
export async function pageOfTickets(
  context: AccountsContext, principal: Principal, { state, text }: TicketFilter, page: { after?: string | undefined; order: 'newest' | 'oldest'; limit: number },
): Promise<Ticket[]> {
  const newest = page.order === 'newest';
  let query = visible(context, principal).select(COLUMNS);
  if (state !== undefined) query = query.where('state', '=', state);
  if (text !== undefined) query = query.where('subject', 'ilike', containing(text));
  if (page.after !== undefined) query = query.where('id', newest ? '<' : '>', page.after);
  return query.orderBy('id', newest ? 'desc' : 'asc').limit(page.limit).execute();
}

/** One with all that was said. Errors: `accounts/not-found`, also for one of somebody else. */
export async function showTicket(context: AccountsContext, principal: Principal, id: string): Promise<Ticket & { readonly said: readonly TicketMessage[] }> {
  const ticket = await visible(context, principal).select(COLUMNS).where('id', '=', id).executeTakeFirst();
  if (ticket === undefined) throw noSuchTicket();
  const said = await context.database.query.selectFrom('ticketMessages').select(['id', 'author', 'text', 'createdAt']).where('ticketId', '=', id).orderBy('id').limit(MOST_MESSAGES).execute();
  return { ...ticket, said };
}

/** Adds to a ticket, which is open again with it. Errors: `accounts/not-found`, `accounts/conflict` where it is full. */
export async function addToTicket(context: AccountsContext, { outbox, address }: SupportDesk, principal: Principal, id: string, text: string): Promise<void> {
  const { clock, random, database } = context;
  const now = new Date(clock.now());
  await showable(context, principal, id);
  await database.query.transaction().execute(async (transaction) => {
    const ticket = await transaction.updateTable('tickets').set({ state: 'open', changedAt: now, messages: sql<number>`messages + 1` })
      .where('id', '=', id).where('messages', '<', MOST_MESSAGES).returning(['id', 'subject']).executeTakeFirst();
    if (ticket === undefined) throw new HoldfastError('accounts/conflict', 'input', 'This ticket is full. Open another one that names it.');
    await transaction.insertInto('ticketMessages').values({ id: timeOrderedId(now.getTime(), random), ticketId: id, author: principal.name, text, createdAt: now }).execute();
    if (address !== undefined) await outbox.put(address, ticketLetter(ticket, principal, text), transaction);
  });
}

/** Closes a ticket, or opens it again. Errors: `accounts/not-found`. */
export async function setTicketState(context: AccountsContext, principal: Principal, id: string, state: TicketState): Promise<void> {
  await showable(context, principal, id);
  await context.database.query.updateTable('tickets').set({ state, changedAt: new Date(context.clock.now()) }).where('id', '=', id).execute();
}

async function showable(context: AccountsContext, principal: Principal, id: string): Promise<void> {
  if (await visible(context, principal).select('id').where('id', '=', id).executeTakeFirst() === undefined) throw noSuchTicket();
}

/** Those of the account for who may see all, else the user's own. */
function visible({ database }: AccountsContext, principal: Principal) {
  const { accountId, userId } = principal;
  const all = judge({ who: 'permitted', permission: 'tickets.view-all' }, principal) === 'allowed';
  const query = database.query.selectFrom('tickets').where('accountId', '=', accountId);
  return all ? query : query.where('userId', '=', userId);
}

function noSuchTicket(): HoldfastError {
  return new HoldfastError('accounts/not-found', 'input', 'There is no such ticket that you may see.');
}
