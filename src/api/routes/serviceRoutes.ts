import { HoldfastError } from '../../domain/index.ts';
import { implementer } from '../implementer.ts';

const os = implementer.service;
const MOST = 100;

export const serviceRoutes = {
  outbox: os.outbox.handler(async ({ context }) => {
    const { outbox, sendsMail } = context.services;
    if (sendsMail) throw new HoldfastError('api/not-found', 'input', 'The service sends its mail (SMTP_URL): there is no outbox to look into.');
    return { items: (await outbox.newest(undefined, MOST)).map((mail) => ({ ...mail, createdAt: mail.createdAt.toISOString() })) };
  }),
};
