import { pageOfActivities, pageOfAudit } from '../../accounts/index.ts';
import { activityFilter, auditFilter } from '../activityQuestion.ts';
import { callerOf, implementer } from '../implementer.ts';
import { pageFrom, readCursor } from '../page.ts';
import { activityDocument, auditDocument } from '../present.ts';
import { InvalidInput } from '../problem.ts';

const os = implementer.activity;
/** A stream is opened again after this, and with it the caller's rights are looked at again. */
const STREAM_MS = 5 * 60_000;

export const activityRoutes = {
  list: os.list.handler(async ({ input, context }) => {
    const page = { after: readCursor(input.cursor), order: input.order, limit: input.limit + 1 };
    const activities = await pageOfActivities(context.services.accounts, callerOf(context), activityFilter(input), page);
    return pageFrom(activities, input.limit, activityDocument, ({ id }) => id);
  }),

  audit: os.audit.handler(async ({ input, context }) => {
    const page = { after: numberOf(readCursor(input.cursor)), order: input.order, limit: input.limit + 1 };
    const entries = await pageOfAudit(context.services.accounts, callerOf(context), auditFilter(input), page);
    return pageFrom(entries, input.limit, auditDocument, ({ seq }) => String(seq));
  }),

  events: os.events.handler(({ context }) => {
    const { feed, stopping } = context.services;
    return feed.follow(callerOf(context), AbortSignal.any([AbortSignal.timeout(STREAM_MS), stopping, context.gone]));
  }),
};

function numberOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new InvalidInput([{ path: 'cursor', message: 'not one that a page gave' }]);
}
