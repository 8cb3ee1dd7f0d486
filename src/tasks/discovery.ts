import { sql } from 'kysely';
import { appendAudit, changeActivity, noteActivity } from '../accounts/index.ts';
import { HoldfastError, isHoldfastError, messageOf } from '../domain/index.ts';
import type { Logger } from '../runtime/index.ts';
import { openSecret } from './connections.ts';
import { ACTIVATE } from './entityDeeds.ts';
import { archiveUnseen, keepFound, type Found, type Reading } from './keepFound.ts';
import { serviceOf, type TasksContext } from './tasksContext.ts';

/** Longer than a provider takes for a page. Renewed with each batch; a process that dies leaves the task to another one after this. */
const LEASE_MS = 5 * 60_000;
const MOST_RUN_MS = 60 * 60_000;
const EVERY_MS = 24 * 3_600_000;
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 6 * 3_600_000;

interface Due extends Reading {
  readonly name: string;
  readonly secret: Buffer;
  readonly failures: number;
}

/** Reads the entities of all tasks that are due, one after the other, until none is; gives how many. Several may do this at once: each task is in the hands of one. */
export async function discoverDue(context: TasksContext, log: Logger, signal: AbortSignal): Promise<number> {
  for (let read = 0; ; read++) {
    const due = await takeDue(context, signal);
    if (due === undefined) return read;
    await discover(context, log, due, signal);
  }
}

function takeDue(context: TasksContext, signal: AbortSignal): Promise<Due | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  const { database, clock } = context;
  const now = new Date(clock.now());
  return database.query.transaction().execute(async (transaction) => {
    const { rows: [task] } = await sql<Omit<Due, 'run'> & { lastRun: string | null }>`
      select t.id, t.account_id, t.service, t.name, c.secret, t.discovery_failures as failures, t.discovery_run as last_run
      from tasks t join connections c on c.task_id = t.id join accounts a on a.id = t.account_id
      where t.discovery_due_at <= ${now} and t.gone_at is null and (t.discovery_lease_until is null or t.discovery_lease_until <= ${now}) and c.connected and a.gone_at is null
      order by t.discovery_due_at limit 1 for update of t skip locked`.execute(transaction);
    if (task === undefined) return undefined;
    const { lastRun, ...due } = task;
    const { accountId, id, service, name } = due;
    if (lastRun !== null) await changeActivity(context, transaction, { accountId, id: lastRun }, { status: 'failed', summary: 'The process that did it ended. It is done again.' });
    const run = await noteActivity(context, transaction, { accountId, kind: 'discovery', status: 'running', service, task: { id, name }, actor: undefined });
    await transaction.updateTable('tasks').set({ discoveryRun: run, discoveryLeaseUntil: new Date(now.getTime() + LEASE_MS) }).where('id', '=', id).execute();
    return { ...due, run };
  });
}

async function discover(context: TasksContext, log: Logger, due: Due, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(MOST_RUN_MS)]);
  try {
    const found = await readAll(context, due, limit);
    log.info('entities read', { task: due.id, ...found });
  } catch (error) {
    if (signal.aborted) await release(context, due);
    else await failed(context, log, due, limit.aborted ? tooLong(error) : error);
  }
}

async function readAll(context: TasksContext, due: Due, signal: AbortSignal): Promise<Found & { archived: number }> {
  const total = { seen: 0, added: 0, returned: 0, activated: 0 };
  for await (const batch of serviceOf(context, due.service).entities(openSecret(context, due.id, due.secret), signal)) {
    if (batch.length === 0) continue;
    const found = await context.database.query.transaction().execute(async (transaction) => {
      await holdOn(context, transaction, due);
      const kept = await keepFound(context, transaction, due, batch);
      if (kept.activated > 0) await noteRules(context, transaction, due, kept.activated);
      return kept;
    });
    for (const name of ['seen', 'added', 'returned', 'activated'] as const) total[name] += found[name];
  }
  return { ...total, archived: await finish(context, due, total) };
}

/** What rules did to a batch, in the transaction that did it. */
async function noteRules(context: TasksContext, transaction: TasksContext['database']['query'], { id, accountId, service, name }: Due, entities: number): Promise<void> {
  const { kind } = ACTIVATE;
  await noteActivity(context, transaction, { accountId, kind, status: 'succeeded', service, task: { id, name }, actor: undefined, entities, details: { by: 'rules' } });
  await appendAudit(context, transaction, { accountId, kind, actor: undefined, origin: undefined, details: { service, task: name, entities, by: 'rules' } });
}

