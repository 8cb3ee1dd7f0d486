import { sql } from 'kysely';
import { actorOf, appendAudit, noteActivity, seal, unseal, type Origin } from '../accounts/index.ts';
import type { Authorised } from '../connectors/offer.ts';
import { HoldfastError, isHoldfastError, type Principal } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { DISCOVERY_CHANNEL } from './discoveryDue.ts';
import { fold } from './fold.ts';
import { lockTask, taskDetails } from './taskRow.ts';
import type { Query, TasksContext } from './tasksContext.ts';

/** PostgreSQL's code. */
const UNIQUE_VIOLATION = '23505';

/** Makes a task of what was authorised, and has its entities read. Gives its id. Errors: `tasks/exists` for a name that is taken. */
export async function makeTask(context: TasksContext, principal: Principal, origin: Origin, wanted: { service: string; name: string }, authorised: Authorised): Promise<string> {
  const { clock, random, database } = context;
  const now = new Date(clock.now());
  const id = timeOrderedId(clock.now(), random);
  const { accountId } = principal;
  await database.query.transaction().execute(async (transaction) => {
    await transaction.insertInto('tasks').values({ id, accountId, ...wanted, nameOrder: fold(wanted.name), createdAt: now, discoveryDueAt: now, backupHour: now.getUTCHours() }).execute();
    await transaction.insertInto('connections').values({ taskId: id, accountId, authorisedAt: now, ...connectionRow(context, id, authorised) }).execute();
    await noteActivity(context, transaction, { accountId, kind: 'task.made', status: 'succeeded', service: wanted.service, task: { id, name: wanted.name }, actor: actorOf(principal) });
    await appendAudit(context, transaction, { accountId, kind: 'task.made', actor: actorOf(principal), origin, details: { ...taskDetails(wanted), connection: authorised.label } });
    await wakeDiscovery(transaction);
  }).catch(nameTaken);
  return id;
}

/** Gives a task a new authorisation of the same owner as before. Errors: `tasks/not-found`, `tasks/conflict` for another one's. */
export async function authoriseAgain(context: TasksContext, principal: Principal, origin: Origin, taskId: string, authorised: Authorised): Promise<void> {
  const now = new Date(context.clock.now());
  const { accountId } = principal;
  await context.database.query.transaction().execute(async (transaction) => {
    const task = await lockTask(transaction, principal, taskId);
    const row = { ...connectionRow(context, taskId, authorised), connected: true, trouble: null, authorisedAt: now };
    const changed = await transaction.updateTable('connections').set(row).where('taskId', '=', taskId).where('identity', '=', authorised.identity).returning('taskId').executeTakeFirst();
    if (changed === undefined) {
      throw new HoldfastError('tasks/conflict', 'input', `This task backs up somebody else's data than "${authorised.label}". Authorise it as the one that it was made with, or make another task.`);
    }
    await dueNow(context, transaction, taskId);
    await appendAudit(context, transaction, { accountId, kind: 'task.authorised', actor: actorOf(principal), origin, details: { ...taskDetails(task), connection: authorised.label } });
  });
}

/** What the connector keeps of the authorisation. */
export function openSecret({ keys }: Pick<TasksContext, 'keys'>, taskId: string, secret: Buffer): string {
  return unseal(keys, purposeOf(taskId), secret);
}

/** Has the task's entities read soon. */
export async function dueNow({ clock }: Pick<TasksContext, 'clock'>, query: Query, taskId: string): Promise<void> {
  await query.updateTable('tasks').set({ discoveryDueAt: new Date(clock.now()), discoveryFailures: 0 }).where('id', '=', taskId).execute();
  await wakeDiscovery(query);
}

async function wakeDiscovery(query: Query): Promise<void> {
  await sql`select pg_notify(${DISCOVERY_CHANNEL}, '')`.execute(query);
}

function connectionRow({ keys, random }: TasksContext, taskId: string, { secret, identity, label }: Authorised): { identity: string; label: string; secret: Buffer } {
  return { identity, label, secret: seal(keys, purposeOf(taskId), secret, random) };
}

function purposeOf(taskId: string): string {
  return `connection ${taskId}`;
}

/** What went wrong on the way to a provider, as it is told to who asked. */
export function notConnected(error: unknown, signal: AbortSignal): never {
  const known = isHoldfastError(error) ? error : unanswered(error, signal);
  throw new HoldfastError('tasks/not-connected', known.retryClass === 'retry' ? 'retry' : 'input', known.message, { data: { reason: known.code }, cause: error });
}

/** What a wait that was given up is told as; anything else is thrown on. */
export function unanswered(error: unknown, signal: AbortSignal): HoldfastError {
  if (!signal.aborted) throw error;
  return new HoldfastError('tasks/no-answer', 'retry', 'There was no answer in time. Check the address, or try again later.', { cause: error });
}

/** The index over names decides, also between two at the same moment. */
export function nameTaken(error: unknown): never {
  const taken = error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION && 'constraint' in error && error.constraint === 'tasks_name';
  throw taken ? new HoldfastError('tasks/exists', 'input', 'The account has a task of this name already. Choose another name.') : error;
}
