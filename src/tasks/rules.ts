import { sql } from 'kysely';
import { actorOf, appendAudit, type Origin } from '../accounts/index.ts';
import { HoldfastError, type Principal, type Viewer } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import type { Conditions } from './entityFilter.ts';
import { mustKnowProperties } from './attributes.ts';
import { lockTask, mustSeeTask, taskDetails, type TaskRow } from './taskRow.ts';
import type { Query, TasksContext } from './tasksContext.ts';

/** Which new entities a rule activates. */
export type RuleKind = { readonly kind: 'all' } | { readonly kind: 'attributes'; readonly conditions: Conditions };

/** A rule: it acts on entities that are new when they are read, and leaves those that there are as they are. */
export interface Rule {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly createdAt: Date;
  readonly activates: RuleKind;
}

const MOST_RULES = 100;
/** What the rule is called that the setting of a task makes. */
const ALL_NAME = 'All new accounts';

/** Whether a rule of the task activates the new entity `f`, whose `attributes` are jsonb. */
export function activatedByRule(taskId: string) {
  return sql<boolean>`exists (select 1 from rules r where r.task_id = ${taskId} and r.enabled and (r.kind = 'all' or (r.kind = 'attributes'
    and not exists (select 1 from jsonb_each(r.conditions) as c where not (c.value ? coalesce(f.attributes ->> c.key, ''))))))`;
}

/** In the order that they were made in. Errors: `tasks/not-found`. */
export async function listRules({ database }: TasksContext, viewer: Viewer, taskId: string): Promise<Rule[]> {
  await mustSeeTask(database.query, viewer, taskId);
  const rows = await database.query.selectFrom('rules').selectAll().where('taskId', '=', taskId).where('accountId', '=', viewer.accountId).orderBy('id').limit(MOST_RULES).execute();
  return rows.map(({ id, name, enabled, createdAt, conditions }) => ({ id, name, enabled, createdAt, activates: conditions === null ? { kind: 'all' } : { kind: 'attributes', conditions } }));
}

/** Gives its id. Errors: `tasks/not-found`, `tasks/exists` for a second rule for all, `tasks/conflict` where there are too many, `tasks/invalid`. */
export async function makeRule(
  context: TasksContext, principal: Principal, origin: Origin, taskId: string, { name, enabled, activates }: { name: string; enabled: boolean; activates: RuleKind },
): Promise<string> {
  const { clock, random, database } = context;
  const { accountId } = principal;
  const id = timeOrderedId(clock.now(), random);
  await database.query.transaction().execute(async (transaction) => {
    const task = await lockTask(transaction, principal, taskId);
    if (activates.kind === 'attributes') mustKnowProperties(context, task.service, Object.keys(activates.conditions));
    const { count } = await transaction.selectFrom('rules').select(({ fn }) => fn.countAll<number>().as('count')).where('taskId', '=', taskId).executeTakeFirstOrThrow();
    if (count >= MOST_RULES) throw new HoldfastError('tasks/conflict', 'input', `The task has ${MOST_RULES} rules already. Delete one that is not used any more.`);
    const conditions = activates.kind === 'attributes' ? JSON.stringify(activates.conditions) : undefined;
    const made = await transaction.insertInto('rules').values({ id, accountId, taskId, name, kind: activates.kind, enabled, conditions, createdAt: new Date(clock.now()) })
      .onConflict((conflict) => conflict.doNothing()).returning('id').executeTakeFirst();
    if (made === undefined) throw new HoldfastError('tasks/exists', 'input', 'The task has a rule for all new accounts already. Switch that one on.');
    await appendAudit(context, transaction, { accountId, kind: 'rule.made', actor: actorOf(principal), origin, details: { ...taskDetails(task), rule: name, activates: told(activates), enabled } });
  });
  return id;
}

/** What is left out stays. Errors: `tasks/not-found`, `tasks/conflict` for conditions of the rule for all, `tasks/invalid`. */
export async function changeRule(
  context: TasksContext, principal: Principal, origin: Origin, id: string, { conditions, ...change }: { name?: string; enabled?: boolean; conditions?: Conditions },
): Promise<Rule> {
  const { accountId } = principal;
  return context.database.query.transaction().execute(async (transaction) => {
    const { task, kind } = await lockRule(transaction, principal, id);
    if (conditions !== undefined) {
      if (kind !== 'attributes') throw new HoldfastError('tasks/conflict', 'input', 'This rule activates all new accounts. Make another one for some.');
      mustKnowProperties(context, task.service, Object.keys(conditions));
    }
    const set = { ...change, ...(conditions !== undefined && { conditions: JSON.stringify(conditions) }) };
    if (Object.keys(set).length > 0) await transaction.updateTable('rules').set(set).where('id', '=', id).execute();
    const row = await transaction.selectFrom('rules').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const activates: RuleKind = row.conditions === null ? { kind: 'all' } : { kind: 'attributes', conditions: row.conditions };
    const { name, enabled, createdAt } = row;
    await appendAudit(context, transaction, { accountId, kind: 'rule.changed', actor: actorOf(principal), origin, details: { ...taskDetails(task), rule: name, activates: told(activates), enabled } });
    return { id, name, enabled, createdAt, activates };
  });
}

/** What it activated stays so. Errors: `tasks/not-found`. */
export async function deleteRule(context: TasksContext, principal: Principal, origin: Origin, id: string): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    const { task, name } = await lockRule(transaction, principal, id);
    await transaction.deleteFrom('rules').where('id', '=', id).execute();
    await appendAudit(context, transaction, { accountId: principal.accountId, kind: 'rule.deleted', actor: actorOf(principal), origin, details: { ...taskDetails(task), rule: name } });
  });
}

/** The rule for all new accounts as a setting of the task: made where it is missing. */
export async function setRuleForAll({ clock, random }: TasksContext, transaction: Query, { id, accountId }: TaskRow, enabled: boolean): Promise<void> {
  const changed = await transaction.updateTable('rules').set({ enabled }).where('taskId', '=', id).where('kind', '=', 'all').returning('id').executeTakeFirst();
  if (changed !== undefined || !enabled) return;
  const rule = { id: timeOrderedId(clock.now(), random), accountId, taskId: id, name: ALL_NAME, kind: 'all' as const, enabled, createdAt: new Date(clock.now()) };
  await transaction.insertInto('rules').values(rule).execute();
}

async function lockRule(transaction: Query, principal: Principal, id: string): Promise<{ task: TaskRow; name: string; kind: 'all' | 'attributes' }> {
  const found = await transaction.selectFrom('rules').select('taskId').where('id', '=', id).where('accountId', '=', principal.accountId).executeTakeFirst();
  if (found === undefined) throw noSuchRule();
  const task = await lockTask(transaction, principal, found.taskId);
  // It may have gone while the task was waited for.
  const rule = await transaction.selectFrom('rules').select(['name', 'kind']).where('id', '=', id).executeTakeFirst();
  if (rule === undefined) throw noSuchRule();
  return { task, ...rule };
}

function noSuchRule(): HoldfastError {
  return new HoldfastError('tasks/not-found', 'input', 'The account has no such rule.');
}

/** As the audit log tells it. */
function told(activates: RuleKind): string {
  if (activates.kind === 'all') return 'all new accounts';
  return Object.entries(activates.conditions).map(([property, values]) => `${property}: ${values.map((value) => (value === '' ? '(none)' : value)).join(', ')}`).join('; ').slice(0, 500);
}
