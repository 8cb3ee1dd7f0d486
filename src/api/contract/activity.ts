import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { route } from './route.ts';
import { PageInput, pageOf, Time } from './schemas.ts';

const TAGS = ['Activity'];

export const AuditEntry = z.object({
  seq: z.int(), at: Time, kind: z.string(), performedBy: z.string(), address: z.string().optional(), agent: z.string().optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

export const ActivityEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('audit'), entry: AuditEntry }),
  z.object({ type: z.literal('gap') }).describe('Comes first, and where events may be missing: read the lists now'),
]);

export type ActivityEvent = z.infer<typeof ActivityEvent>;

export const activity = {
  audit: route({ who: 'permitted', permission: 'activity.view' }, { method: 'GET', path: '/api/v1/audit', summary: 'Security audit, newest first', tags: TAGS })
    .input(PageInput.extend({ kind: z.string().max(60).regex(/^[a-z.-]+$/).optional(), from: Time.optional(), to: Time.optional() })).output(pageOf(AuditEntry)),

  events: route({ who: 'permitted', permission: 'activity.view' }, {
    method: 'GET', path: '/api/v1/activity/events', summary: 'What happens, as it happens (server-sent events)', tags: TAGS,
    description: 'Ends after some minutes, and when the session ends: open it again.',
  }).output(eventIterator(ActivityEvent)),
};
