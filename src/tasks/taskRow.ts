import { HoldfastError, sees, type Viewer } from '../domain/index.ts';
import type { Query } from './tasksContext.ts';

/** What of a task every deed needs. */
export interface TaskRow {
  readonly id: string;
  readonly accountId: string;
  readonly service: string;
  readonly name: string;
  readonly goneAt: Date | null;
}

/**
 * The task, locked until the transaction ends: deeds on one task wait for each other, so that none meets rows that another has in its hands.
 * Errors: `tasks/not-found`, also where the caller may not see it; `tasks/conflict` where it is to be deleted, unless `deleting` is expected.
 */
export async function lockTask(transaction: Query, viewer: Viewer, id: string, { deleting = false }: { readonly deleting?: boolean } = {}): Promise<TaskRow> {
  const row = await transaction.selectFrom('tasks').select(['id', 'accountId', 'service', 'name', 'goneAt'])
    .where('id', '=', id).where('accountId', '=', viewer.accountId).forUpdate().executeTakeFirst();
  if (row === undefined || !sees(viewer, row)) throw noSuchTask();
  if (row.goneAt !== null && !deleting) throw new HoldfastError('tasks/conflict', 'input', 'This task is to be deleted. Take that back first.');
  return row;
}

/** Errors: `tasks/not-found`. */
export async function mustSeeTask(query: Query, viewer: Viewer, id: string): Promise<void> {
  const row = await query.selectFrom('tasks').select(['accountId', 'service']).where('id', '=', id).where('accountId', '=', viewer.accountId).executeTakeFirst();
  if (row === undefined || !sees(viewer, row)) throw noSuchTask();
}

/** As if it were not there. */
export function noSuchTask(): HoldfastError {
  return new HoldfastError('tasks/not-found', 'input', 'The account has no such task.');
}

/** How entries of the audit log name a task. */
export function taskDetails({ service, name }: Pick<TaskRow, 'service' | 'name'>): { service: string; task: string } {
  return { service, task: name };
}
