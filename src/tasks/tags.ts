import { sql } from 'kysely';
import { actorOf, appendAudit, type Origin } from '../accounts/index.ts';
import { HoldfastError, type Principal, type Viewer } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { selected, type Selection } from './entityFilter.ts';
import { containing, fold } from './fold.ts';
import { lockTask, taskDetails } from './taskRow.ts';
import type { TasksContext } from './tasksContext.ts';

/** A word that an account puts on entities. */
export interface Tag {
  readonly id: string;
  readonly name: string;
}

/** What belongs to Limited Access is no tag that anybody could take off. */
const RESERVED = fold('Limited Access');
const MOST_TAGS = 500;

/** By name. */
export async function listTags({ database }: TasksContext, { accountId }: Viewer, search: string | undefined): Promise<Tag[]> {
  let query = database.query.selectFrom('tags').select(['id', 'name']).where('accountId', '=', accountId);
  if (search !== undefined) query = query.where('nameOrder', 'like', containing(search));
  return query.orderBy('nameOrder').limit(MOST_TAGS).execute();
}

/** Errors: `tasks/exists`, `tasks/conflict` where there are too many. */
export async function makeTag({ database, clock, random }: TasksContext, { accountId }: Principal, name: string): Promise<Tag> {
  if (fold(name) === RESERVED) throw new HoldfastError('tasks/exists', 'input', 'Limited Access is no tag like others: the primary user sets it with a route of its own.');
  const { count } = await database.query.selectFrom('tags').select(({ fn }) => fn.countAll<number>().as('count')).where('accountId', '=', accountId).executeTakeFirstOrThrow();
  if (count >= MOST_TAGS) throw new HoldfastError('tasks/conflict', 'input', `The account has ${MOST_TAGS} tags already. Delete one that is not used any more.`);
  const tag = { id: timeOrderedId(clock.now(), random), name };
  const made = await database.query.insertInto('tags').values({ ...tag, accountId, nameOrder: fold(name), createdAt: new Date(clock.now()) })
    .onConflict((conflict) => conflict.constraint('tags_name').doNothing()).returning('id').executeTakeFirst();
  if (made === undefined) throw new HoldfastError('tasks/exists', 'input', 'The account has this tag already.');
  return tag;
}

/** Takes it off all entities, too. Errors: `tasks/not-found`. */
export async function deleteTag(context: TasksContext, principal: Principal, origin: Origin, id: string): Promise<void> {
  const { accountId } = principal;
  await context.database.query.transaction().execute(async (transaction) => {
    const gone = await transaction.deleteFrom('tags').where('id', '=', id).where('accountId', '=', accountId).returning('name').executeTakeFirst();
    if (gone === undefined) throw noSuchTag();
    await appendAudit(context, transaction, { accountId, kind: 'tag.deleted', actor: actorOf(principal), origin, details: { tag: gone.name } });
  });
}

/** Puts tags on chosen entities and takes others off them; gives how many are chosen. Errors: `tasks/not-found`, also for a tag of another account. */
export async function applyTags(
  context: TasksContext, principal: Principal, origin: Origin, taskId: string, selection: Selection, { add, remove }: { add: readonly string[]; remove: readonly string[] },
): Promise<{ chosen: number }> {
  const { accountId } = principal;
  const wanted = [...new Set([...add, ...remove])];
  return context.database.query.transaction().execute(async (transaction) => {
    const task = await lockTask(transaction, principal, taskId);
    const tags = wanted.length === 0 ? [] : await transaction.selectFrom('tags').select(['id', 'name']).where('accountId', '=', accountId).where('id', 'in', wanted).execute();
    if (tags.length < wanted.length) throw noSuchTag();
    const { rows: [row] } = await sql<{ chosen: number }>`
      with chosen as materialized (select e.id from entities e where ${selected(principal, taskId, selection)}),
      taken as (delete from entity_tags using chosen where entity_id = chosen.id and tag_id = any(${[...remove]}::text[]) and tag_id <> all(${[...add]}::text[])),
      put as (insert into entity_tags (entity_id, tag_id) select chosen.id, given from chosen, unnest(${[...add]}::text[]) as given on conflict do nothing)
      select count(*) as chosen from chosen`.execute(transaction);
    const chosen = row?.chosen ?? 0;
    const named = (ids: readonly string[]): string => tags.filter(({ id }) => ids.includes(id)).map(({ name }) => name).join(', ');
    await appendAudit(context, transaction, {
      accountId, kind: 'entities.tagged', actor: actorOf(principal), origin, details: { ...taskDetails(task), entities: chosen, added: named(add), removed: named(remove) },
    });
    return { chosen };
  });
}

function noSuchTag(): HoldfastError {
  return new HoldfastError('tasks/not-found', 'input', 'The account has no such tag.');
}
