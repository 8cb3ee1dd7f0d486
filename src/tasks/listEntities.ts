import { sql, type RawBuilder } from 'kysely';
import { ENTITY_STATUSES, opens, type EntitySort, type EntityStatus, type Licence, type Viewer } from '../domain/index.ts';
import { matches, ofTask, type EntityFilter } from './entityFilter.ts';
import { mustSeeTask } from './taskRow.ts';
import type { TasksContext } from './tasksContext.ts';

/** An entity as a list shows it. */
export interface EntityInfo {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly kind: string;
  readonly licence: Licence;
  readonly status: EntityStatus;
  readonly bytes: number;
  readonly lastBackupAt: Date | null;
  readonly archivedAt: Date | null;
  readonly goneAt: Date | null;
  readonly limited: boolean;
  /** Whether the viewer may look into its backups. */
  readonly opens: boolean;
  readonly tags: readonly { readonly id: string; readonly name: string }[];
  /** Another task that protects it, too. */
  readonly elsewhere: string | null;
  /** Where a page ends that ends here. */
  readonly key: EntityKey;
}

/** Value of the column that is sorted by, and the id. */
export interface EntityKey {
  readonly value: string;
  readonly id: string;
}

/** What of the filtered list, in which order. */
export interface EntityPage {
  readonly sort: EntitySort;
  readonly order: 'up' | 'down';
  readonly after?: EntityKey | undefined;
  readonly limit: number;
}

/** The column of each sort, with the type that a cursor's text is read as. */
const SORTS: Readonly<Record<EntitySort, { readonly column: string; readonly type: string }>> = {
  name: { column: 'name_order', type: 'text' }, address: { column: 'address_order', type: 'text' }, kind: { column: 'kind', type: 'text' },
  licence: { column: 'licence', type: 'text' }, status: { column: 'status', type: 'text' }, bytes: { column: 'bytes', type: 'bigint' },
  lastBackup: { column: 'backup_order', type: 'timestamptz' },
};

type Row = Omit<EntityInfo, 'opens' | 'key'> & { readonly service: string; readonly accountId: string; readonly sortValue: string };

/** A page of a task's entities: one question, over the index of the column that is sorted by. Errors: `tasks/not-found`. */
export async function pageOfEntities(context: TasksContext, viewer: Viewer, taskId: string, filter: EntityFilter, page: EntityPage): Promise<EntityInfo[]> {
  const { rows } = await entityQuery(viewer, taskId, filter, page).execute(context.database.query);
  // A foreign task looks like an empty one.
  if (rows.length === 0) await mustSeeTask(context.database.query, viewer, taskId);
  return rows.map(({ service, accountId, sortValue, ...entity }) => ({
    ...entity, opens: opens(viewer, { accountId, service, limited: entity.limited }), key: { value: sortValue, id: entity.id },
  }));
}

/** The question itself, for those who look at its plan. */
export function entityQuery(viewer: Viewer, taskId: string, filter: EntityFilter, { sort, order, after, limit }: EntityPage): RawBuilder<Row> {
  const { column, type } = SORTS[sort];
  const sorted = sql.raw(`e.${column}`);
  const way = sql.raw(order === 'up' ? 'asc' : 'desc');
  const behind = after === undefined ? sql`true` : sql`(${sorted}, e.id) ${sql.raw(order === 'up' ? '>' : '<')} (${after.value}::${sql.raw(type)}, ${after.id})`;
  return sql<Row>`
    select e.id, e.account_id, e.service, e.name, e.address, e.kind, e.licence, e.status, e.bytes, e.last_backup_at, e.archived_at, e.gone_at, e.limited, ${sorted}::text as sort_value,
      coalesce((select json_agg(json_build_object('id', g.id, 'name', g.name) order by g.name_order) from entity_tags et join tags g on g.id = et.tag_id where et.entity_id = e.id), '[]') as tags,
      (select ot.name from entities o join tasks ot on ot.id = o.task_id where o.account_id = e.account_id and o.service = e.service and o.reference = e.reference
        and o.task_id <> e.task_id and o.state in ('active', 'paused') and o.gone_at is null and ot.gone_at is null limit 1) as elsewhere
    from entities e
    where ${ofTask(viewer, taskId)} and ${matches(viewer, taskId, filter)} and ${behind}
    order by ${sorted} ${way}, e.id ${way} limit ${limit}`;
}

/** Of all entities of a task, and how many of them a filter finds. */
export interface EntityTotals {
  readonly matching: number;
  readonly total: number;
  readonly active: number;
  readonly licensed: number;
  readonly unlicensed: number;
  readonly limited: number;
  readonly byStatus: Readonly<Record<EntityStatus, number>>;
}

interface Group {
  readonly status: EntityStatus;
  readonly licence: Licence;
  readonly limited: boolean;
  readonly active: boolean;
  readonly total: number;
  readonly matching: number;
}

/** One question. Errors: `tasks/not-found`. */
export async function countEntities(context: TasksContext, viewer: Viewer, taskId: string, filter: EntityFilter): Promise<EntityTotals> {
  const { rows } = await sql<Group>`
    select e.status, e.licence, e.limited, (e.state = 'active' and e.gone_at is null) as active, count(*) as total, count(*) filter (where ${matches(viewer, taskId, filter)}) as matching
    from entities e where ${ofTask(viewer, taskId)} group by 1, 2, 3, 4`.execute(context.database.query);
  if (rows.length === 0) await mustSeeTask(context.database.query, viewer, taskId);
  const sum = (fits: (group: Group) => boolean): number => rows.reduce((all, group) => (fits(group) ? all + group.total : all), 0);
  return {
    matching: rows.reduce((all, { matching }) => all + matching, 0), total: sum(() => true), active: sum(({ active }) => active),
    licensed: sum(({ licence }) => licence === 'licensed'), unlicensed: sum(({ licence }) => licence === 'unlicensed'), limited: sum(({ limited }) => limited),
    byStatus: Object.fromEntries(ENTITY_STATUSES.map((one) => [one, sum(({ status }) => status === one)])) as Record<EntityStatus, number>,
  };
}
