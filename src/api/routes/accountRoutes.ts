import { renameAccount, showAccount } from '../../accounts/index.ts';
import { callerOf, implementer } from '../implementer.ts';
import { accountDocument } from '../present.ts';

const os = implementer.account;

export const accountRoutes = {
  locations: os.locations.handler(({ context }) => ({
    items: context.services.accounts.locations.map(({ id, name }) => ({ id, name })),
  })),

  show: os.show.handler(async ({ context }) => accountDocument(await showAccount(context.services.accounts, callerOf(context).accountId))),

  rename: os.rename.handler(async ({ input, context }) =>
    accountDocument(await renameAccount(context.services.accounts, callerOf(context), context.origin, input.company))),
};
