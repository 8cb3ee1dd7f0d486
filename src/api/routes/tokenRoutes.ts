import { listTokens, makeToken, revokeToken } from '../../accounts/index.ts';
import { callerOf, implementer } from '../implementer.ts';
import { tokenDocument } from '../present.ts';

const os = implementer.tokens;

export const tokenRoutes = {
  list: os.list.handler(async ({ context }) => ({ items: (await listTokens(context.services.accounts, callerOf(context))).map(tokenDocument) })),

  make: os.make.handler(async ({ input, context }) => {
    const made = await makeToken(context.services.accounts, callerOf(context), context.origin, input);
    return { ...tokenDocument(made), token: made.token };
  }),

  revoke: os.revoke.handler(async ({ input, context }) => {
    await revokeToken(context.services.accounts, callerOf(context), context.origin, input.id);
  }),
};
