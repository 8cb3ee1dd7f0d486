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

const MOST = 200;

/** Those of the user that stand, newest first. */
export async function listSessions({ database, clock }: AccountsContext, { userId }: Principal): Promise<SessionInfo[]> {
  return database.query.selectFrom('sessions').select(['id', 'createdAt', 'expiresAt', 'ipAddress', 'userAgent'])
    .where('userId', '=', userId).where('expiresAt', '>', new Date(clock.now())).orderBy('createdAt', 'desc').limit(MOST).execute();
}

/** Errors: `accounts/not-found`, also for a session of somebody else. */
export async function endSession(context: AccountsContext, principal: Principal, origin: Origin, id: string): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    const ended = await transaction.deleteFrom('sessions').where('id', '=', id).where('userId', '=', principal.userId).returning('id').executeTakeFirst();
    if (ended === undefined) throw new HoldfastError('accounts/not-found', 'input', 'You have no such session.');
    await appendAudit(context, transaction, { accountId: principal.accountId, kind: 'session.ended', actor: actorOf(principal), origin });
  });
}
