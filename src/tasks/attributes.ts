import { sql } from 'kysely';
import { HoldfastError, sees, type Viewer } from '../domain/index.ts';
import { ofTask } from './entityFilter.ts';
import { noSuchTask } from './taskRow.ts';
import { serviceOf, type TasksContext } from './tasksContext.ts';

/** A value that entities of a task have. '': the directory says nothing. */
export interface AttributeValue {
  readonly value: string;
  readonly total: number;
  /** Of these are active. */
  readonly active: number;
}

/** Errors: `tasks/invalid` for one that the service does not have. */
export function mustKnowProperties(context: TasksContext, service: string, properties: readonly string[]): void {
  const { attributes } = serviceOf(context, service).offer;
  const unknown = properties.find((property) => !Object.hasOwn(attributes, property));
  if (unknown !== undefined) throw new HoldfastError('tasks/invalid', 'input', `This service has no property "${unknown}". The list of services names those that there are.`);
}

/** The values of a property that occur among the entities that the provider has, by value: one question. Errors: `tasks/not-found`, `tasks/invalid`. */
export async function pageOfValues(
  context: TasksContext, viewer: Viewer, taskId: string, property: string, { search, after, limit }: { search?: string | undefined; after?: string | undefined; limit: number },
): Promise<AttributeValue[]> {
  const { query } = context.database;
  const task = await query.selectFrom('tasks').select(['accountId', 'service']).where('id', '=', taskId).where('accountId', '=', viewer.accountId).executeTakeFirst();
  if (task === undefined || !sees(viewer, task)) throw noSuchTask();
  mustKnowProperties(context, task.service, [property]);
  const found = search === undefined ? sql`true` : sql`strpos(lower(value), lower(${search})) > 0`;
  const behind = after === undefined ? sql`true` : sql`value > ${after}`;
  const { rows } = await sql<AttributeValue>`
    select value, count(*) as total, count(*) filter (where state = 'active') as active
    from (select coalesce(e.attributes ->> ${property}, '') collate "C" as value, e.state from entities e
      where ${ofTask(viewer, taskId)} and e.state <> 'archived' and e.gone_at is null) v
    where ${found} and ${behind} group by value order by value limit ${limit}`.execute(query);
  return rows;
}
