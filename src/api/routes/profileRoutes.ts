import { askEmailChange, pendingEmail, renameSelf, withdrawEmailChange } from '../../accounts/index.ts';
import type { CallContext } from '../apiServices.ts';
import { callerOf, implementer } from '../implementer.ts';
import { proveInPerson } from '../proveInPerson.ts';

const os = implementer.profile;

export const profileRoutes = {
  show: os.show.handler(async ({ context }) => {
    const { userId, name, email } = callerOf(context);
    const pending = await pendingEmail(context.services.accounts, userId);
    return { name, email, ...(pending !== undefined && { pendingEmail: pending }) };
  }),

  rename: os.rename.handler(({ input, context }) => renameSelf(context.services.accounts, callerOf(context), context.origin, input.name)),

  changeEmail: os.changeEmail.handler(async ({ input, context }) => {
    const { accounts, outbox, publicUrl } = context.services;
    await proveInPerson(context, input.password);
    await askEmailChange(accounts, outbox, publicUrl, callerOf(context), context.origin, input.email);
    return { message: 'A mail is on its way to the new address. Open the link in it.' };
  }),

  keepEmail: os.keepEmail.handler(({ context }) => withdrawEmailChange(context.services.accounts, callerOf(context))),

  changePassword: os.changePassword.handler(async ({ input, context }) => {
    const caller = countTry(context);
    setCookies(context, await context.services.signIn.passwords.change(caller, context.cookie, input, context.origin));
  }),

  secondFactor: os.secondFactor.handler(({ context }) => context.services.signIn.secondFactor.state(callerOf(context))),

  beginSecondFactor: os.beginSecondFactor.handler(async ({ input, context }) => {
    countTry(context);
    const { recoveryCodes, ...setup } = await context.services.signIn.secondFactor.begin(context.cookie, input.password, context.origin);
    return { ...setup, recoveryCodes: [...recoveryCodes] };
  }),

  confirmSecondFactor: os.confirmSecondFactor.handler(async ({ input, context }) => {
    const caller = countTry(context);
    setCookies(context, await context.services.signIn.secondFactor.confirm(caller, context.cookie, input.code, context.origin));
  }),

  dropSecondFactor: os.dropSecondFactor.handler(async ({ input, context }) => {
    const caller = countTry(context);
    setCookies(context, await context.services.signIn.secondFactor.disable(caller, context.cookie, input.password, context.origin));
  }),

  renewRecoveryCodes: os.renewRecoveryCodes.handler(async ({ input, context }) => {
    const caller = countTry(context);
    return { recoveryCodes: [...await context.services.signIn.secondFactor.renewRecoveryCodes(caller, context.cookie, input.password, context.origin)] };
  }),
};

/** Passwords and codes are tried a few times, not often. */
function countTry(context: CallContext): ReturnType<typeof callerOf> {
  const caller = callerOf(context);
  context.services.passwordTries.count(caller.userId);
  return caller;
}

function setCookies({ answer }: CallContext, cookies: readonly string[]): void {
  for (const cookie of cookies) answer.append('set-cookie', cookie);
}
