import { z } from 'zod';
import { route } from './route.ts';
import { Email, Id, Name, PageInput, pageOf, Password, Permission, Role, Time } from './schemas.ts';

const TAGS = ['Users'];

export const User = z.object({
  id: Id, name: z.string(), email: z.string(), confirmed: z.boolean(), role: Role, permissions: z.array(Permission),
  services: z.array(z.string()).optional().describe('Absent: all'), twoFactor: z.boolean(), createdAt: Time,
});

const Rights = z.object({
  role: z.enum(['administrator', 'custom']),
  permissions: z.array(Permission).max(50).optional().describe('Of the role custom'),
  services: z.array(Id).max(50).optional().describe('Of the role custom; absent: all'),
});

export const users = {
  list: route({ who: 'administrator' }, { method: 'GET', path: '/api/v1/users', summary: 'The users of the account', tags: TAGS })
    .input(PageInput).output(pageOf(User)),

  add: route({ who: 'administrator' }, {
    method: 'POST', path: '/api/v1/users', summary: 'Add a user', tags: TAGS, successStatus: 201, description: 'They get a mail to confirm their address.',
  }).input(Rights.extend({ name: Name, email: Email, password: Password })).output(User),

  change: route({ who: 'administrator' }, { method: 'PATCH', path: '/api/v1/users/{id}', summary: 'Change name and rights of a user', tags: TAGS })
    .input(Rights.extend({ id: Id, name: Name.optional() })).output(User),

  remove: route({ who: 'administrator' }, { method: 'DELETE', path: '/api/v1/users/{id}', summary: 'Remove a user', tags: TAGS, successStatus: 204 })
    .input(z.object({ id: Id })).output(z.void()),

  inviteAgain: route({ who: 'administrator' }, {
    method: 'POST', path: '/api/v1/users/{id}/invitation', summary: 'Mail the link once more to a user who has not confirmed the address', tags: TAGS, successStatus: 202,
  }).input(z.object({ id: Id })).output(z.object({ message: z.string() })),

  resetSecondFactor: route({ who: 'administrator' }, {
    method: 'DELETE', path: '/api/v1/users/{id}/two-factor', summary: 'Take off the second factor that a user has lost', tags: TAGS, successStatus: 204,
    description: 'Ends their sessions and mails them. That of the owner stays.',
  }).input(z.object({ id: Id })).output(z.void()),
};
