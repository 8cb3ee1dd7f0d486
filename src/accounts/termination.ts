import { sql } from 'kysely';
import { HoldfastError, type Principal } from '../domain/index.ts';
import { actorOf, appendAudit } from './audit.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { goneLetter, reactivatedLetter, terminatedLetter } from './letters.ts';
import type { Outbox } from './outbox.ts';

const GRACE_MS = 7 * 86_400_000;
const ENTITY_BATCH = 5_000;
/** The audit chain of the service itself: an account that is gone has none any more. No account has this id. */
const SERVICE_CHAIN = 'service';

/** Gives the account up; all of it goes after the grace. Gives when. Errors: `accounts/conflict` where that was done already. */
export async function terminateAccount(context: AccountsContext, outbox: Outbox, publicUrl: string, principal: Principal, origin: Origin): Promise<Date> {
  const now = context.clock.now();
  const goneAt = new Date(now + GRACE_MS);
  const { accountId } = principal;
  await context.database.query.transaction().execute(async (transaction) => {
    const account = await transaction.updateTable('accounts').set({ terminatedAt: new Date(now), goneAt })
      .where('id', '=', accountId).where('terminatedAt', 'is', null).returning('company').executeTakeFirst();
    if (account === undefined) throw new HoldfastError('accounts/conflict', 'input', 'The account is terminated already.');
    await outbox.put(principal.email, terminatedLetter(principal.name, account.company, goneAt, publicUrl), transaction);
    await appendAudit(context, transaction, { accountId, kind: 'account.terminated', actor: actorOf(principal), origin, details: { goneAt: goneAt.toISOString() } });
  });
  return goneAt;
}

/** Takes that back. Errors: `accounts/conflict` where there is nothing to take back, or it is too late. */
export async function reactivateAccount(context: AccountsContext, outbox: Outbox, principal: Principal, origin: Origin): Promise<void> {
  const { accountId } = principal;
  await context.database.query.transaction().execute(async (transaction) => {
    const account = await transaction.updateTable('accounts').set({ terminatedAt: null, goneAt: null })
      .where('id', '=', accountId).where('goneAt', '>', new Date(context.clock.now())).returning('company').executeTakeFirst();
    if (account === undefined) throw new HoldfastError('accounts/conflict', 'input', 'The account is not terminated, or its time is over.');
    await outbox.put(principal.email, reactivatedLetter(principal.name, account.company), transaction);
    await appendAudit(context, transaction, { accountId, kind: 'account.reactivated', actor: actorOf(principal), origin });
  });
}

/** Erases the accounts whose grace is over, each in a transaction of its own, and gives how many. Several processes may do this at once. */
export async function eraseGone(context: AccountsContext, outbox: Outbox, signal: AbortSignal): Promise<number> {
  for (let erased = 0; ; erased++) {
    if (signal.aborted || !await eraseOne(context, outbox)) return erased;
  }
}

/** False where none is due. */
function eraseOne(context: AccountsContext, outbox: Outbox): Promise<boolean> {
  return context.database.query.transaction().execute(async (transaction) => {
    const account = await transaction.selectFrom('accounts').select(['id', 'location', 'terminatedAt']).where('goneAt', '<=', new Date(context.clock.now()))
      .orderBy('goneAt').limit(1).forUpdate().skipLocked().executeTakeFirst();
    if (account === undefined) return false;
    const { id } = account;
    const members = transaction.selectFrom('members').select('userId').where('accountId', '=', id);
    const owner = await transaction.selectFrom('users').innerJoin('members', 'members.userId', 'users.id').select(['users.name', 'users.email'])
      .where('members.accountId', '=', id).where('members.role', '=', 'owner').executeTakeFirst();
    await transaction.deleteFrom('outbox').where('recipient', 'in', transaction.selectFrom('users').select('email').where('id', 'in', members)).execute();
    await transaction.deleteFrom('verifications').where('value', 'in', members).execute();
    const { numDeletedRows: users } = await transaction.deleteFrom('users').where('id', 'in', members).executeTakeFirst();
    await deleteEntities(transaction, id);
    await transaction.deleteFrom('accounts').where('id', '=', id).execute();
    await sql`select set_config('holdfast.erasing', ${id}, true)`.execute(transaction);
    const { numDeletedRows: entries } = await transaction.deleteFrom('auditEntries').where('accountId', '=', id).executeTakeFirst();
    await transaction.deleteFrom('auditHeads').where('accountId', '=', id).execute();
    if (owner !== undefined) await outbox.put(owner.email, goneLetter(owner.name), transaction);
    await appendAudit(context, transaction, {
      accountId: SERVICE_CHAIN, kind: 'account.erased', actor: undefined, origin: undefined,
      details: { account: id, location: account.location, terminatedAt: account.terminatedAt?.toISOString() ?? null, users: Number(users), auditEntries: Number(entries) },
    });
    return true;
  });
}

/** There may be very many: all at once would take longer than a question may. */
async function deleteEntities(transaction: AccountsContext['database']['query'], accountId: string): Promise<void> {
  for (;;) {
    const some = transaction.selectFrom('entities').select('id').where('accountId', '=', accountId).limit(ENTITY_BATCH);
    const { numDeletedRows } = await transaction.deleteFrom('entities').where('id', 'in', some).executeTakeFirst();
    if (numDeletedRows === 0n) return;
  }
}
