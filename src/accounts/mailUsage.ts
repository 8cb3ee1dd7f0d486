import type { Principal } from '../domain/index.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';
import { actorOf, appendAudit } from './audit.ts';
import { usageLetter } from './letters.ts';
import type { Outbox } from './outbox.ts';

/** Mails the caller where the usage report is: the file is made when it is opened, by who may see it then. */
export async function mailUsage(context: AccountsContext, outbox: Outbox, principal: Principal, origin: Origin, url: string): Promise<void> {
  const { accountId, email, name } = principal;
  await context.database.query.transaction().execute(async (transaction) => {
    await outbox.put(email, usageLetter(name, url), transaction);
    await appendAudit(context, transaction, { accountId, kind: 'usage-report.mailed', actor: actorOf(principal), origin, details: { email } });
  });
}
