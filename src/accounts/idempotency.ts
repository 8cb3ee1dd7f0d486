import { createHash, createHmac } from 'node:crypto';
import { HoldfastError, type Principal } from '../domain/index.ts';
import { sameDigest } from './audit.ts';
import type { AccountsContext } from './accountsContext.ts';
import { seal, unseal } from './serviceKeys.ts';

const KEPT_MS = 86_400_000;
/** Longer than any request takes. */
const AT_WORK_MS = 2 * 60_000;

/** An answer as it went out first. */
export interface KeptAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

/** Whoever calls, with the key that they chose for one request. */
export interface KeyOfRequest {
  readonly principal: Pick<Principal, 'accountId' | 'userId'>;
  readonly key: string;
}

/**
 * Begins the work of a request that has a key, or gives what the first one with it was answered. `request` is all that was asked. Keys are each user's own and hold a day.
 * Errors: `accounts/key-reused` for another request, `accounts/in-progress`, `accounts/outcome-unknown` where the first one broke off.
 */
export async function beginOnce(context: AccountsContext, { principal, key }: KeyOfRequest, request: string): Promise<KeptAnswer | undefined> {
  const { database: { query }, clock, keys } = context;
  const { accountId, userId } = principal;
  const now = clock.now();
  const digest = digestOf(key);
  // It may hold a password: without the key nobody can try which one.
  const asked = createHmac('sha256', keys.requests).update(request).digest();
  await query.deleteFrom('idempotencyKeys').where('userId', '=', userId).where('key', '=', digest).where('expiresAt', '<=', new Date(now)).execute();
  const row = { accountId, userId, key: digest, request: asked, startedAt: new Date(now), expiresAt: new Date(now + KEPT_MS) };
  const begun = await query.insertInto('idempotencyKeys').values(row).onConflict((conflict) => conflict.doNothing()).returning('key').executeTakeFirst();
  if (begun !== undefined) return undefined;
  const before = await query.selectFrom('idempotencyKeys').select(['request', 'answer', 'startedAt']).where('userId', '=', userId).where('key', '=', digest).executeTakeFirst();
  if (before === undefined) throw inProgress();
  if (!sameDigest(before.request, asked)) throw new HoldfastError('accounts/key-reused', 'input', 'This Idempotency-Key was sent with another request before. Take a new key for each thing that you want.');
  if (before.answer !== null) return JSON.parse(unseal(keys, purposeOf(userId, digest), before.answer)) as KeptAnswer;
  if (now - before.startedAt.getTime() < AT_WORK_MS) throw inProgress();
  throw new HoldfastError('accounts/outcome-unknown', 'input', 'The first request with this Idempotency-Key broke off. Look whether what it asked for is there; if not, ask again with another key.');
}

/** Keeps what the request was answered. */
export async function keepAnswer({ database, keys, random }: AccountsContext, { principal, key }: KeyOfRequest, answer: KeptAnswer): Promise<void> {
  const digest = digestOf(key);
  const sealed = seal(keys, purposeOf(principal.userId, digest), JSON.stringify(answer), random);
  await database.query.updateTable('idempotencyKeys').set({ answer: sealed }).where('userId', '=', principal.userId).where('key', '=', digest).execute();
}

/** The request was refused, so nothing was done: it may be sent again. */
export async function forgetKey({ database }: AccountsContext, { principal, key }: KeyOfRequest): Promise<void> {
  await database.query.deleteFrom('idempotencyKeys').where('userId', '=', principal.userId).where('key', '=', digestOf(key)).execute();
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function purposeOf(userId: string, digest: Buffer): string {
  return `answer ${userId} ${digest.toString('hex')}`;
}

function inProgress(): HoldfastError {
  return new HoldfastError('accounts/in-progress', 'input', 'The first request with this Idempotency-Key is still at work. Ask again in a second.', { data: { retryAfterMs: 1_000 } });
}
