import { z } from 'zod';
import { route } from './route.ts';
import { CurrentPassword, Email, Name, Password } from './schemas.ts';

const TAGS = ['One\'s own user'];
const IN_PERSON = { who: 'user', session: true } as const;
/** What mends a password or a missing second factor is open to who lacks them. */
const TO_MEND = { ...IN_PERSON, despite: ['password-expired', 'two-factor-needed'] } as const;

const RecoveryCodes = z.array(z.string()).describe('Each signs in once in place of a code. They are not shown again');

export const profile = {
  show: route(IN_PERSON, { method: 'GET', path: '/api/v1/profile', summary: 'Name and address', tags: TAGS })
    .output(z.object({ name: z.string(), email: z.string(), pendingEmail: z.string().optional().describe('Waits for its confirmation') })),

  rename: route(IN_PERSON, { method: 'PATCH', path: '/api/v1/profile', summary: 'Change one\'s name', tags: TAGS, successStatus: 204 })
    .input(z.object({ name: Name })).output(z.void()),

  changeEmail: route(IN_PERSON, {
    method: 'PUT', path: '/api/v1/profile/email', summary: 'Change one\'s address', tags: TAGS, successStatus: 202,
    description: 'Mails a link to the new address, which counts once it was opened. Asked again, it mails another one.',
  }).input(z.object({ email: Email, password: CurrentPassword })).output(z.object({ message: z.string() })),

  keepEmail: route(IN_PERSON, { method: 'DELETE', path: '/api/v1/profile/email', summary: 'Forget an address that waits for its confirmation', tags: TAGS, successStatus: 204 })
    .output(z.void()),

  changePassword: route(TO_MEND, {
    method: 'PUT', path: '/api/v1/profile/password', summary: 'Change one\'s password', tags: TAGS, successStatus: 204, description: 'Ends every session but this one.',
  }).input(z.object({ current: CurrentPassword, password: Password })).output(z.void()),

  secondFactor: route(TO_MEND, { method: 'GET', path: '/api/v1/profile/two-factor', summary: 'One\'s second factor', tags: TAGS })
    .output(z.object({ enabled: z.boolean(), enforced: z.boolean().describe('The account asks all users for one'), recoveryCodesLeft: z.int() })),

  beginSecondFactor: route(TO_MEND, {
    method: 'POST', path: '/api/v1/profile/two-factor', summary: 'Begin to set up an authenticator app', tags: TAGS, description: 'It counts once a first code of it was given.',
  }).input(z.object({ password: CurrentPassword }))
    .output(z.object({ uri: z.string().describe('For a QR code'), secret: z.string().describe('The same, to be typed'), recoveryCodes: RecoveryCodes })),

  confirmSecondFactor: route(TO_MEND, {
    method: 'PUT', path: '/api/v1/profile/two-factor', summary: 'Give the first code of the app', tags: TAGS, successStatus: 204,
    description: 'From now on each sign-in asks for a code. Ends every session but this one.',
  }).input(z.object({ code: z.string().regex(/^\d{6}$/, 'six digits') })).output(z.void()),

  dropSecondFactor: route(IN_PERSON, {
    method: 'POST', path: '/api/v1/profile/two-factor/removal', summary: 'Sign in without a second factor again', tags: TAGS, successStatus: 204,
  }).input(z.object({ password: CurrentPassword })).output(z.void()),

  renewRecoveryCodes: route(IN_PERSON, {
    method: 'POST', path: '/api/v1/profile/two-factor/recovery-codes', summary: 'Make new recovery codes', tags: TAGS, description: 'Those before do not work any more.',
  }).input(z.object({ password: CurrentPassword })).output(z.object({ recoveryCodes: RecoveryCodes })),
};
