import { z } from 'zod';
import { route } from './route.ts';
import { Id, PageInput, pageOf, Time } from './schemas.ts';

const Mail = z.object({ id: Id, recipient: z.string(), subject: z.string(), text: z.string(), html: z.string(), createdAt: Time });

export const service = {
  outbox: route({ who: 'operator', local: true }, {
    method: 'GET', path: '/api/v1/outbox', summary: 'Mail that nobody sends, newest first', tags: ['Service'],
    description: 'Only where the service has no mail server (SMTP_URL): links in these mails open accounts. For the machine itself alone.',
  }).input(PageInput).output(pageOf(Mail)),
};
