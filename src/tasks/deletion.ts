import { sql } from 'kysely';
import { actorOf, appendAudit, type Origin } from '../accounts/index.ts';
import { HoldfastError, type Principal } from '../domain/index.ts';
import { changeEntities, keep, remove, type Changed } from './entityDeeds.ts';
import type { Selection } from './entityFilter.ts';
import { lockTask, taskDetails } from './taskRow.ts';
import type { Query, TasksContext } from './tasksContext.ts';

const DAY_MS = 86_400_000;
/** Until then a deletion can be taken back. */
const GRACE_MS = 7 * DAY_MS;
const BATCH = 1_000;

/** Deletes chosen entities with their backups once the grace is over. Gives when. Errors: `tasks/not-found`, `tasks/conflict`. */
export async function deleteEntities(context: TasksContext, principal: Principal, origin: Origin, taskId: string, selection: Selection): Promise<Changed & { goneAt: Date }> {
  const now = context.clock.now();
  const goneAt = new Date(now + GRACE_MS);
  return { ...await changeEntities(context, principal, origin, taskId, selection, remove(new Date(now), goneAt)), goneAt };
}

/** Takes that back: they are as they were. */
export async function keepEntities(context: TasksContext, principal: Principal, origin: Origin, taskId: string, selection: Selection): Promise<Changed> {
  return changeEntities(context, principal, origin, taskId, selection, keep(new Date(context.clock.now())));
}

/** Deletes the task with all backups once the grace is over; `name` proves that it is the one that is meant. Gives when. Errors: `tasks/not-found`, `tasks/conflict`, `tasks/invalid`. */
export async function deleteTask(context: TasksContext, principal: Principal, origin: Origin, taskId: string, name: string): Promise<Date> {
  const now = context.clock.now();
  const goneAt = new Date(now + GRACE_MS);
  await context.database.query.transaction().execute(async (transaction) => {
    const task = await lockTask(transaction, principal, taskId);
    if (task.name !== name) throw new HoldfastError('tasks/invalid', 'input', 'That is not the name of this task. Type it as it stands there.');
    await transaction.updateTable('tasks').set({ deletedAt: new Date(now), goneAt }).where('id', '=', taskId).execute();
    await appendAudit(context, transaction, {
      accountId: principal.accountId, kind: 'task.deletion-asked', actor: actorOf(principal), origin, details: { ...taskDetails(task), goneAt: goneAt.toISOString() },
    });
  });
  return goneAt;
}

/** Takes that back. Errors: `tasks/not-found`, `tasks/conflict` where there is nothing to take back, or it is too late. */
export async function keepTask(context: TasksContext, principal: Principal, origin: Origin, taskId: string): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    const task = await lockTask(transaction, principal, taskId, { deleting: true });
    if (task.goneAt === null || task.goneAt.getTime() <= context.clock.now()) throw new HoldfastError('tasks/conflict', 'input', 'This task is not to be deleted, or its time is over.');
    await transaction.updateTable('tasks').set({ deletedAt: null, goneAt: null }).where('id', '=', taskId).execute();
    await appendAudit(context, transaction, { accountId: principal.accountId, kind: 'task.deletion-withdrawn', actor: actorOf(principal), origin, details: taskDetails(task) });
  });
}

/** What was erased. */
export interface Erased {
  readonly tasks: number;
  readonly entities: number;
}

/**
 * Erases tasks and entities whose grace is over, and archived ones that have been kept as long as their task says. Several processes may do this at once: each task
 * is in the hands of one. There are no backups of the service yet: whoever makes them has to erase them here first.
 */
export async function eraseDue(context: TasksContext, signal: AbortSignal): Promise<Erased> {
  let tasks = 0;
  let entities = 0;
  while (!signal.aborted && await eraseTask(context)) tasks++;
  for (;;) {
    const erased = signal.aborted ? 0 : await eraseEntities(context);
    if (erased === 0) return { tasks, entities };
    entities += erased;
  }
}

/** False where none is due. */
function eraseTask(context: TasksContext): Promise<boolean> {
  return context.database.query.transaction().execute(async (transaction) => {
    const task = await transaction.selectFrom('tasks').select(['id', 'accountId', 'service', 'name']).where('goneAt', '<=', new Date(context.clock.now()))
      .orderBy('goneAt').limit(1).forUpdate().skipLocked().executeTakeFirst();
    if (task === undefined) return false;
    const entities = await deleteAll(transaction, task.id);
    await transaction.deleteFrom('tasks').where('id', '=', task.id).execute();
    await appendAudit(context, transaction, {
      accountId: task.accountId, kind: 'task.erased', actor: undefined, origin: undefined, details: { ...taskDetails(task), entities },
    });
    return true;
  });
}

async function deleteAll(transaction: Query, taskId: string): Promise<number> {
  for (let deleted = 0; ;) {
    const some = transaction.selectFrom('entities').select('id').where('taskId', '=', taskId).limit(BATCH);
    const { numDeletedRows } = await transaction.deleteFrom('entities').where('id', 'in', some).executeTakeFirst();
    if (numDeletedRows === 0n) return deleted;
    deleted += Number(numDeletedRows);
  }
}

/** Of one task, so many at most. What the provider still has is there again as if it was never backed up. */
function eraseEntities(context: TasksContext): Promise<number> {
  const now = new Date(context.clock.now());
  return context.database.query.transaction().execute(async (transaction) => {
    const { rows: [task] } = await sql<{ id: string; accountId: string; service: string; name: string }>`
      select t.id, t.account_id, t.service, t.name from tasks t
      where exists (select 1 from entities e where e.task_id = t.id and e.gone_at <= ${now})
        or (t.archived_days is not null and exists (select 1 from entities e where e.task_id = t.id and e.archived_at <= ${now}::timestamptz - t.archived_days * interval '1 day'))
      limit 1 for update of t skip locked`.execute(transaction);
    if (task === undefined) return 0;
    const erased = await eraseOf(transaction, task.id, now);
    if (erased > 0) {
      await appendAudit(context, transaction, {
        accountId: task.accountId, kind: 'entities.erased', actor: undefined, origin: undefined, details: { ...taskDetails(task), entities: erased },
      });
    }
    return erased;
  });
}

async function eraseOf(transaction: Query, taskId: string, now: Date): Promise<number> {
  const { rows: [row] } = await sql<{ erased: number }>`
    with due as materialized (
      select e.id, e.state from entities e join tasks t on t.id = e.task_id
      where e.task_id = ${taskId} and (e.gone_at <= ${now} or e.archived_at <= ${now}::timestamptz - t.archived_days * interval '1 day') limit ${BATCH}),
    gone as (delete from entities using due where entities.id = due.id and due.state = 'archived' returning entities.id),
    reset as (update entities set state = 'inactive', running = false, last_outcome = null, last_backup_at = null, bytes = 0, deleted_at = null, gone_at = null
      from due where entities.id = due.id and due.state <> 'archived' returning entities.id)
    select (select count(*) from gone) + (select count(*) from reset) as erased`.execute(transaction);
  return row?.erased ?? 0;
}
