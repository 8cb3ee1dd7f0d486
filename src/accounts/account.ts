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
}

/** Errors: `accounts/not-found`. */
export async function showAccount({ database, locations }: AccountsContext, accountId: string): Promise<AccountInfo> {
  const row = await database.query.selectFrom('accounts').select(['id', 'company', 'location', 'createdAt', 'trialEndsAt'])
    .where('id', '=', accountId).executeTakeFirst();
  if (row === undefined) throw new HoldfastError('accounts/not-found', 'input', 'There is no such account.');
  // A location that was taken out of the settings keeps its id.
  const name = locations.find(({ id }) => id === row.location)?.name ?? row.location;
  return { ...row, location: { id: row.location, name } };
}

/** Changes the name of the company, and nothing else of the account. */
export async function renameAccount(context: AccountsContext, principal: Principal, origin: Origin, company: string): Promise<AccountInfo> {
  await context.database.query.transaction().execute(async (transaction) => {
    await transaction.updateTable('accounts').set({ company }).where('id', '=', principal.accountId).execute();
    await appendAudit(context, transaction, { accountId: principal.accountId, kind: 'settings.changed', actor: actorOf(principal), origin, details: { company } });
  });
  return showAccount(context, principal.accountId);
}
