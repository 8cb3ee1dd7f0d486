import type { CallContext } from './apiServices.ts';
import { callerOf } from './implementer.ts';

/** A session may be somebody's who found the browser open: what cannot be taken back asks for the password again. Errors: `accounts/wrong-password`, `api/too-many`. */
export async function proveInPerson(context: CallContext, password: string): Promise<void> {
  const caller = callerOf(context);
  context.services.passwordTries.count(caller.userId);
  await context.services.signIn.passwords.prove(caller, password);
}
