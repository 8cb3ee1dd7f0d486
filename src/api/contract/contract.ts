import { account } from './account.ts';
import { activity } from './activity.ts';
import { plain } from './plain.ts';
import { session } from './session.ts';
import { tokens } from './tokens.ts';
import { users } from './users.ts';

/** What the server implements, and clients call, with types. */
export const contract = { session, account, users, tokens, activity };

/** All routes that there are. */
export const allRoutes = { ...contract, plain };
