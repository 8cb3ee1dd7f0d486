import { listTokens, makeToken, revokeToken } from '../../accounts/index.ts';
import { callerOf, implementer } from '../implementer.ts';
import { pageFrom, readCursor } from '../page.ts';
import { tokenDocument } from '../present.ts';

const os = implementer.tokens;

export const tokenRoutes = {
  list: os.list.handler(async ({ input, context }) => {
    const tokens = await listTokens(context.services.accounts, callerOf(context), readCursor(input.cursor), input.limit + 1);
    return pageFrom(tokens, input.limit, tokenDocument, ({ id }) => id);
  }),

  make: os.make.handler(async ({ input, context }) => {
    const made = await makeToken(context.services.accounts, callerOf(context), context.origin, input);
    return { ...tokenDocument(made), token: made.token };
  }),

  revoke: os.revoke.handler(async ({ input, context }) => {
    await revokeToken(context.services.accounts, callerOf(context), context.origin, input.id);
  }),
};
