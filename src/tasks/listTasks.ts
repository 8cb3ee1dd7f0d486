import { sql, type RawBuilder } from 'kysely';
import type { Frequency, RetentionUnit, TaskStatus, Viewer } from '../domain/index.ts';
import { containing } from './fold.ts';
import { noSuchTask } from './taskRow.ts';
import type { TasksContext } from './tasksContext.ts';

/** How many entities of a task are what. Those that are to be deleted count in `total` and `deleting` alone. */
export interface EntityCounts {
  readonly total: number;
  readonly active: number;
  readonly paused: number;
  readonly archived: number;
  readonly deleting: number;
  readonly failed: number;
  readonly partial: number;
}

/** A task as its account sees it. */
export interface TaskInfo {
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly status: TaskStatus;
  readonly connection: { readonly connected: boolean; readonly label: string; readonly trouble: string | null; readonly authorisedAt: Date };
  readonly entities: EntityCounts;
  readonly bytes: number;
  readonly lastBackupAt: Date | null;
  readonly discovery: { readonly at: Date | null; readonly running: boolean; readonly failure: string | null };
  readonly settings: TaskSettings;
  readonly goneAt: Date | null;
}

/** What can be set of a task. undefined: for ever. */
export interface TaskSettings {
  readonly indexContent: boolean;
  readonly archivedDays: number | undefined;
  readonly autoActivate: boolean;
  readonly frequency: Frequency;
  readonly backupHour: number;
  readonly retention: { readonly count: number; readonly unit: RetentionUnit } | undefined;
}

interface Row extends EntityCounts {
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly nameOrder: string;
  readonly createdAt: Date;
  readonly indexContent: boolean;
  readonly archivedDays: number | null;
  readonly autoActivate: boolean;
  readonly frequency: Frequency;
  readonly backupHour: number;
  readonly retentionCount: number | null;
  readonly retentionUnit: RetentionUnit | null;
  readonly goneAt: Date | null;
  readonly discoveredAt: Date | null;
  readonly discoveryRunning: boolean;
  readonly discoveryFailure: string | null;
  readonly connected: boolean;
  readonly label: string;
  readonly trouble: string | null;
  readonly authorisedAt: Date;
  readonly bytes: number;
  readonly lastBackupAt: Date | null;
  readonly tasks: number;
}

/** A page of tasks by name with all that the overview shows of each, and how many there are in all: one question. `after`: where the page before ended. */
export async function pageOfTasks(
  context: TasksContext, viewer: Viewer, { search, after, limit }: { search?: string | undefined; after?: TaskKey | undefined; limit: number },
): Promise<{ tasks: (TaskInfo & { key: TaskKey })[]; total: number }> {
  const found = search === undefined ? sql`true` : sql`t.name_order like ${containing(search)}`;
  const behind = after === undefined ? sql`true` : sql`(t.name_order, t.id) > (${after.nameOrder}, ${after.id})`;
  const rows = await ask(context, viewer, found, behind, limit);
  return { tasks: rows.map((row) => ({ ...infoOf(row), key: { nameOrder: row.nameOrder, id: row.id } })), total: rows[0]?.tasks ?? 0 };
}

/** Where a page of tasks ends. */
export interface TaskKey {
  readonly nameOrder: string;
  readonly id: string;
}

/** Errors: `tasks/not-found`. */
export async function showTask(context: TasksContext, viewer: Viewer, id: string): Promise<TaskInfo> {
  const [row] = await ask(context, viewer, sql`t.id = ${id}`, sql`true`, 1);
  if (row === undefined) throw noSuchTask();
  return infoOf(row);
}

async function ask({ database, clock }: TasksContext, { accountId, services }: Viewer, found: RawBuilder<unknown>, behind: RawBuilder<unknown>, limit: number): Promise<readonly Row[]> {
  const theirs = services === undefined ? sql`true` : sql`t.service = any(${[...services]}::text[])`;
  const wanted = sql`from tasks t where t.account_id = ${accountId} and ${theirs} and ${found}`;
  const { rows } = await sql<Row>`
    select t.*, exists (select 1 from rules r where r.task_id = t.id and r.kind = 'all' and r.enabled) as auto_activate, t.discovery_lease_until > ${new Date(clock.now())} is true as discovery_running, c.connected, c.label, c.trouble, c.authorised_at, e.*, (select count(*) ${wanted}) as tasks
    from (select t.* ${wanted} and ${behind} order by t.name_order, t.id limit ${limit}) t
    join connections c on c.task_id = t.id
    cross join lateral (select count(*) as total, count(*) filter (where state = 'active' and gone_at is null) as active, count(*) filter (where status = 'paused') as paused,
        count(*) filter (where status = 'archived') as archived, count(*) filter (where status = 'deleting') as deleting, count(*) filter (where status = 'failed') as failed,
        count(*) filter (where status = 'partial') as partial, coalesce(sum(bytes), 0) as bytes, max(last_backup_at) as last_backup_at
      from entities where task_id = t.id) e
    order by t.name_order, t.id`.execute(database.query);
  return rows;
}

function infoOf(row: Row): TaskInfo {
  const { id, service, name, createdAt, connected, label, trouble, authorisedAt, total, active, paused, archived, deleting, failed, partial, bytes, lastBackupAt, goneAt } = row;
  const { indexContent, archivedDays, autoActivate, frequency, backupHour, retentionCount, retentionUnit } = row;
  return {
    id, service, name, createdAt, status: statusOf(row), connection: { connected, label, trouble, authorisedAt },
    entities: { total, active, paused, archived, deleting, failed, partial }, bytes, lastBackupAt, goneAt,
    discovery: { at: row.discoveredAt, running: row.discoveryRunning, failure: row.discoveryFailure },
    settings: {
      indexContent, archivedDays: archivedDays ?? undefined, autoActivate, frequency, backupHour,
      retention: retentionCount === null || retentionUnit === null ? undefined : { count: retentionCount, unit: retentionUnit },
    },
  };
}

function statusOf({ goneAt, connected, discoveredAt, active, failed, partial }: Row): TaskStatus {
  if (goneAt !== null) return 'deleting';
  if (!connected) return 'disconnected';
  if (discoveredAt === null) return 'reading';
  if (active === 0) return 'not-active';
  if (failed > 0) return 'failed';
  return partial > 0 ? 'partial' : 'active';
}
