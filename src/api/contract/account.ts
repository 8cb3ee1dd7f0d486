import { z } from 'zod';
import { route } from './route.ts';
import { CurrentPassword, Id, Name, Time } from './schemas.ts';

const TAGS = ['Account'];

const Security = z.object({
  twoFactorEnforced: z.boolean().describe('All users have to sign in with a second factor'),
  passwordDays: z.int().min(1).max(3650).optional().describe('Passwords have to be set anew after so many days; absent: never'),
});

export const Account = z.object({
  id: Id, company: z.string(), location: z.object({ id: Id, name: z.string() }), createdAt: Time, trialEndsAt: Time.optional(), security: Security,
  goneAt: Time.optional().describe('The account was terminated; all of it goes then'),
});

export const account = {
  locations: route({ who: 'anyone' }, { method: 'GET', path: '/api/v1/locations', summary: 'Data-centre locations to choose from', tags: TAGS })
    .output(z.object({ items: z.array(z.object({ id: Id, name: z.string() })) })),

  show: route({ who: 'permitted', permission: 'settings.view', despite: ['terminated'] }, { method: 'GET', path: '/api/v1/account', summary: 'The account', tags: TAGS })
    .output(Account),

  rename: route({ who: 'administrator' }, { method: 'PATCH', path: '/api/v1/account', summary: 'Change the name of the company', tags: TAGS })
    .input(z.object({ company: Name })).output(Account),

  secure: route({ who: 'administrator' }, {
    method: 'PUT', path: '/api/v1/account/security', summary: 'What holds for the sign-in of all users', tags: TAGS,
    description: 'Counts at once. Who asks others for a second factor needs one first.',
  }).input(Security).output(Account),

  terminate: route({ who: 'owner', session: true }, {
    method: 'POST', path: '/api/v1/account/termination', summary: 'Give up the account', tags: TAGS,
    description: 'Everything stops. The account and all of its data are deleted after seven days, until which the owner can take it back.',
  }).input(z.object({ password: CurrentPassword, consent: z.literal(true).describe('The user was told that all data will be deleted, and agreed') }))
    .output(z.object({ goneAt: Time })),

  reactivate: route({ who: 'owner', session: true, despite: ['terminated', 'password-expired', 'two-factor-needed'] }, {
    method: 'DELETE', path: '/api/v1/account/termination', summary: 'Take back that the account was given up', tags: TAGS, successStatus: 204,
  }).output(z.void()),
};
