import { reactivateAccount, renameAccount, secureAccount, showAccount, terminateAccount } from '../../accounts/index.ts';
import { callerOf, implementer } from '../implementer.ts';
import { accountDocument } from '../present.ts';
import { proveInPerson } from '../proveInPerson.ts';

const os = implementer.account;

export const accountRoutes = {
  locations: os.locations.handler(({ context }) => ({
    items: context.services.accounts.locations.map(({ id, name }) => ({ id, name })),
  })),

  show: os.show.handler(async ({ context }) => accountDocument(await showAccount(context.services.accounts, callerOf(context).accountId))),

  rename: os.rename.handler(async ({ input, context }) =>
    accountDocument(await renameAccount(context.services.accounts, callerOf(context), context.origin, input.company))),

  secure: os.secure.handler(async ({ input: { twoFactorEnforced, passwordDays }, context }) =>
    accountDocument(await secureAccount(context.services.accounts, callerOf(context), context.origin, { twoFactorEnforced, passwordDays }))),

  terminate: os.terminate.handler(async ({ input, context }) => {
    const { accounts, outbox, publicUrl } = context.services;
    await proveInPerson(context, input.password);
    return { goneAt: (await terminateAccount(accounts, outbox, publicUrl, callerOf(context), context.origin)).toISOString() };
  }),

  reactivate: os.reactivate.handler(({ context }) => reactivateAccount(context.services.accounts, context.services.outbox, callerOf(context), context.origin)),
};
