import type { Origin } from '../accounts/index.ts';
import type { Authorised, Credentials, Offer, TaskService } from '../connectors/offer.ts';
import { HoldfastError, sees, type Principal } from '../domain/index.ts';
import { authoriseAgain, makeTask, notConnected } from './connections.ts';
import { mustSeeTask } from './taskRow.ts';
import { serviceOf, type TasksContext } from './tasksContext.ts';

/** The services that the caller may see. */
export function offers({ services }: TasksContext, principal: Principal): Offer[] {
  return services.map(({ offer }) => offer).filter(({ service }) => sees(principal, { accountId: principal.accountId, service }));
}

/** How credentials are tried. */
export interface Trial {
  /** Called before each; throws where there were too many: nobody guesses passwords of mail servers through us. */
  readonly count: () => void;
  readonly signal: AbortSignal;
}

/** Makes a task with credentials, which are tried first. Gives its id. Errors: `tasks/not-connected`, `tasks/exists`, `tasks/not-found`, `tasks/conflict`. */
export async function addWithCredentials(
  context: TasksContext, principal: Principal, origin: Origin, wanted: { service: string; name: string }, credentials: Credentials, trial: Trial,
): Promise<string> {
  const service = offered(context, principal, wanted.service);
  return makeTask(context, principal, origin, wanted, await tried(service, credentials, trial));
}

/** New credentials for a task, of the same mailbox. Errors: as {@link addWithCredentials}. */
export async function renewCredentials(context: TasksContext, principal: Principal, origin: Origin, taskId: string, credentials: Credentials, trial: Trial): Promise<void> {
  await mustSeeTask(context.database.query, principal, taskId);
  const { service } = await context.database.query.selectFrom('tasks').select('service').where('id', '=', taskId).executeTakeFirstOrThrow();
  await authoriseAgain(context, principal, origin, taskId, await tried(serviceOf(context, service), credentials, trial));
}

/** A service that the caller may make tasks of now. Errors: `tasks/not-found`, `tasks/conflict` where the operator has to set something first. */
export function offered(context: TasksContext, principal: Principal, id: string): TaskService {
  const service = serviceOf(context, id);
  if (!sees(principal, { accountId: principal.accountId, service: id })) throw new HoldfastError('tasks/not-found', 'input', 'There is no such service. The list of services names those that there are.');
  if (service.offer.missing !== undefined) throw new HoldfastError('tasks/conflict', 'input', service.offer.missing);
  return service;
}

async function tried(service: TaskService, credentials: Credentials, { count, signal }: Trial): Promise<Authorised> {
  if (service.credentials === undefined) throw new HoldfastError('tasks/conflict', 'input', 'This service is authorised on a page of its provider, not with a password.');
  count();
  return service.credentials(credentials, signal).catch((error: unknown) => notConnected(error, signal));
}
