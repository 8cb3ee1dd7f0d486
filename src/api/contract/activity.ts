import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { ACTIVITY_STATUSES } from '../../domain/index.ts';
import { route } from './route.ts';
import { Id, Order, PageInput, pageOf, SearchText, Statuses, Time, Words } from './schemas.ts';

const TAGS = ['Activity'];
const SEEN = { who: 'permitted', permission: 'activity.view' } as const;
const Details = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

export const AuditEntry = z.object({
  seq: z.int(), at: Time, kind: z.string(), status: z.enum(['succeeded', 'failed']), service: z.string().optional(), task: z.string().optional(),
  performedBy: z.string(), method: z.string().optional().describe('How somebody signed in'),
  address: z.string().optional(), agent: z.string().optional().describe('The browser'), description: z.string(), details: Details,
});

export const Activity = z.object({
  id: Id, kind: z.string(), status: z.enum(ACTIVITY_STATUSES), startedAt: Time, endedAt: Time.optional().describe('Absent while it runs'),
  seconds: z.number().optional().describe('How long it took'),
  service: z.string().optional(), subService: z.string().optional(), task: z.object({ id: z.string(), name: z.string() }).optional(),
  item: z.object({ id: z.string(), name: z.string() }).optional().describe('The entity'), performedBy: z.string(),
  storedBytes: z.number().optional(), entities: z.number().optional().describe('How many it was about'), summary: z.string().optional(), details: Details,
});

export const ActivityEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('audit'), entry: AuditEntry }),
  z.object({ type: z.literal('activity'), activity: Activity }).describe('Is new, or has changed'),
  z.object({ type: z.literal('gap') }).describe('Comes first, and where events may be missing: read the lists now'),
]);

export type ActivityEvent = z.infer<typeof ActivityEvent>;

/** Which activities. */
export const ActivityQuestion = z.object({
  kind: Words.optional(), service: Words.optional(), status: Statuses.optional(), task: Id.optional().describe('Its id'), item: Id.optional().describe('The id of an entity'),
  from: Time.optional().describe('Begun then or later'), to: Time.optional().describe('Begun before'),
  search: SearchText.optional().describe('Part of a kind or a name'),
});

/** Which entries of the audit log. */
export const AuditQuestion = z.object({
  kind: Words.optional(), service: Words.optional(), status: z.enum(['succeeded', 'failed']).optional(), task: SearchText.optional().describe('Its name'),
  performedBy: SearchText.optional(), from: Time.optional(), to: Time.optional(), search: SearchText.optional().describe('Part of any field'),
});

const Ordered = PageInput.extend({ order: Order.default('newest') });

export const activity = {
  list: route(SEEN, { method: 'GET', path: '/api/v1/activities', summary: 'System activity: what was done for the account', tags: TAGS })
    .input(Ordered.extend(ActivityQuestion.shape)).output(pageOf(Activity)),

  audit: route(SEEN, { method: 'GET', path: '/api/v1/audit', summary: 'Security audit', tags: TAGS })
    .input(Ordered.extend(AuditQuestion.shape)).output(pageOf(AuditEntry)),

  events: route(SEEN, {
    method: 'GET', path: '/api/v1/activity/events', summary: 'What happens, as it happens (server-sent events)', tags: TAGS,
    description: 'Ends after some minutes, and when the session ends: open it again.',
  }).output(eventIterator(ActivityEvent)),
};
