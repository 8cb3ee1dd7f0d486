import { z } from 'zod';
import { route } from './route.ts';
import { Id, Name, Order, PageInput, pageOf, SearchText, Time } from './schemas.ts';

const TAGS = ['Support'];
const ASK = { who: 'permitted', permission: 'support.view' } as const;

const State = z.enum(['open', 'closed']);
/** Lines that a person reads. */
const Text = z.string().trim().min(1).max(10_000).regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])+$/u, 'text without control characters');

export const Ticket = z.object({
  id: Id, subject: z.string(), state: State, openedBy: z.string(), messages: z.int().describe('How many there are'), createdAt: Time, changedAt: Time,
});

const Message = z.object({ id: Id, author: z.string(), text: z.string(), createdAt: Time });

export const tickets = {
  list: route(ASK, {
    method: 'GET', path: '/api/v1/tickets', summary: 'Tickets to the support', tags: TAGS, description: 'One\'s own; those of the whole account with the permission tickets.view-all.',
  }).input(PageInput.extend({ state: State.optional(), search: SearchText.optional().describe('Part of the subject'), order: Order.default('newest') })).output(pageOf(Ticket)),

  open: route(ASK, {
    method: 'POST', path: '/api/v1/tickets', summary: 'Ask the support', tags: TAGS, successStatus: 201, description: 'Mailed to who runs the service, who answers by mail.',
  }).input(z.object({ subject: Name, text: Text })).output(Ticket),

  show: route(ASK, { method: 'GET', path: '/api/v1/tickets/{id}', summary: 'A ticket with all that was said', tags: TAGS })
    .input(z.object({ id: Id })).output(Ticket.extend({ said: z.array(Message) })),

  add: route(ASK, { method: 'POST', path: '/api/v1/tickets/{id}/messages', summary: 'Add to a ticket', tags: TAGS, successStatus: 204, description: 'Opens it again.' })
    .input(z.object({ id: Id, text: Text })).output(z.void()),

  setState: route(ASK, { method: 'PUT', path: '/api/v1/tickets/{id}/state', summary: 'Close a ticket, or open it again', tags: TAGS, successStatus: 204 })
    .input(z.object({ id: Id, state: State })).output(z.void()),
};
