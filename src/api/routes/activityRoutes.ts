import { pageOfAudit } from '../../accounts/index.ts';
import { callerOf, implementer } from '../implementer.ts';
import { pageFrom, readCursor } from '../page.ts';
import { auditDocument } from '../present.ts';
import { InvalidInput } from '../problem.ts';

const os = implementer.activity;
/** A stream is opened again after this, and with it the caller's rights are looked at again. */
const STREAM_MS = 5 * 60_000;

export const activityRoutes = {
  audit: os.audit.handler(async ({ input, context }) => {
    const filter = {
      accountId: callerOf(context).accountId, kind: input.kind,
      from: input.from === undefined ? undefined : new Date(input.from), to: input.to === undefined ? undefined : new Date(input.to),
    };
    const entries = await pageOfAudit(context.services.accounts, filter, numberOf(readCursor(input.cursor)), input.limit + 1);
    return pageFrom(entries, input.limit, auditDocument, ({ seq }) => String(seq));
  }),

  events: os.events.handler(({ context }) => {
    const { feed, stopping } = context.services;
    return feed.follow(callerOf(context).accountId, AbortSignal.any([AbortSignal.timeout(STREAM_MS), stopping, context.gone]));
  }),
};

function numberOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new InvalidInput([{ path: 'cursor', message: 'not one that a page gave' }]);
}
