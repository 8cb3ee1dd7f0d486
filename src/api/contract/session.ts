import { z } from 'zod';
import { LIMITS } from '../../domain/index.ts';
import { route } from './route.ts';
import { Email, Id, Limit, Name, PageInput, pageOf, Password, Permission, Role, Time } from './schemas.ts';

const TAGS = ['Signing in'];

export const SignedIn = z.object({
  user: z.object({ id: Id, name: z.string(), email: z.string(), role: Role, permissions: z.array(Permission), services: z.array(z.string()).optional() }),
  account: z.object({ id: Id, company: z.string(), location: z.string() }),
  limits: z.array(Limit),
});

/** The password was right; the cookies that come along are for the second step. */
const CodeNeeded = z.object({ codeNeeded: z.literal(true) });

const Code = z.union([
  z.object({ code: z.string().regex(/^\d{6}$/, 'six digits') }).strict(),
  z.object({ recoveryCode: z.string().trim().min(8).max(40) }).strict(),
]);

const SessionInfo = z.object({
  id: Id, current: z.boolean(), createdAt: Time, expiresAt: Time, address: z.string().optional(), agent: z.string().optional(),
});

export const session = {
  signUp: route({ who: 'anyone' }, {
    method: 'POST', path: '/api/v1/accounts', summary: 'Make an account', tags: TAGS, successStatus: 202,
    description: 'Sends a mail with a link that activates the account. Says the same whether or not the address has an account already.',
  }).input(z.object({ name: Name, company: Name, email: Email, password: Password, location: Id })).output(z.object({ message: z.string() })),

  signIn: route({ who: 'anyone' }, { method: 'POST', path: '/api/v1/session', summary: 'Sign in with e-mail and password', tags: TAGS, description: 'Where the user has a second factor, a code has to follow.' })
    .input(z.object({ email: Email, password: z.string().min(1).max(128) })).output(z.union([SignedIn, CodeNeeded])),

  signInWithCode: route({ who: 'anyone' }, {
    method: 'POST', path: '/api/v1/session/code', summary: 'The second step of signing in', tags: TAGS,
    description: 'With a code of the authenticator app or a recovery code, each of which works once. The cookies of the first step prove it.',
  }).input(Code).output(SignedIn),

  show: route({ who: 'user', despite: LIMITS }, { method: 'GET', path: '/api/v1/session', summary: 'Who is signed in', tags: TAGS }).output(SignedIn),

  signOut: route({ who: 'user', session: true, despite: LIMITS }, { method: 'DELETE', path: '/api/v1/session', summary: 'Sign out', tags: TAGS, successStatus: 204 })
    .output(z.void()),

  list: route({ who: 'user', session: true }, { method: 'GET', path: '/api/v1/sessions', summary: 'Where one is signed in', tags: TAGS })
    .input(PageInput).output(pageOf(SessionInfo)),

  end: route({ who: 'user', session: true }, { method: 'DELETE', path: '/api/v1/sessions/{id}', summary: 'Sign out elsewhere', tags: TAGS, successStatus: 204 })
    .input(z.object({ id: Id })).output(z.void()),

  askReset: route({ who: 'anyone' }, {
    method: 'POST', path: '/api/v1/password-resets', summary: 'Ask for a mail to set a new password', tags: TAGS, successStatus: 202,
    description: 'Says the same whether or not the address has an account.',
  }).input(z.object({ email: Email })).output(z.object({ message: z.string() })),

  reset: route({ who: 'anyone' }, {
    method: 'PUT', path: '/api/v1/password-resets/{token}', summary: 'Set a new password with the mailed token', tags: TAGS, successStatus: 204,
    description: 'Ends every session of the user.',
  }).input(z.object({ token: z.string().max(200).regex(/^[\w-]+$/), password: Password })).output(z.void()),
};
