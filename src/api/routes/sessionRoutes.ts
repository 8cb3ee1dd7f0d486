import { endSession, listSessions, showAccount, signUp, type Member } from '../../accounts/index.ts';
import type { CallContext } from '../apiServices.ts';
import { callerOf, implementer } from '../implementer.ts';
import { pageFrom, readCursor } from '../page.ts';

const os = implementer.session;
const MAIL_SENT = 'A mail is on its way, if there is something to send. Open the link in it.';

export const sessionRoutes = {
  signUp: os.signUp.handler(async ({ input, context }) => {
    context.services.newcomers.count(context.origin.address ?? 'unknown');
    await signUp(context.services.accounts, context.services.signIn, context.origin, input);
    return { message: MAIL_SENT };
  }),

  signIn: os.signIn.handler(async ({ input, context }) => {
    context.services.signIns.count(input.email);
    const { member, cookies } = await context.services.signIn.signIn(input.email, input.password, context.origin);
    for (const cookie of cookies) context.answer.append('set-cookie', cookie);
    return member === undefined ? { codeNeeded: true as const } : signedIn(context, member);
  }),

  signInWithCode: os.signInWithCode.handler(async ({ input, context }) => {
    const { member, cookies } = await context.services.signIn.secondFactor.signIn(context.cookie, input, context.origin);
    for (const cookie of cookies) context.answer.append('set-cookie', cookie);
    return signedIn(context, member);
  }),

  show: os.show.handler(({ context }) => {
    const { userId, ...principal } = callerOf(context);
    return signedIn(context, { ...principal, id: userId });
  }),

  signOut: os.signOut.handler(async ({ context }) => {
    const cookies = await context.services.signIn.signOut(callerOf(context), context.cookie, context.origin);
    for (const cookie of cookies) context.answer.append('set-cookie', cookie);
  }),

  list: os.list.handler(async ({ input, context }) => {
    const caller = callerOf(context);
    const own = caller.via.kind === 'session' ? caller.via.sessionId : undefined;
    const sessions = await listSessions(context.services.accounts, caller, readCursor(input.cursor), input.limit + 1);
    return pageFrom(sessions, input.limit, ({ id, createdAt, expiresAt, ipAddress, userAgent }) => ({
      id, current: id === own, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString(),
      ...(ipAddress && { address: ipAddress }), ...(userAgent && { agent: userAgent }),
    }), ({ id }) => id);
  }),

  end: os.end.handler(async ({ input, context }) => {
    await endSession(context.services.accounts, callerOf(context), context.origin, input.id);
  }),

  askReset: os.askReset.handler(async ({ input, context }) => {
    await context.services.signIn.passwords.askReset(input.email, context.origin);
    return { message: MAIL_SENT };
  }),

  reset: os.reset.handler(async ({ input, context }) => {
    await context.services.signIn.passwords.reset(input.token, input.password, context.origin);
  }),
};

async function signedIn({ services }: CallContext, { id, accountId, name, email, role, permissions, services: seen, limits }: Omit<Member, 'confirmed' | 'createdAt' | 'twoFactor'>) {
  const { company, location } = await showAccount(services.accounts, accountId);
  return {
    user: { id, name, email, role, permissions: [...permissions], ...(seen && { services: [...seen] }) },
    account: { id: accountId, company, location: location.id }, limits: [...limits],
  };
}
