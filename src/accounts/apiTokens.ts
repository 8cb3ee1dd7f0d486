import { createHash } from 'node:crypto';
import { HoldfastError, type Principal } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { actorOf, appendAudit } from './audit.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';

/** Begins every token, so that scanners for lost secrets know one. */
const MARK = 'holdfast_';
const SECRET_BYTES = 32;
const DAY_MS = 86_400_000;
const MOST_TOKENS = 100;
/** The time of last use is noted this often at most. */
const USE_NOTED_MS = 60_000;

/** A token without its secret. */
export interface TokenInfo {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | null;
}

const COLUMNS = ['id', 'name', 'scopes', 'createdAt', 'expiresAt', 'lastUsedAt'] as const;

/** The token itself is in the answer, and nowhere else. */
export async function makeToken(
  context: AccountsContext, principal: Principal, origin: Origin, wanted: { name: string; scopes: readonly string[]; days: number },
): Promise<TokenInfo & { token: string }> {
  const { clock, random, database } = context;
  const now = clock.now();
  const token = MARK + random(SECRET_BYTES).toString('base64url');
  const row = {
    id: timeOrderedId(now, random), accountId: principal.accountId, userId: principal.userId, name: wanted.name,
    digest: digestOf(token), scopes: [...new Set(wanted.scopes)], expiresAt: new Date(now + wanted.days * DAY_MS), createdAt: new Date(now),
  };
  await database.query.transaction().execute(async (transaction) => {
    const standing = await transaction.selectFrom('apiTokens').select(({ fn }) => fn.countAll<number>().as('count'))
      .where('userId', '=', principal.userId).where('revokedAt', 'is', null).where('expiresAt', '>', new Date(now)).executeTakeFirstOrThrow();
    if (standing.count >= MOST_TOKENS) {
      throw new HoldfastError('accounts/conflict', 'input', `You have ${MOST_TOKENS} tokens already. Revoke those that are not used any more.`);
    }
    await transaction.insertInto('apiTokens').values(row).execute();
    await appendAudit(context, transaction, {
      accountId: principal.accountId, kind: 'token.made', actor: actorOf(principal), origin, details: { token: row.id, name: row.name, scopes: row.scopes.join(' ') },
    });
  });
  return { ...row, lastUsedAt: null, token };
}

/** Those of the user that are not revoked, newest first; those that ran out too. `before` is the id of the last one of the page before. */
export async function listTokens({ database }: AccountsContext, { userId }: Principal, before: string | undefined, limit: number): Promise<TokenInfo[]> {
  let query = database.query.selectFrom('apiTokens').select(COLUMNS).where('userId', '=', userId).where('revokedAt', 'is', null);
  if (before !== undefined) query = query.where('id', '<', before);
  return query.orderBy('id', 'desc').limit(limit).execute();
}

/** Errors: `accounts/not-found`, also for a token of somebody else. */
export async function revokeToken(context: AccountsContext, principal: Principal, origin: Origin, id: string): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    const revoked = await transaction.updateTable('apiTokens').set({ revokedAt: new Date(context.clock.now()) })
      .where('id', '=', id).where('userId', '=', principal.userId).where('revokedAt', 'is', null).returning('id').executeTakeFirst();
    if (revoked === undefined) throw new HoldfastError('accounts/not-found', 'input', 'You have no such token.');
    await appendAudit(context, transaction, { accountId: principal.accountId, kind: 'token.revoked', actor: actorOf(principal), origin, details: { token: id } });
  });
}

/** Whose token it is, with what it may; undefined for one that is unknown, revoked or out of date. */
export async function findToken({ database, clock }: AccountsContext, token: string): Promise<{ userId: string; tokenId: string; scopes: string[] } | undefined> {
  if (!token.startsWith(MARK) || token.length > 100) return undefined;
  const now = clock.now();
  const found = await database.query.selectFrom('apiTokens').select(['id', 'userId', 'scopes', 'lastUsedAt'])
    .where('digest', '=', digestOf(token)).where('revokedAt', 'is', null).where('expiresAt', '>', new Date(now)).executeTakeFirst();
  if (found === undefined) return undefined;
  if (found.lastUsedAt === null || now - found.lastUsedAt.getTime() > USE_NOTED_MS) {
    await database.query.updateTable('apiTokens').set({ lastUsedAt: new Date(now) }).where('id', '=', found.id).execute();
  }
  return { userId: found.userId, tokenId: found.id, scopes: found.scopes };
}

/** 256 random bits need no slow hash. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
