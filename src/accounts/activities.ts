import { sql, type Kysely } from 'kysely';
import type { Tables } from '../database/index.ts';
import type { ActivityStatus } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { cleanDetails, cleanText, FEED_CHANNEL, SERVICE_NAME, type AuditDetails } from './audit.ts';
import type { AccountsContext } from './accountsContext.ts';

/** What is known of something that runs or has ended. What is left out stays as it is. */
export interface ActivityResult {
  readonly storedBytes?: number;
  /** How many entities it was about. */
  readonly entities?: number;
  /** A sentence for a person. Nothing secret, and nothing of what customers keep. */
  readonly summary?: string;
  /** Counts and other facts, by name; they take the place of those before. */
  readonly details?: AuditDetails;
}

/** Something that is done, or was done, for a customer. */
export interface ActivityNote extends ActivityResult {
  readonly accountId: string;
  /** What: 'backup', 'discovery', 'task.made', … Small letters, '.' and '-'. */
  readonly kind: string;
  readonly status: ActivityStatus;
  /** Id of the service that it is about. Who may not see that service does not see this. */
  readonly service?: string | undefined;
  readonly subService?: string | undefined;
  readonly task?: { readonly id: string; readonly name: string } | undefined;
  /** What of the task: an entity. */
  readonly entity?: { readonly id: string; readonly name: string } | undefined;
  /** Who began it; undefined: the service. */
  readonly actor: { readonly id: string; readonly name: string } | undefined;
  /** Now unless given. */
  readonly startedAt?: Date;
}

/** Of the account that it belongs to. */
export interface ActivityKey {
  readonly accountId: string;
  readonly id: string;
}

/** Notes an activity and gives its id. Give the transaction that it is part of, where there is one. One that ran to its end already is noted with how it ended. */
export async function noteActivity({ clock, random }: Pick<AccountsContext, 'clock' | 'random'>, query: Kysely<Tables>, note: ActivityNote): Promise<string> {
  const { accountId, kind, status, service, subService, task, entity, actor } = note;
  const now = clock.now();
  const id = timeOrderedId(now, random);
  await query.insertInto('activities').values({
    id, accountId, kind, status, startedAt: note.startedAt ?? new Date(now), endedAt: endOf(status, now), service, subService,
    taskId: task?.id, taskName: cleanText(task?.name), entityId: entity?.id, entityName: cleanText(entity?.name),
    actorId: actor?.id, actorName: cleanText(actor?.name) ?? SERVICE_NAME, ...resultRow(note),
  }).execute();
  await tell(query, { accountId, id });
  return id;
}

/** Tells how it stands now. One that has ended stays as it is: false. */
export async function changeActivity(
  { clock }: Pick<AccountsContext, 'clock'>, query: Kysely<Tables>, key: ActivityKey, change: ActivityResult & { readonly status: ActivityStatus },
): Promise<boolean> {
  const { accountId, id } = key;
  const changed = await query.updateTable('activities').set({ status: change.status, endedAt: endOf(change.status, clock.now()), ...resultRow(change) })
    .where('id', '=', id).where('accountId', '=', accountId).where('endedAt', 'is', null).returning('id').executeTakeFirst();
  if (changed === undefined) return false;
  await tell(query, key);
  return true;
}

function endOf(status: ActivityStatus, now: number): Date | null {
  return status === 'pending' || status === 'running' ? null : new Date(now);
}

function resultRow({ storedBytes, entities, summary, details }: ActivityResult) {
  return {
    ...(storedBytes !== undefined && { storedBytes }), ...(entities !== undefined && { entities }), ...(summary !== undefined && { summary: cleanText(summary) }),
    ...(details !== undefined && { details: JSON.stringify(cleanDetails(details)) }),
  };
}

async function tell(query: Kysely<Tables>, { accountId, id }: ActivityKey): Promise<void> {
  await sql`select pg_notify(${FEED_CHANNEL}, ${JSON.stringify({ accountId, activity: id })})`.execute(query);
}
