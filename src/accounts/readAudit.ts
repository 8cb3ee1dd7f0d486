import { sql, type SelectQueryBuilder } from 'kysely';
import type { Tables } from '../database/index.ts';
import type { Viewer } from '../domain/index.ts';
import type { AuditEntry } from './audit.ts';
import type { AccountsContext } from './accountsContext.ts';
import { containing, inServices } from './inServices.ts';

/** What of an account's log is asked for. Lists: any of them. */
export interface AuditFilter {
  readonly kinds?: readonly string[] | undefined;
  /** Ids of the services that entries are about. */
  readonly services?: readonly string[] | undefined;
  readonly status?: 'succeeded' | 'failed' | undefined;
  /** Name of the task. */
  readonly task?: string | undefined;
  readonly performedBy?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** Part of any field. */
  readonly text?: string | undefined;
}

const COLUMNS = ['seq', 'at', 'kind', 'actorName', 'address', 'agent', 'details'] as const;
/** Where an entry is about a service or a task, these details name them. */
const SERVICE = sql`(details->>'service')`;
const TASK = sql`(details->>'task')`;

/** Newest first or oldest first, those behind the entry `after` in that order; one question a page, over the primary key. */
export async function pageOfAudit(
  { database }: AccountsContext, viewer: Viewer, filter: AuditFilter, page: { after?: number | undefined; order: 'newest' | 'oldest'; limit: number },
): Promise<AuditEntry[]> {
  const newest = page.order === 'newest';
  let query = filtered(database.query.selectFrom('auditEntries').where('accountId', '=', viewer.accountId), viewer, filter);
  if (page.after !== undefined) query = query.where('seq', newest ? '<' : '>', page.after);
  return query.select(COLUMNS).orderBy('seq', newest ? 'desc' : 'asc').limit(page.limit).execute();
}

function filtered<T>(query: SelectQueryBuilder<Tables, 'auditEntries', T>, viewer: Viewer, filter: AuditFilter): SelectQueryBuilder<Tables, 'auditEntries', T> {
  const { kinds, services, status, task, performedBy, from, to, text } = filter;
  let found = query.where(inServices(viewer, SERVICE));
  if (kinds !== undefined) found = found.where('kind', 'in', kinds);
  if (services !== undefined) found = found.where(sql<boolean>`${SERVICE} = any(${[...services]}::text[])`);
  if (status !== undefined) found = found.where('kind', status === 'failed' ? 'like' : 'not like', '%.failed');
  if (task !== undefined) found = found.where(sql<boolean>`${TASK} = ${task}`);
  if (performedBy !== undefined) found = found.where('actorName', '=', performedBy);
  if (from !== undefined) found = found.where('at', '>=', from);
  if (to !== undefined) found = found.where('at', '<', to);
  if (text !== undefined) found = found.where(sql<boolean>`concat_ws(' ', kind, actor_name, address, agent, details::text) ilike ${containing(text)}`);
  return found;
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
export async function* auditUpTo({ database }: AccountsContext, viewer: Viewer, filter: AuditFilter, until: number): AsyncGenerator<AuditEntry[]> {
  for (let after = 0; after < until;) {
    const batch = await filtered(database.query.selectFrom('auditEntries').where('accountId', '=', viewer.accountId), viewer, filter).select(COLUMNS)
      .where('seq', '>', after).where('seq', '<=', until).orderBy('seq').limit(BATCH).execute();
    const last = batch.at(-1);
    if (last === undefined) return;
    yield batch;
    after = last.seq;
  }
}
