import type { AccountsContext } from '../accounts/index.ts';
import type { TaskService } from '../connectors/offer.ts';
import type { Tables } from '../database/index.ts';
import { HoldfastError } from '../domain/index.ts';
import type { Kysely } from 'kysely';

/** What all of this folder works with. */
export interface TasksContext extends AccountsContext {
  readonly services: readonly TaskService[];
  /** Where people reach the service: an URL without a path. */
  readonly publicUrl: string;
}

/** The database, or a transaction in it. */
export type Query = Kysely<Tables>;

/** Errors: `tasks/not-found`. */
export function serviceOf({ services }: Pick<TasksContext, 'services'>, id: string): TaskService {
  const service = services.find(({ offer }) => offer.service === id);
  if (service === undefined) throw new HoldfastError('tasks/not-found', 'input', 'There is no such service. The list of services names those that there are.');
  return service;
}
