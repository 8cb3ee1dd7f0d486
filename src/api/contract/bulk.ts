import { z } from 'zod';
import { route } from './route.ts';
import { Conditions, Id, Name, PageInput, pageOf, Property, SearchText, Time } from './schemas.ts';

const TAGS = ['Bulk activation'];
/** In a body of 1 MiB there is room for it, escaped. */
const MOST_CSV = 900_000;

const LeftLine = z.object({
  line: z.int().describe('The first of the file is 1'), address: z.string(), why: z.enum(['unknown', 'archived', 'deleting']).describe('unknown: the task has no such address'),
});

const Activates = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('all') }).strict(), z.object({ kind: z.literal('attributes'), conditions: Conditions }).strict(),
]).describe('Which new accounts');

export const Rule = z.object({ id: Id, name: z.string(), enabled: z.boolean(), createdAt: Time, activates: Activates });

export const bulk = {
  values: route({ who: 'permitted', permission: 'tasks.view' }, {
    method: 'GET', path: '/api/v1/tasks/{id}/attributes', summary: 'Which values of a property of the directory occur among the accounts, by value', tags: TAGS,
    description: 'The accounts themselves: the list of entities with `attributes`. They are activated by the same filter, but for some.',
  }).input(PageInput.extend({ id: Id, property: Property, search: SearchText.optional(), cursor: z.string().max(2_000).optional() })).output(pageOf(z.object({
    value: z.string().describe('"": the directory says nothing'), total: z.int(), active: z.int(),
  }))),

  activateListed: route({ who: 'permitted', permission: 'tasks.activate' }, {
    method: 'POST', path: '/api/v1/tasks/{id}/bulk-activation/csv', summary: 'Activate whose addresses a CSV lists', tags: TAGS,
    description: 'The file has the single column "Account Email". A line that activates nothing is told; larger files come in parts.',
  }).input(z.object({ id: Id, csv: z.string().max(MOST_CSV, `at most ${MOST_CSV} characters: send a larger file in parts, each with the first line`) })).output(z.object({
    lines: z.int().describe('Lines with an address; each counts in one of the others'), activated: z.int(), already: z.int().describe('Were active before'),
    repeated: z.int().describe('Addresses that stand further up'), left: z.int().describe('Activated nothing'), leftLines: z.array(LeftLine).describe('The first 500 of those'),
  })),
};

export const rules = {
  list: route({ who: 'permitted', permission: 'tasks.view' }, { method: 'GET', path: '/api/v1/tasks/{id}/rules', summary: 'The rules of a task', tags: TAGS })
    .input(z.object({ id: Id })).output(z.object({ items: z.array(Rule) })),

  make: route({ who: 'permitted', permission: 'tasks.activate' }, {
    method: 'POST', path: '/api/v1/tasks/{id}/rules', summary: 'Have new accounts activated', tags: TAGS, successStatus: 201,
    description: 'It acts when the entities are read, on accounts that were not there before. Those that there are stay as they are.',
  }).input(z.object({ id: Id, name: Name, enabled: z.boolean().default(true), activates: Activates })).output(z.object({ id: Id })),

  change: route({ who: 'permitted', permission: 'tasks.activate' }, {
    method: 'PATCH', path: '/api/v1/rules/{id}', summary: 'Change a rule, switch it on or off', tags: TAGS, description: 'What is left out stays.',
  }).input(z.object({ id: Id, name: Name.optional(), enabled: z.boolean().optional(), conditions: Conditions.optional() })).output(Rule),

  delete: route({ who: 'permitted', permission: 'tasks.activate' }, {
    method: 'DELETE', path: '/api/v1/rules/{id}', summary: 'Delete a rule', tags: TAGS, successStatus: 204, description: 'What it activated stays active.',
  }).input(z.object({ id: Id })).output(z.void()),
};
