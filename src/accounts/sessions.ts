import { HoldfastError, type Principal } from '../domain/index.ts';
import { actorOf, appendAudit } from './audit.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';

/** A session without its secret. */
export interface SessionInfo {
  readonly id: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
}

/** Those of the user that stand, newest first. `before` is the id of the last one of the page before. */
export async function listSessions({ database, clock }: AccountsContext, { userId }: Principal, before: string | undefined, limit: number): Promise<SessionInfo[]> {
  let query = database.query.selectFrom('sessions').select(['id', 'createdAt', 'expiresAt', 'ipAddress', 'userAgent'])
    .where('userId', '=', userId).where('expiresAt', '>', new Date(clock.now()));
  if (before !== undefined) query = query.where('id', '<', before);
  return query.orderBy('id', 'desc').limit(limit).execute();
}

/** Errors: `accounts/not-found`, also for a session of somebody else. */
export async function endSession(context: AccountsContext, principal: Principal, origin: Origin, id: string): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    const ended = await transaction.deleteFrom('sessions').where('id', '=', id).where('userId', '=', principal.userId).returning('id').executeTakeFirst();
    if (ended === undefined) throw new HoldfastError('accounts/not-found', 'input', 'You have no such session.');
    await appendAudit(context, transaction, { accountId: principal.accountId, kind: 'session.ended', actor: actorOf(principal), origin });
  });
}
