import type { Method, Route } from '../server/call.ts';

const CALENDAR: readonly (readonly [Method, string])[] = [
  ['GET', '/events'], ['POST', '/events'], ['GET', '/events/{event-id}'], ['PATCH', '/events/{event-id}'], ['DELETE', '/events/{event-id}'], ['GET', '/calendarView'],
];
const POSTS: readonly (readonly [Method, string])[] = [['POST', '/conversations'], ['POST', '/threads']];

/** Facts 64 and 92: a group's calendar, and posting to its conversations, are closed to applications whatever they are granted. */
export const groupMailRoutes: readonly Route[] = [...CALENDAR, ...POSTS].map(([method, path]) => ({
  method,
  path: `/groups/{group-id}${path}`,
  permissions: [],
  handle: () => {
    throw new Error('a route without permissions was reached');
  },
}));
