import { implementer } from './implementer.ts';
import { accountRoutes } from './routes/accountRoutes.ts';
import { activityRoutes } from './routes/activityRoutes.ts';
import { bulkRoutes, ruleRoutes } from './routes/bulkRoutes.ts';
import { entityRoutes, tagRoutes } from './routes/entityRoutes.ts';
import { profileRoutes } from './routes/profileRoutes.ts';
import { serviceRoutes } from './routes/serviceRoutes.ts';
import { sessionRoutes } from './routes/sessionRoutes.ts';
import { taskRoutes } from './routes/taskRoutes.ts';
import { ticketRoutes } from './routes/ticketRoutes.ts';
import { tokenRoutes } from './routes/tokenRoutes.ts';
import { userRoutes } from './routes/userRoutes.ts';

/** The handlers of the typed contract. */
export const router = implementer.router({
  session: sessionRoutes, profile: profileRoutes, service: serviceRoutes, account: accountRoutes, users: userRoutes, tokens: tokenRoutes, activity: activityRoutes, tickets: ticketRoutes,
  tasks: taskRoutes, entities: entityRoutes, tags: tagRoutes, bulk: bulkRoutes, rules: ruleRoutes,
});
