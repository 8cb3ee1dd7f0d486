import { z } from 'zod';
import { FREQUENCIES, RETENTION_UNITS, TASK_STATUSES } from '../../domain/index.ts';
import { route } from './route.ts';
import { Id, Name, PageInput, pageOf, SearchText, Time } from './schemas.ts';

const TAGS = ['Backup tasks'];

export const Offer = z.object({
  service: Id, title: z.string(), noun: z.object({ one: z.string(), many: z.string() }).describe('What its entities are called'), includes: z.array(z.string()),
  needs: z.array(z.string()).describe('What has to be at hand'), advice: z.array(z.string()),
  authorisation: z.enum(['consent', 'credentials']).describe('On a page of the provider, or typed here'),
  kinds: z.record(z.string(), z.string()).describe('Titles of the kinds of its entities'), licences: z.boolean().describe('The provider licenses entities'),
  bulk: z.array(z.enum(['attributes', 'csv'])).describe('How many are activated at once: by what the directory says, by a list of addresses'),
  attributes: z.record(z.string(), z.string()).describe('Titles of the properties of the directory'),
  missing: z.string().optional().describe('Why no task of it can be made now'),
});

/** What backups stay for, and when they are made. */
const Settings = {
  indexContent: z.boolean().describe('Contents can be searched. To index them they are decrypted for a moment'),
  autoActivate: z.boolean().describe('Entities that are new at the provider are activated'),
  frequency: z.enum(FREQUENCIES),
  backupHour: z.int().min(0).max(23).describe('UTC'),
};
const ArchivedDays = z.int().min(1).max(36_500).describe('Days that backups of archived entities stay');
const Retention = z.object({ count: z.int().min(1).max(36_500), unit: z.enum(RETENTION_UNITS) }).describe('How long backups stay');

export const Task = z.object({
  id: Id, service: Id, name: z.string(), createdAt: Time, status: z.enum(TASK_STATUSES),
  connection: z.object({ connected: z.boolean(), label: z.string(), trouble: z.string().optional(), authorisedAt: Time }),
  entities: z.object({
    total: z.int(), active: z.int(), paused: z.int(), archived: z.int(), deleting: z.int(), failed: z.int(), partial: z.int(),
  }),
  bytes: z.int().describe('Size of all backups'), lastBackupAt: Time.optional().describe('Absent: never'),
  reminder: z.string().optional().describe('None of the entities is activated'),
  discovery: z.object({ at: Time.optional(), running: z.boolean(), failure: z.string().optional() }).describe('When the entities were read last'),
  settings: z.object({ ...Settings, archivedDays: ArchivedDays.optional(), retention: Retention.optional() }).describe('Absent times: for ever'),
  goneAt: Time.optional().describe('The task is deleted with all backups then'),
});

const Credentials = z.object({
  host: z.string().trim().min(1).max(253).regex(/^[A-Za-z0-9.:[\]_-]+$/, 'a host name or an address'), port: z.int().min(1).max(65_535).optional(),
  user: z.string().min(1).max(320).regex(/^[^\p{Cc}]+$/u, 'without control characters'), password: z.string().min(1).max(1_000),
  tls: z.enum(['on', 'starttls', 'off']).optional(), ca: z.string().max(50_000).optional().describe('PEM of the authority to trust in place of the usual ones'),
});

export const tasks = {
  services: route({ who: 'permitted', permission: 'tasks.view' }, { method: 'GET', path: '/api/v1/services', summary: 'Services that can be backed up', tags: TAGS })
    .output(z.object({ items: z.array(Offer) })),

  list: route({ who: 'permitted', permission: 'tasks.view' }, { method: 'GET', path: '/api/v1/tasks', summary: 'All tasks, by name', tags: TAGS })
    .input(PageInput.extend({ cursor: z.string().max(2_000).optional(), search: SearchText.optional() })).output(pageOf(Task).extend({ total: z.int() })),

  show: route({ who: 'permitted', permission: 'tasks.view' }, { method: 'GET', path: '/api/v1/tasks/{id}', summary: 'A task', tags: TAGS })
    .input(z.object({ id: Id })).output(Task),

  add: route({ who: 'permitted', permission: 'tasks.activate' }, {
    method: 'POST', path: '/api/v1/tasks', summary: 'Make a task with credentials', tags: TAGS, successStatus: 201, description: 'They are tried for real first. Its entities are read right afterwards.',
  }).input(z.object({ service: Id, name: Name, credentials: Credentials })).output(Task),

  beginConsent: route({ who: 'permitted', permission: 'tasks.activate', session: true }, {
    method: 'POST', path: '/api/v1/authorisations', summary: 'Begin to make a task on a page of the provider', tags: TAGS,
    description: 'Send the browser to `url`. The provider sends it back here, and the task is there.',
  }).input(z.object({ service: Id, name: Name })).output(z.object({ url: z.url() })),

  authoriseAgain: route({ who: 'permitted', permission: 'tasks.modify', session: true }, {
    method: 'POST', path: '/api/v1/tasks/{id}/authorisation', summary: 'Authorise a task again on a page of the provider', tags: TAGS,
  }).input(z.object({ id: Id })).output(z.object({ url: z.url() })),

  renewCredentials: route({ who: 'permitted', permission: 'tasks.modify' }, {
    method: 'PUT', path: '/api/v1/tasks/{id}/credentials', summary: 'Authorise a task again with credentials', tags: TAGS, successStatus: 204, description: 'Of the same owner as before.',
  }).input(Credentials.extend({ id: Id })).output(z.void()),

  change: route({ who: 'permitted', permission: 'tasks.modify' }, {
    method: 'PATCH', path: '/api/v1/tasks/{id}', summary: 'Change name and settings of a task', tags: TAGS, description: 'What is left out stays. null: for ever.',
  }).input(z.object({
    id: Id, name: Name.optional(), indexContent: Settings.indexContent.optional(), autoActivate: Settings.autoActivate.optional(), frequency: Settings.frequency.optional(),
    backupHour: Settings.backupHour.optional(), archivedDays: ArchivedDays.nullish(), retention: Retention.nullish(),
  })).output(Task),

  discover: route({ who: 'permitted', permission: 'tasks.modify' }, {
    method: 'POST', path: '/api/v1/tasks/{id}/discovery', summary: 'Read the entities of a task again', tags: TAGS, successStatus: 202, description: 'It is done soon; `discovery` of the task tells.',
  }).input(z.object({ id: Id })).output(z.object({ message: z.string() })),

  mailUsage: route({ who: 'permitted', permission: 'tasks.view' }, {
    method: 'POST', path: '/api/v1/usage-report', summary: 'Have the usage report mailed', tags: TAGS, successStatus: 202,
    description: 'To the caller: the mail leads to the file, which opens for who is signed in.',
  }).output(z.object({ message: z.string() })),

  delete: route({ who: 'permitted', permission: 'tasks.delete' }, {
    method: 'POST', path: '/api/v1/tasks/{id}/deletion', summary: 'Delete a task with all backups', tags: TAGS,
    description: 'Backups stop at once. All of it is deleted after seven days, until which that can be taken back.',
  }).input(z.object({ id: Id, name: z.string().max(200).describe('The name of the task, typed by who means it') })).output(z.object({ goneAt: Time })),

  keep: route({ who: 'permitted', permission: 'tasks.delete' }, {
    method: 'DELETE', path: '/api/v1/tasks/{id}/deletion', summary: 'Take back that a task is to be deleted', tags: TAGS, successStatus: 204,
  }).input(z.object({ id: Id })).output(z.void()),
};
