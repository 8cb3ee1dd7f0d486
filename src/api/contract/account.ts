import { z } from 'zod';
import { route } from './route.ts';
import { Id, Name, Time } from './schemas.ts';

const TAGS = ['Account'];

export const Account = z.object({
  id: Id, company: z.string(), location: z.object({ id: Id, name: z.string() }), createdAt: Time, trialEndsAt: Time.optional(),
});

export const account = {
  locations: route({ who: 'anyone' }, { method: 'GET', path: '/api/v1/locations', summary: 'Data-centre locations to choose from', tags: TAGS })
    .output(z.object({ items: z.array(z.object({ id: Id, name: z.string() })) })),

  show: route({ who: 'permitted', permission: 'settings.view' }, { method: 'GET', path: '/api/v1/account', summary: 'The account', tags: TAGS })
    .output(Account),

  rename: route({ who: 'administrator' }, { method: 'PATCH', path: '/api/v1/account', summary: 'Change the name of the company', tags: TAGS })
    .input(z.object({ company: Name })).output(Account),
};
