import { createHash } from 'node:crypto';
import { actorOf, noteAudit, seal, unseal, type Origin } from '../accounts/index.ts';
import type { Consent, ConsentAnswer, ConsentWay } from '../connectors/offer.ts';
import { HoldfastError, isHoldfastError, judge, sees, type Principal } from '../domain/index.ts';
import { offered } from './addTask.ts';
import { authoriseAgain, makeTask, unanswered } from './connections.ts';
import { noSuchTask, taskDetails } from './taskRow.ts';
import { serviceOf, type TasksContext } from './tasksContext.ts';

const STATE_BYTES = 32;
/** For who reads a page of consent and looks for the administrator. */
const STATE_MS = 30 * 60_000;
const MOST_PENDING = 20;

/** Where providers send the browser back to. */
export const CONSENT_PATH = '/api/v1/authorisations/callback';

/** A task that is to be made, or is authorised again. */
export type ConsentFor = { readonly service: string; readonly name: string } | { readonly taskId: string };

interface Pending {
  readonly service: string;
  readonly name: string;
  readonly taskId: string | null;
}

/** What came of an answer: where the browser goes next, the task, or a code that says why there is none; the audit log has it in words. */
export type ConsentOutcome = { readonly next: string } | { readonly taskId: string } | { readonly refused: string };

/** The address of the provider's page. What comes back is taken from this session alone, once, within half an hour. Errors: `tasks/not-found`, `tasks/conflict`. */
export async function beginConsent(context: TasksContext, principal: Principal, wanted: ConsentFor): Promise<string> {
  const pending = 'taskId' in wanted ? await pendingAgain(context, principal, wanted.taskId) : { ...wanted, taskId: null };
  const consent = consentOf(context, principal, pending.service);
  const way = newWay(context);
  const { url, memory } = consent.begin(way);
  await remember(context, principal, pending, way, memory);
  return url;
}

/**
 * Takes the provider's answer, which the browser brings. Errors: `tasks/bad-state` for one that this session has not asked for, has used already, or waited too
 * long with; `tasks/exists`, `tasks/conflict`.
 */
export async function finishConsent(context: TasksContext, principal: Principal, origin: Origin, query: URLSearchParams, signal: AbortSignal): Promise<ConsentOutcome> {
  const state = query.get('state') ?? '';
  const { memory: sealed, ...pending } = await takePending(context, principal, state);
  // Rights may have changed since.
  const permission = pending.taskId === null ? 'tasks.activate' : 'tasks.modify';
  if (judge({ who: 'permitted', permission, session: true }, principal) !== 'allowed') throw badState();
  const consent = consentOf(context, principal, pending.service);
  const memory = unseal(context.keys, purposeOf(digestOf(state)), sealed);
  const next = newWay(context);
  const answer = await consent.answer(query, { returnTo: next.returnTo, state, memory }, next, signal).catch((error: unknown) => refusalOf(error, signal));
  if (answer.result === 'refused') {
    const { service, name } = pending;
    await noteAudit(context, {
      accountId: principal.accountId, kind: 'task.authorisation.failed', actor: actorOf(principal), origin, details: { ...taskDetails({ service, name }), reason: answer.why },
    });
    return { refused: answer.code };
  }
  if (answer.result === 'next') {
    await remember(context, principal, pending, next, answer.step.memory);
    return { next: answer.step.url };
  }
  const { service, name, taskId } = pending;
  if (taskId === null) return { taskId: await makeTask(context, principal, origin, { service, name }, answer.authorised) };
  await authoriseAgain(context, principal, origin, taskId, answer.authorised);
  return { taskId };
}

/** The provider could not be asked, or said what must not be. */
function refusalOf(error: unknown, signal: AbortSignal): ConsentAnswer {
  return { result: 'refused', code: 'not-connected', why: isHoldfastError(error) ? error.message : unanswered(error, signal).message };
}

async function pendingAgain({ database }: TasksContext, principal: Principal, taskId: string): Promise<Pending> {
  const task = await database.query.selectFrom('tasks').select(['accountId', 'service', 'name']).where('id', '=', taskId).where('accountId', '=', principal.accountId).executeTakeFirst();
  if (task === undefined || !sees(principal, task)) throw noSuchTask();
  return { service: task.service, name: task.name, taskId };
}

function consentOf(context: TasksContext, principal: Principal, service: string): Consent {
  const { consent } = offered(context, principal, service);
  if (consent === undefined) throw new HoldfastError('tasks/conflict', 'input', `${serviceOf(context, service).offer.title} has no page of consent. Give user name and password.`);
  return consent;
}

function newWay({ random, publicUrl }: TasksContext): ConsentWay {
  return { state: random(STATE_BYTES).toString('base64url'), returnTo: new URL(CONSENT_PATH, publicUrl).href };
}

async function remember({ database, clock, keys, random }: TasksContext, principal: Principal, pending: Pending, { state }: ConsentWay, memory: string): Promise<void> {
  const digest = digestOf(state);
  const { accountId } = principal;
  const sessionId = sessionOf(principal);
  const now = clock.now();
  await database.query.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('authorisations').where('sessionId', '=', sessionId).where('expiresAt', '<=', new Date(now)).execute();
    const { count } = await transaction.selectFrom('authorisations').select(({ fn }) => fn.countAll<number>().as('count')).where('sessionId', '=', sessionId).executeTakeFirstOrThrow();
    if (count >= MOST_PENDING) throw new HoldfastError('tasks/too-many', 'input', 'You have begun too many authorisations. Finish one of them, or wait half an hour.');
    await transaction.insertInto('authorisations').values({
      digest, accountId, sessionId, ...pending, memory: seal(keys, purposeOf(digest), memory, random), expiresAt: new Date(now + STATE_MS),
    }).execute();
  });
}

/** Whoever takes it has it alone. */
async function takePending({ database, clock }: TasksContext, principal: Principal, state: string): Promise<Pending & { memory: Buffer }> {
  if (!/^[\w-]{10,100}$/.test(state)) throw badState();
  const taken = await database.query.deleteFrom('authorisations').where('digest', '=', digestOf(state)).where('sessionId', '=', sessionOf(principal))
    .where('accountId', '=', principal.accountId).where('expiresAt', '>', new Date(clock.now())).returning(['service', 'name', 'taskId', 'memory']).executeTakeFirst();
  if (taken === undefined) throw badState();
  return taken;
}

function sessionOf({ via }: Principal): string {
  if (via.kind !== 'session') throw new HoldfastError('tasks/bad-state', 'input', 'A consent is asked for in a browser, by a user who is signed in.');
  return via.sessionId;
}

function digestOf(state: string): Buffer {
  return createHash('sha256').update(state).digest();
}

function purposeOf(digest: Buffer): string {
  return `authorisation ${digest.toString('hex')}`;
}

function badState(): HoldfastError {
  return new HoldfastError('tasks/bad-state', 'input', 'This answer belongs to no authorisation that was begun here, or it came too late. Start again.');
}
