import { sql } from 'kysely';
import type { ActivityStatus, Viewer } from '../domain/index.ts';
import type { AuditDetails } from './audit.ts';
import type { AccountsContext } from './accountsContext.ts';
import { containing, inServices } from './inServices.ts';

/** An activity as it is read. */
export interface Activity {
  readonly id: string;
  readonly kind: string;
  readonly status: ActivityStatus;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly service: string | null;
  readonly subService: string | null;
  readonly taskId: string | null;
  readonly taskName: string | null;
  readonly entityId: string | null;
  readonly entityName: string | null;
  readonly actorName: string;
  readonly storedBytes: number | null;
  readonly entities: number | null;
  readonly summary: string | null;
  readonly details: AuditDetails;
}

/** What of an account's activities is asked for. Lists: any of them. */
export interface ActivityFilter {
  readonly kinds?: readonly string[] | undefined;
  readonly services?: readonly string[] | undefined;
  readonly statuses?: readonly ActivityStatus[] | undefined;
  readonly taskId?: string | undefined;
  readonly entityId?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** Part of a name: of kind, task, entity or who began it. */
  readonly text?: string | undefined;
}

const COLUMNS = [
  'id', 'kind', 'status', 'startedAt', 'endedAt', 'service', 'subService', 'taskId', 'taskName', 'entityId', 'entityName', 'actorName', 'storedBytes', 'entities',
  'summary', 'details',
] as const;

/** In the order in which they were noted, or the other way round; `after` is the id of the last one of the page before. One question a page, over an index. */
export async function pageOfActivities(
  { database }: Pick<AccountsContext, 'database'>, viewer: Viewer, filter: ActivityFilter, page: { after?: string | undefined; order: 'newest' | 'oldest'; limit: number },
): Promise<Activity[]> {
  const { kinds, services, statuses, taskId, entityId, from, to, text } = filter;
  const newest = page.order === 'newest';
  let query = database.query.selectFrom('activities').select(COLUMNS).where('accountId', '=', viewer.accountId).where(inServices(viewer, sql.ref('service')));
  if (kinds !== undefined) query = query.where('kind', 'in', kinds);
  if (services !== undefined) query = query.where('service', 'in', services);
  if (statuses !== undefined) query = query.where('status', 'in', statuses);
  if (taskId !== undefined) query = query.where('taskId', '=', taskId);
  if (entityId !== undefined) query = query.where('entityId', '=', entityId);
  if (from !== undefined) query = query.where('startedAt', '>=', from);
  if (to !== undefined) query = query.where('startedAt', '<', to);
  if (text !== undefined) query = query.where(sql<boolean>`concat_ws(' ', kind, task_name, entity_name, actor_name) ilike ${containing(text)}`);
  if (page.after !== undefined) query = query.where('id', newest ? '<' : '>', page.after);
  return query.orderBy('id', newest ? 'desc' : 'asc').limit(page.limit).execute();
}

const BATCH = 1_000;

/** All that the filter finds, oldest first, in batches. */
export async function* activityBatches(context: Pick<AccountsContext, 'database'>, viewer: Viewer, filter: ActivityFilter): AsyncGenerator<Activity[], void, void> {
  let after: string | undefined;
  do {
    const batch = await pageOfActivities(context, viewer, filter, { after, order: 'oldest', limit: BATCH });
    yield batch;
    after = batch.length < BATCH ? undefined : batch.at(-1)?.id;
  } while (after !== undefined);
}

/** One by its id, whoever may see it. */
export async function findActivity({ database }: Pick<AccountsContext, 'database'>, accountId: string, id: string): Promise<Activity | undefined> {
  return database.query.selectFrom('activities').select(COLUMNS).where('accountId', '=', accountId).where('id', '=', id).executeTakeFirst();
}
