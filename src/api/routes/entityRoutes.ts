import {
  ACTIVATE, applyTags, changeEntities, countEntities, deleteEntities, deleteTag, keepEntities, limit as limitDeed, listTags, makeTag, pageOfEntities, PAUSE, type EntityFilter,
} from '../../tasks/index.ts';
import { callerOf, implementer } from '../implementer.ts';
import { listPage, readKey } from '../keyedPage.ts';
import { entityDocument } from '../presentTasks.ts';
import { InvalidInput } from '../problem.ts';

const os = implementer.entities;
const tags = implementer.tags;

export const entityRoutes = {
  list: os.list.handler(async ({ input: { id, cursor, limit, sort, order, ...question }, context }) => {
    const [value, last] = readKey(cursor);
    const after = value === undefined || last === undefined ? undefined : { value, id: last };
    if (value !== undefined && !fits(sort, value)) throw new InvalidInput([{ path: 'cursor', message: 'not one of this order' }]);
    const found = await pageOfEntities(context.services.tasks, callerOf(context), id, filterOf(question), { sort, order, after, limit: limit + 1 });
    return listPage(found, limit, entityDocument, ({ key }) => [key.value, key.id]);
  }),

  count: os.count.handler(async ({ input: { id, ...question }, context }) => countEntities(context.services.tasks, callerOf(context), id, filterOf(question))),

  activate: os.activate.handler(({ input: { id, selection }, context }) =>
    changeEntities(context.services.tasks, callerOf(context), context.origin, id, selection, ACTIVATE)),

  pause: os.pause.handler(({ input: { id, selection }, context }) => changeEntities(context.services.tasks, callerOf(context), context.origin, id, selection, PAUSE)),

  delete: os.delete.handler(async ({ input: { id, selection }, context }) => {
    const { goneAt, ...changed } = await deleteEntities(context.services.tasks, callerOf(context), context.origin, id, selection);
    return { ...changed, goneAt: goneAt.toISOString() };
  }),

  keep: os.keep.handler(({ input: { id, selection }, context }) => keepEntities(context.services.tasks, callerOf(context), context.origin, id, selection)),

  tag: os.tag.handler(({ input: { id, selection, add, remove }, context }) =>
    applyTags(context.services.tasks, callerOf(context), context.origin, id, selection, { add, remove })),

  limit: os.limit.handler(({ input: { id, selection, limited }, context }) =>
    changeEntities(context.services.tasks, callerOf(context), context.origin, id, selection, limitDeed(limited))),
};

export const tagRoutes = {
  list: tags.list.handler(async ({ input, context }) => ({ items: await listTags(context.services.tasks, callerOf(context), input.search) })),
  make: tags.make.handler(({ input, context }) => makeTag(context.services.tasks, callerOf(context), input.name)),
  delete: tags.delete.handler(({ input, context }) => deleteTag(context.services.tasks, callerOf(context), context.origin, input.id)),
};

interface Question {
  readonly search?: string | undefined;
  readonly status?: EntityFilter['statuses'];
  readonly licence?: EntityFilter['licences'];
  readonly kind?: EntityFilter['kinds'];
  readonly tag?: EntityFilter['tags'];
  readonly elsewhere?: boolean | undefined;
  readonly limited?: boolean | undefined;
  readonly attributes?: EntityFilter['attributes'];
}

function filterOf({ status, licence, kind, tag, ...filter }: Question): EntityFilter {
  return { ...filter, statuses: status, licences: licence, kinds: kind, tags: tag };
}

/** The database reads the value of a cursor as the type of its column. */
function fits(sort: string, value: string): boolean {
  if (sort === 'bytes') return /^\d{1,15}$/.test(value);
  return sort !== 'lastBackup' || /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?\+00$/.test(value);
}
