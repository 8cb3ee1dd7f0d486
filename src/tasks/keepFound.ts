import { sql } from 'kysely';
import type { FoundEntity } from '../connectors/offer.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { cleanLine, fold } from './fold.ts';
import { activatedByRule } from './rules.ts';
import type { Query, TasksContext } from './tasksContext.ts';

/** Entities that one statement changes: many times as many take longer than a question may. */
const BATCH = 5_000;

/** A task whose entities are being read. */
export interface Reading {
  readonly id: string;
  readonly accountId: string;
  readonly service: string;
  /** Names this run, and is the id of its activity: what it has not seen in the end is gone. */
  readonly run: string;
}

/** What a run found. */
export interface Found {
  readonly seen: number;
  readonly added: number;
  readonly returned: number;
  /** Of those that were added, by rules. */
  readonly activated: number;
}

/**
 * Keeps a batch of what the provider lists: new ones are inactive, or active where a rule says so; archived ones that came back are again what they
 * were. Two statements, however many there are.
 */
export async function keepFound({ clock, random }: TasksContext, transaction: Query, { id, accountId, service, run }: Reading, batch: readonly FoundEntity[]): Promise<Found> {
  // A list that changes while it is read may name one twice.
  const unique = [...new Map(batch.map((one) => [one.reference, one])).values()];
  const now = new Date(clock.now());
  const names = unique.map(({ name }) => cleanLine(name));
  const addresses = unique.map(({ address }) => cleanLine(address));
  const references = unique.map(({ reference }) => reference);
  const { rows: [before] } = await sql<{ returned: number }>`
    select count(*) as returned from entities where task_id = ${id} and state = 'archived' and reference = any(${references}::text[])`.execute(transaction);
  const { rows } = await sql<{ added: boolean; active: boolean }>`
    insert into entities as e (id, account_id, task_id, service, reference, name, name_order, address, address_order, kind, licence, attributes, state, created_at, seen_run)
    select f.id, ${accountId}, ${id}, ${service}, f.reference, f.name, f.name_order, f.address, f.address_order, f.kind, f.licence, f.attributes,
      case when ${activatedByRule(id)} then 'active' else 'inactive' end, ${now}, ${run}
    from (select u.*, u.said::jsonb as attributes from unnest(${unique.map(() => timeOrderedId(clock.now(), random))}::text[], ${references}::text[], ${names}::text[], ${names.map(fold)}::text[],
      ${addresses}::text[], ${addresses.map(fold)}::text[], ${unique.map(({ kind }) => kind)}::text[], ${unique.map(licenceOf)}::text[], ${unique.map(saidOf)}::text[])
      as u (id, reference, name, name_order, address, address_order, kind, licence, said)) f
    on conflict (task_id, reference) do update set name = excluded.name, name_order = excluded.name_order, address = excluded.address, address_order = excluded.address_order,
      kind = excluded.kind, licence = excluded.licence, attributes = excluded.attributes, seen_run = excluded.seen_run, state = coalesce(e.state_before, e.state), state_before = null, archived_at = null
    returning (xmax = 0) as added, e.state = 'active' as active`.execute(transaction);
  const added = rows.filter((row) => row.added);
  return { seen: unique.length, added: added.length, returned: before?.returned ?? 0, activated: added.filter(({ active }) => active).length };
}

/** After the last batch: what was not seen is gone at the provider. What was never more than listed goes here, too; the others are archived. Gives how many were. */
export async function archiveUnseen({ clock }: TasksContext, transaction: Query, { id, run }: Reading): Promise<number> {
  await all(async () => sql`
    delete from entities where id in (select e.id from entities e where e.task_id = ${id} and e.seen_run <> ${run} and e.state = 'inactive' and e.last_backup_at is null and not e.limited
      and not exists (select 1 from entity_tags et where et.entity_id = e.id) limit ${BATCH})`.execute(transaction));
  return all(async () => sql`
    update entities set state_before = state, state = 'archived', archived_at = ${new Date(clock.now())}, running = false
    where id in (select id from entities where task_id = ${id} and seen_run <> ${run} and state <> 'archived' limit ${BATCH})`.execute(transaction));
}

/** Until nothing is left to change; gives how many were. */
async function all(changeSome: () => Promise<{ readonly numAffectedRows?: bigint }>): Promise<number> {
  for (let changed = 0; ;) {
    const { numAffectedRows = 0n } = await changeSome();
    if (numAffectedRows === 0n) return changed;
    changed += Number(numAffectedRows);
  }
}

function licenceOf({ licensed }: FoundEntity): string {
  if (licensed === undefined) return 'none';
  return licensed ? 'licensed' : 'unlicensed';
}

/** As JSON, without what the database does not take. */
function saidOf({ attributes = {} }: FoundEntity): string {
  return JSON.stringify(Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, cleanLine(value)])));
}
