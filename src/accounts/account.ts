import { HoldfastError, type Principal } from '../domain/index.ts';
import { actorOf, appendAudit } from './audit.ts';
import type { AccountsContext, Location, Origin } from './accountsContext.ts';

/** An account as its users see it. */
export interface AccountInfo {
  readonly id: string;
  readonly company: string;
  readonly location: Pick<Location, 'id' | 'name'>;
  readonly createdAt: Date;
  readonly trialEndsAt: Date | null;
  readonly security: AccountSecurity;
  /** Set once the account was given up: when all of it goes. */
  readonly goneAt: Date | null;
}

/** What holds for all users of an account. */
export interface AccountSecurity {
  readonly twoFactorEnforced: boolean;
  /** undefined: passwords do not expire. */
  readonly passwordDays: number | undefined;
}

/** Errors: `accounts/not-found`. */
export async function showAccount({ database, locations }: AccountsContext, accountId: string): Promise<AccountInfo> {
  const row = await database.query.selectFrom('accounts').select(['id', 'company', 'location', 'createdAt', 'trialEndsAt', 'twoFactorEnforced', 'passwordDays', 'goneAt'])
    .where('id', '=', accountId).executeTakeFirst();
  if (row === undefined) throw new HoldfastError('accounts/not-found', 'input', 'There is no such account.');
  // A location that was taken out of the settings keeps its id.
  const name = locations.find(({ id }) => id === row.location)?.name ?? row.location;
  const { id, company, createdAt, trialEndsAt, goneAt, twoFactorEnforced, passwordDays } = row;
  return { id, company, createdAt, trialEndsAt, goneAt, location: { id: row.location, name }, security: { twoFactorEnforced, passwordDays: passwordDays ?? undefined } };
}

/** Changes the name of the company, and nothing else of the account. */
export async function renameAccount(context: AccountsContext, principal: Principal, origin: Origin, company: string): Promise<AccountInfo> {
  await context.database.query.transaction().execute(async (transaction) => {
    await transaction.updateTable('accounts').set({ company }).where('id', '=', principal.accountId).execute();
    await appendAudit(context, transaction, { accountId: principal.accountId, kind: 'settings.changed', actor: actorOf(principal), origin, details: { company } });
  });
  return showAccount(context, principal.accountId);
}

/**
 * Changes what holds for all users; it counts at once, for sessions that stand too. Errors: `accounts/conflict` where the caller would
 * lock themselves out, with no second factor of their own.
 */
export async function secureAccount(context: AccountsContext, principal: Principal, origin: Origin, { twoFactorEnforced, passwordDays }: AccountSecurity): Promise<AccountInfo> {
  const { accountId, userId } = principal;
  await context.database.query.transaction().execute(async (transaction) => {
    const own = await transaction.selectFrom('users').select('twoFactorEnabled').where('id', '=', userId).executeTakeFirst();
    if (twoFactorEnforced && own?.twoFactorEnabled !== true) {
      throw new HoldfastError('accounts/conflict', 'input', 'Set up a second factor for yourself first; then you can ask all users for one.');
    }
    await transaction.updateTable('accounts').set({ twoFactorEnforced, passwordDays: passwordDays ?? null }).where('id', '=', accountId).execute();
    await appendAudit(context, transaction, {
      accountId, kind: 'security.changed', actor: actorOf(principal), origin, details: { twoFactorEnforced, passwordDays: passwordDays ?? null },
    });
  });
  return showAccount(context, accountId);
}

/** Changes the caller's own name. */
export async function renameSelf(context: AccountsContext, principal: Principal, origin: Origin, name: string): Promise<void> {
  await context.database.query.transaction().execute(async (transaction) => {
    await transaction.updateTable('users').set({ name }).where('id', '=', principal.userId).execute();
    await appendAudit(context, transaction, { accountId: principal.accountId, kind: 'user.renamed', actor: actorOf(principal), origin, details: { name } });
  });
}
