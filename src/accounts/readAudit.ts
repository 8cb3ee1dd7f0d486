import type { AuditEntry } from './audit.ts';
import type { AccountsContext } from './accountsContext.ts';

/** What of an account's log is asked for. */
export interface AuditFilter {
  readonly accountId: string;
  readonly kind?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

const COLUMNS = ['seq', 'at', 'kind', 'actorName', 'address', 'agent', 'details'] as const;

/** Newest first, those before the entry `before`; one question a page, over the primary key. */
export async function pageOfAudit({ database }: AccountsContext, filter: AuditFilter, before: number | undefined, limit: number): Promise<AuditEntry[]> {
  let query = database.query.selectFrom('auditEntries').select(COLUMNS).where('accountId', '=', filter.accountId);
  if (before !== undefined) query = query.where('seq', '<', before);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.from !== undefined) query = query.where('at', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('at', '<', filter.to);
  return query.orderBy('seq', 'desc').limit(limit).execute();
}

/** One entry by its number. */
export async function auditEntry({ database }: Pick<AccountsContext, 'database'>, accountId: string, seq: number): Promise<AuditEntry | undefined> {
  return database.query.selectFrom('auditEntries').select(COLUMNS).where('accountId', '=', accountId).where('seq', '=', seq).executeTakeFirst();
}

/** The newest entry's number and digest: both together name all that is up to there. */
export async function auditHead({ database }: AccountsContext, accountId: string, seq: number | undefined): Promise<{ seq: number; digest: Buffer } | undefined> {
  let query = database.query.selectFrom('auditEntries').select(['seq', 'digest']).where('accountId', '=', accountId);
  if (seq !== undefined) query = query.where('seq', '<=', seq);
  return query.orderBy('seq', 'desc').limit(1).executeTakeFirst();
}

const BATCH = 1_000;

/** Oldest first up to the entry `until`, in batches. */
export async function* auditUpTo({ database }: AccountsContext, accountId: string, until: number): AsyncGenerator<AuditEntry[]> {
  for (let after = 0; after < until;) {
    const batch = await database.query.selectFrom('auditEntries').select(COLUMNS).where('accountId', '=', accountId)
      .where('seq', '>', after).where('seq', '<=', until).orderBy('seq').limit(BATCH).execute();
    const last = batch.at(-1);
    if (last === undefined) return;
    yield batch;
    after = last.seq;
  }
}