/** Locks the task, as every deed does, and keeps it for this run. Errors: `tasks/lost-lease`, and nothing more is written. */
async function holdOn({ clock }: TasksContext, transaction: TasksContext['database']['query'], { id, run }: Reading): Promise<void> {
  const mine = await transaction.updateTable('tasks').set({ discoveryLeaseUntil: new Date(clock.now() + LEASE_MS) }).where('id', '=', id).where('discoveryRun', '=', run)
    .where('goneAt', 'is', null).returning('id').executeTakeFirst();
  if (mine === undefined) throw new HoldfastError('tasks/lost-lease', 'retry', 'The task is to be deleted, or another process reads its entities by now.');
}

/** A list of nothing would archive all: it is rather the provider's mistake than everybody's farewell. */
async function finish(context: TasksContext, due: Due, total: Found): Promise<number> {
  const now = context.clock.now();
  return context.database.query.transaction().execute(async (transaction) => {
    await holdOn(context, transaction, due);
    if (total.seen === 0) {
      const any = await transaction.selectFrom('entities').select('id').where('taskId', '=', due.id).where('state', '<>', 'archived').limit(1).executeTakeFirst();
      if (any !== undefined) throw new HoldfastError('tasks/nothing-listed', 'retry', 'The provider listed nothing at all. Nothing was changed here; it is asked again later.');
    }
    const archived = await archiveUnseen(context, transaction, due);
    await transaction.updateTable('tasks').set({
      discoveredAt: new Date(now), discoveryDueAt: new Date(now + EVERY_MS), discoveryRun: null, discoveryLeaseUntil: null, discoveryFailures: 0, discoveryFailure: null,
    }).where('id', '=', due.id).execute();
    const { seen, ...found } = total;
    await changeActivity(context, transaction, { accountId: due.accountId, id: due.run }, { status: 'succeeded', entities: seen, details: { ...found, archived } });
    return archived;
  });
}

/** What a person has to mend disconnects the task; the rest is tried again, later and later. Only messages that are written for people are kept. */
async function failed(context: TasksContext, log: Logger, due: Due, error: unknown): Promise<void> {
  const { id, accountId, run, service, name } = due;
  const known = isHoldfastError(error) ? error : undefined;
  log.warn('entities not read', { task: id, code: known?.code ?? 'unexpected', message: messageOf(error) });
  const message = known?.message ?? 'Something went wrong that the service did not expect. It tries again.';
  const wait = Math.min(FIRST_WAIT_MS * 2 ** due.failures, LONGEST_WAIT_MS);
  await context.database.query.transaction().execute(async (transaction) => {
    const mine = await transaction.updateTable('tasks').set({
      discoveryRun: null, discoveryLeaseUntil: null, discoveryFailures: due.failures + 1, discoveryFailure: message, discoveryDueAt: new Date(context.clock.now() + wait),
    }).where('id', '=', id).where('discoveryRun', '=', run).returning('id').executeTakeFirst();
    await changeActivity(context, transaction, { accountId, id: run }, { status: 'failed', summary: message });
    if (mine === undefined || known?.retryClass !== 'input') return;
    // A new authorisation that came meanwhile is not this one's to end.
    const lost = await transaction.updateTable('connections').set({ connected: false, trouble: message }).where('taskId', '=', id).where('secret', '=', due.secret).returning('taskId').executeTakeFirst();
    if (lost !== undefined) await appendAudit(context, transaction, { accountId, kind: 'task.disconnected', actor: undefined, origin: undefined, details: { service, task: name, reason: message } });
  });
}

function tooLong(cause: unknown): HoldfastError {
  return new HoldfastError('tasks/too-long', 'retry', 'Reading the entities took longer than an hour. It is tried again later.', { cause });
}

/** The service is about to end: another process may go on at once. */
async function release(context: TasksContext, { id, accountId, run }: Reading): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    await transaction.updateTable('tasks').set({ discoveryRun: null, discoveryLeaseUntil: null }).where('id', '=', id).where('discoveryRun', '=', run).execute();
    await changeActivity(context, transaction, { accountId, id: run }, { status: 'cancelled', summary: 'The service ended. It is done again.' });
  });
}
