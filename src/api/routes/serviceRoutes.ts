import { HoldfastError } from '../../domain/index.ts';
import { implementer } from '../implementer.ts';
import { pageFrom, readCursor } from '../page.ts';

const os = implementer.service;

export const serviceRoutes = {
  outbox: os.outbox.handler(async ({ input, context }) => {
    const { outbox, sendsMail } = context.services;
    if (sendsMail) throw new HoldfastError('api/not-found', 'input', 'The service sends its mail (SMTP_URL): there is no outbox to look into.');
    const mails = await outbox.newest(undefined, input.limit + 1, readCursor(input.cursor));
    return pageFrom(mails, input.limit, (mail) => ({ ...mail, createdAt: mail.createdAt.toISOString() }), ({ id }) => id);
  }),
};
