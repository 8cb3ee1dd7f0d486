import { actorOf, appendAudit, type AuditDetails, type Origin } from '../accounts/index.ts';
import { HoldfastError, type Principal } from '../domain/index.ts';
import { dueNow, nameTaken } from './connections.ts';
import { fold } from './fold.ts';
import type { TaskSettings } from './listTasks.ts';
import { setRuleForAll } from './rules.ts';
import { lockTask, taskDetails } from './taskRow.ts';
import type { TasksContext } from './tasksContext.ts';

/** What is to be changed; what is left out stays. null: for ever. */
export interface TaskChange extends Partial<Omit<TaskSettings, 'archivedDays' | 'retention'>> {
  readonly name?: string | undefined;
  readonly archivedDays?: number | null;
  readonly retention?: TaskSettings['retention'] | null;
}

/** Errors: `tasks/not-found`, `tasks/exists` for a name that is taken, `tasks/conflict`. */
export async function changeTask(context: TasksContext, principal: Principal, origin: Origin, id: string, change: TaskChange): Promise<void> {
  const { name, retention, autoActivate, ...settings } = change;
  const row = {
    ...settings, ...(name !== undefined && { name, nameOrder: fold(name) }),
    ...(retention !== undefined && { retentionCount: retention?.count ?? null, retentionUnit: retention?.unit ?? null }),
  };
  await context.database.query.transaction().execute(async (transaction) => {
    const task = await lockTask(transaction, principal, id);
    if (Object.keys(row).length > 0) await transaction.updateTable('tasks').set(row).where('id', '=', id).execute();
    if (autoActivate !== undefined) await setRuleForAll(context, transaction, task, autoActivate);
    await appendAudit(context, transaction, {
      accountId: principal.accountId, kind: 'task.changed', actor: actorOf(principal), origin, details: { ...taskDetails(task), ...told(change) },
    });
  }).catch(nameTaken);
}

/** Has the entities read again soon. Errors: `tasks/not-found`, `tasks/conflict` where the task is disconnected. */
export async function askDiscovery(context: TasksContext, principal: Principal, id: string): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    await lockTask(transaction, principal, id);
    const { connected } = await transaction.selectFrom('connections').select('connected').where('taskId', '=', id).executeTakeFirstOrThrow();
    if (!connected) throw new HoldfastError('tasks/conflict', 'input', 'The task is disconnected. Authorise it again first.');
    await dueNow(context, transaction, id);
  });
}

/** As the audit log tells it. */
function told({ name, archivedDays, retention, ...settings }: TaskChange): AuditDetails {
  return {
    ...(name !== undefined && { name }), ...(archivedDays !== undefined && { archivedDays: archivedDays ?? 'for ever' }),
    ...(retention !== undefined && { retention: retention === null ? 'for ever' : `${retention.count} ${retention.unit}` }), ...settings,
  };
}
