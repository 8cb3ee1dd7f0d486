import { HoldfastError } from '../domain/index.ts';
import { appendAudit } from './audit.ts';
import type { AccountsContext } from './accountsContext.ts';
import { operatorResetLetter } from './letters.ts';
import type { Outbox } from './outbox.ts';

/** As the audit log names who runs the service. */
const OPERATOR = { id: 'operator', name: 'Operator of the service' };

/** Whose second factor was taken off. */
export interface ResetUser {
  readonly userId: string;
  readonly accountId: string;
  readonly email: string;
  readonly role: string;
  /** Sessions that were ended. */
  readonly sessions: number;
  /** How many people of the account were told. */
  readonly told: number;
}

/**
 * Takes the second factor off a user who has lost it with all recovery codes, also off an owner, for whom nobody of the account can. Ends their sessions; the password stays, and is asked for as before. The user, the owner
 * and all administrators are told, and the account's audit log has it. Errors: `accounts/not-found`, `accounts/conflict` where there is no second factor.
 */
export async function resetSecondFactorAsOperator(context: AccountsContext, outbox: Outbox, email: string): Promise<ResetUser> {
  return context.database.query.transaction().execute(async (transaction) => {
    const user = await transaction.selectFrom('users').innerJoin('members', 'members.userId', 'users.id')
      .select(['users.id', 'users.name', 'users.email', 'users.twoFactorEnabled', 'members.accountId', 'members.role']).where('users.email', '=', email.toLowerCase()).forUpdate().executeTakeFirst();
    if (user === undefined) throw new HoldfastError('accounts/not-found', 'input', 'No user signs in with this address. Look at how it is written; a new address counts once it was confirmed.');
    if (!user.twoFactorEnabled) throw new HoldfastError('accounts/conflict', 'input', 'This user has no second factor: e-mail address and password are enough to sign in.');
    await transaction.updateTable('users').set({ twoFactorEnabled: false }).where('id', '=', user.id).execute();
    await transaction.deleteFrom('twoFactors').where('userId', '=', user.id).execute();
    const { numDeletedRows: sessions } = await transaction.deleteFrom('sessions').where('userId', '=', user.id).executeTakeFirst();
    const people = await transaction.selectFrom('members').innerJoin('users', 'users.id', 'members.userId').select(['users.name', 'users.email'])
      .where('members.accountId', '=', user.accountId).where((on) => on.or([on('members.role', 'in', ['owner', 'administrator']), on('users.id', '=', user.id)])).execute();
    for (const person of people) await outbox.put(person.email, operatorResetLetter(person.name, user.email), transaction);
    await appendAudit(context, transaction, { accountId: user.accountId, kind: 'two-factor.reset', actor: OPERATOR, origin: undefined, details: { user: user.id, email: user.email, method: 'command of the operator' } });
    return { userId: user.id, accountId: user.accountId, email: user.email, role: user.role, sessions: Number(sessions), told: people.length };
  });
}
