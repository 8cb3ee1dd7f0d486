import { sql } from 'kysely';
import type { Licence, Viewer } from '../domain/index.ts';
import { ofTask } from './entityFilter.ts';
import type { TasksContext } from './tasksContext.ts';

/** An entity as the usage report tells it. */
export interface UsageRow {
  /** Title of the service. */
  readonly service: string;
  readonly task: string;
  readonly name: string;
  readonly address: string;
  /** 'active': it is backed up. */
  readonly status: 'active' | 'inactive' | 'archived';
  readonly licence: Licence;
  readonly bytes: number;
  readonly lastBackupAt: Date | null;
}

interface Key {
  readonly nameOrder: string;
  readonly id: string;
}

const BATCH = 1_000;
const FIRST: Key = { nameOrder: '', id: '' };

/** All entities that the viewer may see, by task and name, in batches. */
export async function* usageBatches(context: TasksContext, viewer: Viewer): AsyncGenerator<UsageRow[], void, void> {
  for await (const tasks of taskBatches(context, viewer)) {
    for (const { id, name, service } of tasks) {
      const title = context.services.find(({ offer }) => offer.service === service)?.offer.title ?? service;
      for await (const batch of entityBatches(context, viewer, id)) yield batch.map((row) => ({ ...row, service: title, task: name }));
    }
  }
}

async function* taskBatches({ database }: TasksContext, { accountId, services }: Viewer): AsyncGenerator<{ id: string; name: string; service: string; nameOrder: string }[], void, void> {
  let after = FIRST;
  for (;;) {
    let query = database.query.selectFrom('tasks').select(['id', 'name', 'service', 'nameOrder']).where('accountId', '=', accountId)
      .where(sql<boolean>`(name_order, id) > (${after.nameOrder}, ${after.id})`);
    if (services !== undefined) query = query.where(sql<boolean>`service = any(${[...services]}::text[])`);
    const batch = await query.orderBy('nameOrder').orderBy('id').limit(BATCH).execute();
    yield batch;
    const last = batch.at(-1);
    if (last === undefined || batch.length < BATCH) return;
    after = last;
  }
}

async function* entityBatches({ database }: TasksContext, viewer: Viewer, taskId: string): AsyncGenerator<(Omit<UsageRow, 'service' | 'task'> & Key)[], void, void> {
  let after = FIRST;
  for (;;) {
    const { rows } = await sql<Omit<UsageRow, 'service' | 'task'> & Key>`
      select e.id, e.name_order, e.name, e.address, e.licence, e.bytes, e.last_backup_at,
        case when e.state = 'archived' then 'archived' when e.state = 'active' and e.gone_at is null then 'active' else 'inactive' end as status
      from entities e where ${ofTask(viewer, taskId)} and (e.name_order, e.id) > (${after.nameOrder}, ${after.id}) order by e.name_order, e.id limit ${BATCH}`.execute(database.query);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH) return;
    after = last;
  }
}
