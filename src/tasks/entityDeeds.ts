import { sql, type RawBuilder } from 'kysely';
import { actorOf, appendAudit, noteActivity, type Origin } from '../accounts/index.ts';
import type { Principal } from '../domain/index.ts';
import { selected, type Selection } from './entityFilter.ts';
import { lockTask, taskDetails } from './taskRow.ts';
import type { Query, TasksContext } from './tasksContext.ts';

/** What a deed did: of so many that were chosen it changed so many; the others were so already, or cannot be. */
export interface Changed {
  readonly chosen: number;
  readonly changed: number;
}

/** A change of chosen entities. `may` and `set` are about `e`. */
export interface Deed {
  /** As the audit log calls it. */
  readonly kind: string;
  readonly may: RawBuilder<boolean>;
  readonly set: RawBuilder<unknown>;
}

const STANDS = sql<boolean>`e.gone_at is null`;

/** Backs them up from now on; they are scheduled. An archived one cannot be: the provider has it no longer. */
export const ACTIVATE: Deed = { kind: 'entities.activated', may: sql<boolean>`${STANDS} and e.state in ('inactive', 'paused')`, set: sql`state = 'active'` };

/** Backs them up no more for now. What there is stays. */
export const PAUSE: Deed = { kind: 'entities.paused', may: sql<boolean>`${STANDS} and e.state = 'active'`, set: sql`state = 'paused'` };

/** Limited Access comes or goes. */
export function limit(limited: boolean): Deed {
  return { kind: limited ? 'entities.limited' : 'entities.opened', may: sql<boolean>`e.limited <> ${limited}`, set: sql`limited = ${limited}` };
}

/** To be deleted at that time; until then they stay as they are, but for new backups. What was never backed up has nothing to delete. */
export function remove(now: Date, goneAt: Date): Deed {
  const something = sql`(e.state <> 'inactive' or e.last_backup_at is not null)`;
  return { kind: 'entities.deletion-asked', may: sql<boolean>`${STANDS} and ${something}`, set: sql`deleted_at = ${now}, gone_at = ${goneAt}` };
}

/** Takes that back. */
export function keep(now: Date): Deed {
  return { kind: 'entities.deletion-withdrawn', may: sql<boolean>`e.gone_at > ${now}`, set: sql`deleted_at = null, gone_at = null` };
}

/** Entities that one statement changes: many times as many take longer than a question may. */
const BATCH = 5_000;

/** Does it to all that are chosen, all or none, and notes it. Errors: `tasks/not-found`, `tasks/conflict`. */
export async function changeEntities(context: TasksContext, principal: Principal, origin: Origin, taskId: string, selection: Selection, deed: Deed): Promise<Changed> {
  return context.database.query.transaction().execute(async (transaction) => {
    const task = await lockTask(transaction, principal, taskId);
    const { name, ...total } = await change(transaction, selected(principal, taskId, selection), deed);
    if (total.changed > 0) {
      const { kind } = deed;
      const { accountId } = principal;
      const actor = actorOf(principal);
      const entities = total.changed;
      await noteActivity(context, transaction, { accountId, kind, status: 'succeeded', service: task.service, task, actor, entities });
      await appendAudit(context, transaction, { accountId, kind, actor, origin, details: { ...taskDetails(task), entities, ...(entities === 1 && { entity: name }) } });
    }
    return total;
  });
}

async function change(transaction: Query, chosen: RawBuilder<boolean>, { may, set }: Deed): Promise<Changed & { name: string | null }> {
  let total: Changed & { name: string | null } = { chosen: 0, changed: 0, name: null };
  for (let after = ''; ;) {
    const { rows: [batch] } = await sql<Changed & { last: string | null; name: string | null }>`
      with chosen as materialized (select e.id, ${may} as may from entities e where ${chosen} and e.id > ${after} order by e.id limit ${BATCH}),
      changed as (update entities set ${set} from chosen where entities.id = chosen.id and chosen.may returning entities.name)
      select count(*) as chosen, max(id) as last, (select count(*) from changed) as changed, (select min(name) from changed) as name from chosen`.execute(transaction);
    if (batch === undefined || batch.last === null) return total;
    total = { chosen: total.chosen + batch.chosen, changed: total.changed + batch.changed, name: total.name ?? batch.name };
    if (batch.chosen < BATCH) return total;
    after = batch.last;
  }
}
