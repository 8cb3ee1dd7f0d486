import { createHmac, timingSafeEqual } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Tables } from '../database/index.ts';
import type { Principal } from '../domain/index.ts';
import type { AccountsContext, Origin } from './accountsContext.ts';

/** Facts of an entry, by name. */
export type AuditDetails = Readonly<Record<string, string | number | boolean | null>>;

/** What is to be noted. Nothing secret, and nothing of what customers keep. */
export interface AuditNote {
  readonly accountId: string;
  /** 'sign-in.succeeded', 'token.made', … */
  readonly kind: string;
  /** Who did it; undefined: the service. */
  readonly actor: { readonly id: string; readonly name: string } | undefined;
  readonly origin: Origin | undefined;
  readonly details?: AuditDetails;
}

/** An entry as it is read. */
export interface AuditEntry {
  readonly seq: number;
  readonly at: Date;
  readonly kind: string;
  readonly actorName: string;
  readonly address: string | null;
  readonly agent: string | null;
  readonly details: AuditDetails;
}

/** Told to who listens: the account, with the number of an audit entry or the id of an activity. */
export const FEED_CHANNEL = 'holdfast_activity';
/** Who did what nobody asked for. */
export const SERVICE_NAME = 'Holdfast';
const MOST_TEXT = 300;
const NONE = Buffer.alloc(0);

/** The caller, as an entry names them. */
export function actorOf({ userId, name }: Pick<Principal, 'userId' | 'name'>): { id: string; name: string } {
  return { id: userId, name };
}

/**
 * Adds an entry to the account's chain. Give the transaction that the noted change is part of: then neither is without
 * the other. Entries of one account wait for each other.
 */
export async function appendAudit(context: Pick<AccountsContext, 'keys' | 'clock'>, query: Kysely<Tables>, note: AuditNote): Promise<void> {
  const { accountId } = note;
  await query.insertInto('auditHeads').values({ accountId, seq: 0, digest: NONE, seal: NONE }).onConflict((conflict) => conflict.doNothing()).execute();
  const head = await query.selectFrom('auditHeads').select(['seq', 'digest']).where('accountId', '=', accountId).forUpdate().executeTakeFirstOrThrow();
  const entry = {
    accountId, seq: head.seq + 1, at: new Date(context.clock.now()), kind: note.kind,
    actorId: note.actor?.id ?? null, actorName: cleanText(note.actor?.name) ?? SERVICE_NAME,
    address: cleanText(note.origin?.address), agent: cleanText(note.origin?.agent), details: cleanDetails(note.details ?? {}),
  };
  const digest = digestOf(context.keys.audit, head.digest, entry);
  await query.insertInto('auditEntries').values({ ...entry, details: JSON.stringify(entry.details), digest }).execute();
  await query.updateTable('auditHeads').set({ seq: entry.seq, digest, seal: sealOf(context.keys.audit, accountId, entry.seq, digest) }).where('accountId', '=', accountId).execute();
  await sql`select pg_notify(${FEED_CHANNEL}, ${JSON.stringify({ accountId, seq: entry.seq })})`.execute(query);
}

/** The same with a transaction of its own. */
export async function noteAudit(context: AccountsContext, note: AuditNote): Promise<void> {
  await context.database.query.transaction().execute((transaction) => appendAudit(context, transaction, note));
}

interface Chained {
  readonly accountId: string;
  readonly seq: number;
  readonly at: Date;
  readonly kind: string;
  readonly actorId: string | null;
  readonly actorName: string;
  readonly address: string | null;
  readonly agent: string | null;
  readonly details: AuditDetails;
}

/** Covers every field and the entry before. Details in the order of their names: the database keeps another one. */
export function digestOf(key: Buffer, before: Buffer, entry: Chained): Buffer {
  const { accountId, seq, at, kind, actorId, actorName, address, agent, details } = entry;
  const sorted = Object.entries(details).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([accountId, seq, at.toISOString(), kind, actorId, actorName, address, agent, sorted]);
  return createHmac('sha256', key).update(before).update(text).digest();
}

/** Of the head: that an entry is the last one cannot be told from the entry alone. */
export function sealOf(key: Buffer, accountId: string, seq: number, digest: Buffer): Buffer {
  return createHmac('sha256', key).update(`head ${JSON.stringify([accountId, seq])}`).update(digest).digest();
}

/** Compares without telling by its time how much is alike. */
export function sameDigest(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What the database takes, and no more of it than a line. */
export function cleanText(text: string | undefined): string | null {
  return text === undefined ? null : text.toWellFormed().replaceAll('\0', '').slice(0, MOST_TEXT).toWellFormed();
}

/** The same for each of them. */
export function cleanDetails(details: AuditDetails): AuditDetails {
  return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, typeof value === 'string' ? cleanText(value) : value]));
}
