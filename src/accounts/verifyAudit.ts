import type { Database } from '../database/index.ts';
import { digestOf, sameDigest, sealOf } from './audit.ts';
import type { ServiceKeys } from './serviceKeys.ts';

/** Where a chain breaks. */
export interface AuditBreak {
  readonly accountId: string;
  /** The first entry that is not as it was written, or is missing. */
  readonly seq: number;
  readonly what: 'changed' | 'missing' | 'cut off';
}

/** What a verification found. */
export interface AuditReport {
  readonly accounts: number;
  readonly entries: number;
  readonly breaks: readonly AuditBreak[];
}

const BATCH = 1_000;

/** Reads the whole audit log and proves each account's chain, from the first entry to the head. */
export async function verifyAudit(database: Database, keys: ServiceKeys, signal: AbortSignal): Promise<AuditReport> {
  const breaks: AuditBreak[] = [];
  let accounts = 0;
  let entries = 0;
  for (let after = '';;) {
    const ids = await accountsAfter(database, after);
    for (const accountId of ids) {
      const { read, broken } = await verifyChain(database, keys, accountId, signal);
      accounts++;
      entries += read;
      if (broken !== undefined) breaks.push(broken);
    }
    const last = ids.at(-1);
    if (last === undefined) return { accounts, entries, breaks };
    after = last;
  }
}

/** Those that have a head or an entry: a head may have been taken away. */
async function accountsAfter({ query }: Database, after: string): Promise<string[]> {
  const rows = await query.selectFrom('auditHeads').select('accountId').where('accountId', '>', after)
    .union(query.selectFrom('auditEntries').select('accountId').where('accountId', '>', after).distinct())
    .orderBy('accountId').limit(BATCH).execute();
  return rows.map(({ accountId }) => accountId);
}

/** The head is read first: entries that are written meanwhile come after it. */
async function verifyChain(database: Database, keys: ServiceKeys, accountId: string, signal: AbortSignal): Promise<{ read: number; broken?: AuditBreak }> {
  const head = await database.query.selectFrom('auditHeads').select(['seq', 'digest', 'seal']).where('accountId', '=', accountId).executeTakeFirst();
  const until = head?.seq ?? 0;
  let seq = 0;
  let digest: Buffer = Buffer.alloc(0);
  while (seq < until) {
    signal.throwIfAborted();
    const batch = await database.query.selectFrom('auditEntries').selectAll().where('accountId', '=', accountId)
      .where('seq', '>', seq).where('seq', '<=', until).orderBy('seq').limit(BATCH).execute();
    if (batch.length === 0) return { read: seq, broken: { accountId, seq: seq + 1, what: 'cut off' } };
    for (const entry of batch) {
      if (entry.seq !== seq + 1) return { read: seq, broken: { accountId, seq: seq + 1, what: 'missing' } };
      const expected = digestOf(keys.audit, digest, entry);
      if (!sameDigest(expected, entry.digest)) return { read: seq, broken: { accountId, seq: entry.seq, what: 'changed' } };
      seq = entry.seq;
      digest = entry.digest;
    }
  }
  if (head !== undefined && sameDigest(head.digest, digest) && sameDigest(head.seal, sealOf(keys.audit, accountId, seq, digest))) return { read: seq };
  return { read: seq, broken: { accountId, seq: seq + 1, what: 'cut off' } };
}
