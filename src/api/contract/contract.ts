import { account } from './account.ts';
import { activity } from './activity.ts';
import { bulk, rules } from './bulk.ts';
import { entities, tags } from './entities.ts';
import { plain } from './plain.ts';
import { profile } from './profile.ts';
import { service } from './service.ts';
import { session } from './session.ts';
import { tasks } from './tasks.ts';
import { tickets } from './tickets.ts';
import { tokens } from './tokens.ts';
import { users } from './users.ts';

/** What the server implements, and clients call, with types. */
export const contract = { session, profile, account, users, tokens, activity, tickets, service, tasks, entities, tags, bulk, rules };

/** All routes that there are. */
export const allRoutes = { ...contract, plain };
