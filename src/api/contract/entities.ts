import { z } from 'zod';
import { ENTITY_SORTS, ENTITY_STATUSES, LICENCES } from '../../domain/index.ts';
import { route } from './route.ts';
import { commaList, Conditions, ConditionsText, Flag, Id, Name, PageInput, pageOf, SearchText, Time } from './schemas.ts';

const TAGS = ['Entities'];
const MOST_CHOSEN = 1_000;

export const Tag = z.object({ id: Id, name: z.string() });

export const Entity = z.object({
  id: Id, name: z.string(), address: z.string(), kind: z.string(), licence: z.enum(LICENCES).describe('The provider\'s, not ours'), tags: z.array(Tag),
  status: z.enum(ENTITY_STATUSES), bytes: z.int().describe('Size of its backups'), lastBackupAt: Time.optional(), archivedAt: Time.optional().describe('When it vanished at the provider'),
  goneAt: Time.optional().describe('It is deleted with its backups then'), limited: z.boolean().describe('Limited Access'),
  opens: z.boolean().describe('Whether the caller may look into its backups'), elsewhere: z.string().optional().describe('Another task that backs it up, too'),
});

const Status = z.enum(ENTITY_STATUSES);
const Licence = z.enum(LICENCES);
const Kind = z.string().min(1).max(40).regex(/^[a-z-]+$/);

/** As it stands in an address. */
const Question = {
  search: SearchText.optional(), status: commaList(Status).optional(), licence: commaList(Licence).optional(), kind: commaList(Kind).optional(), tag: commaList(Id).optional(),
  elsewhere: Flag.optional().describe('Another task backs them up, too'), limited: Flag.optional(),
  attributes: ConditionsText.optional().describe('JSON: property of the directory to values'),
};

const Filter = z.object({
  search: SearchText.optional(), statuses: z.array(Status).max(20).optional(), licences: z.array(Licence).max(5).optional(), kinds: z.array(Kind).max(20).optional(),
  tags: z.array(Id).max(50).optional(), elsewhere: z.boolean().optional(), limited: z.boolean().optional(),
  attributes: Conditions.optional(),
}).strict();

const Selection = z.union([
  z.object({ ids: z.array(Id).min(1).max(MOST_CHOSEN) }).strict(),
  z.object({ all: z.literal(true), filter: Filter.optional(), except: z.array(Id).max(MOST_CHOSEN).optional() }).strict(),
]).describe('Some, or all that a filter finds but some');

const Changed = z.object({ chosen: z.int(), changed: z.int().describe('The others were so already, or cannot be') });
const Confirmed = z.literal(true).describe('The user was told what this means, and agreed');

export const entities = {
  list: route({ who: 'permitted', permission: 'tasks.view' }, { method: 'GET', path: '/api/v1/tasks/{id}/entities', summary: 'The entities of a task', tags: TAGS })
    .input(PageInput.extend({ id: Id, cursor: z.string().max(2_000).optional(), ...Question, sort: z.enum(ENTITY_SORTS).default('name'), order: z.enum(['up', 'down']).default('up') }))
    .output(pageOf(Entity)),

  count: route({ who: 'permitted', permission: 'tasks.view' }, { method: 'GET', path: '/api/v1/tasks/{id}/entities/counts', summary: 'How many entities are what', tags: TAGS })
    .input(z.object({ id: Id, ...Question }))
    .output(z.object({
      matching: z.int().describe('Found by the filter; the others are of all'), total: z.int(), active: z.int(), licensed: z.int(), unlicensed: z.int(), limited: z.int(),
      byStatus: z.record(Status, z.int()),
    })),

  activate: route({ who: 'permitted', permission: 'tasks.activate' }, { method: 'POST', path: '/api/v1/tasks/{id}/entities/activation', summary: 'Back up entities from now on', tags: TAGS })
    .input(z.object({ id: Id, selection: Selection })).output(Changed),

  pause: route({ who: 'permitted', permission: 'tasks.pause' }, { method: 'POST', path: '/api/v1/tasks/{id}/entities/pause', summary: 'Back up entities no more for now', tags: TAGS })
    .input(z.object({ id: Id, selection: Selection })).output(Changed),

  delete: route({ who: 'permitted', permission: 'tasks.delete' }, {
    method: 'POST', path: '/api/v1/tasks/{id}/entities/deletion', summary: 'Delete entities with their backups', tags: TAGS,
    description: 'They are deleted after seven days, until which that can be taken back. Those that the provider still has are in the list afterwards, not active.',
  }).input(z.object({ id: Id, selection: Selection, confirm: Confirmed })).output(Changed.extend({ goneAt: Time })),

  keep: route({ who: 'permitted', permission: 'tasks.delete' }, {
    method: 'POST', path: '/api/v1/tasks/{id}/entities/deletion/withdrawal', summary: 'Take back that entities are to be deleted', tags: TAGS,
  }).input(z.object({ id: Id, selection: Selection })).output(Changed),

  tag: route({ who: 'permitted', permission: 'tasks.modify' }, { method: 'POST', path: '/api/v1/tasks/{id}/entities/tags', summary: 'Put tags on entities, take others off', tags: TAGS })
    .input(z.object({ id: Id, selection: Selection, add: z.array(Id).max(50).default([]), remove: z.array(Id).max(50).default([]) })).output(z.object({ chosen: z.int() })),

  limit: route({ who: 'owner', session: true }, {
    method: 'POST', path: '/api/v1/tasks/{id}/entities/limited-access', summary: 'Set or remove Limited Access', tags: TAGS,
    description: 'With it the primary user alone can browse, preview, restore and export what is backed up of them.',
  }).input(z.object({ id: Id, selection: Selection, limited: z.boolean(), confirm: Confirmed })).output(Changed),
};

export const tags = {
  list: route({ who: 'permitted', permission: 'tasks.view' }, { method: 'GET', path: '/api/v1/tags', summary: 'The tags of the account, by name', tags: TAGS })
    .input(z.object({ search: SearchText.optional() })).output(z.object({ items: z.array(Tag) })),

  make: route({ who: 'permitted', permission: 'tasks.modify' }, { method: 'POST', path: '/api/v1/tags', summary: 'Make a tag', tags: TAGS, successStatus: 201 })
    .input(z.object({ name: Name })).output(Tag),

  delete: route({ who: 'permitted', permission: 'tasks.modify' }, {
    method: 'DELETE', path: '/api/v1/tags/{id}', summary: 'Delete a tag', tags: TAGS, successStatus: 204, description: 'It is taken off all entities.',
  }).input(z.object({ id: Id })).output(z.void()),
};
