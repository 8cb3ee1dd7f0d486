import { addToTicket, openTicket, pageOfTickets, setTicketState, showTicket } from '../../accounts/index.ts';
import { callerOf, implementer } from '../implementer.ts';
import { pageFrom, readCursor } from '../page.ts';
import { ticketDocument } from '../present.ts';

const os = implementer.tickets;

export const ticketRoutes = {
  list: os.list.handler(async ({ input: { cursor, limit, order, state, search }, context }) => {
    const tickets = await pageOfTickets(context.services.accounts, callerOf(context), { state, text: search }, { after: readCursor(cursor), order, limit: limit + 1 });
    return pageFrom(tickets, limit, ticketDocument, ({ id }) => id);
  }),

  open: os.open.handler(async ({ input, context }) => {
    const { accounts, support, tickets } = context.services;
    tickets.count(callerOf(context).accountId);
    return ticketDocument(await openTicket(accounts, support, callerOf(context), input));
  }),

  show: os.show.handler(async ({ input, context }) => {
    const { said, ...ticket } = await showTicket(context.services.accounts, callerOf(context), input.id);
    return { ...ticketDocument(ticket), said: said.map(({ id, author, text, createdAt }) => ({ id, author, text, createdAt: createdAt.toISOString() })) };
  }),

  add: os.add.handler(async ({ input, context }) => {
    const { accounts, support, tickets } = context.services;
    tickets.count(callerOf(context).accountId);
    await addToTicket(accounts, support, callerOf(context), input.id, input.text);
  }),

  setState: os.setState.handler(({ input, context }) => setTicketState(context.services.accounts, callerOf(context), input.id, input.state)),
};
