import type { Call, Route } from '../server/call.ts';
import { itemNotFound } from '../server/graphFailure.ts';
import { ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import type { Folder } from '../mailbox/folder.ts';
import { mailboxOf } from '../mailbox/findMailbox.ts';
import { itemDelta, itemListing } from '../mailbox/shelfListing.ts';
import { removedItem } from '../mailbox/showItem.ts';
import { compareRanked } from '../odata/cursor.ts';
import type { Cursor, Ranked } from '../odata/cursor.ts';
import { answerDelta } from '../odata/delta.ts';
import { answerList } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { eventView, foundDocument, occurrenceDocument } from './eventView.ts';
import { calendarOf, eventOf, windowOf } from './findEvent.ts';
import { isInWindow, isSeries, occurrenceOf, occurrencesIn } from './occurrences.ts';
import type { Window } from './occurrences.ts';

const READ = PERMISSIONS.readCalendars;
const WINDOW = ['startDateTime', 'endDateTime'];
const DELTA = ['select', 'expand', 'top'];

/** Where events are reached from: the user, the default calendar, a calendar by id. */
export const EVENT_BASES = ['/users/{user-id}', '/users/{user-id}/calendar', '/users/{user-id}/calendars/{calendar-id}'];

export const eventReads: readonly Route[] = EVENT_BASES.flatMap((base): Route[] => [
  { method: 'GET', path: `${base}/events`, permissions: READ, handle: (call) => answerList(call, itemListing([calendarOf(call)], eventView(call, mailboxOf(call)))) },
  { method: 'GET', path: `${base}/events/delta()`, permissions: READ, only: DELTA, options: WINDOW, handle: deltaEvents },
  { method: 'GET', path: `${base}/events/{event-id}`, permissions: READ, only: ['select', 'expand'], handle: showEvent },
  ...(base.endsWith('/calendar') ? [] : [{ method: 'GET' as const, path: `${base}/events/{event-id}/instances`, permissions: READ, options: WINDOW, handle: listInstances }]),
  { method: 'GET', path: `${base}/calendarView`, permissions: READ, options: WINDOW, handle: listView },
  ...(base.endsWith('/calendar') ? [] : [{ method: 'GET' as const, path: `${base}/calendarView/delta()`, permissions: READ, only: DELTA, options: WINDOW, handle: deltaView }]),
]);

function showEvent(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const document = foundDocument(call, mailbox, eventOf(call));
  if (document === undefined) throw itemNotFound();
  return ok({ '@odata.context': `${call.world.origin}/v1.0/$metadata#users('${call.params['user-id'] ?? ''}')/events/$entity`, ...eventView(call, mailbox).shape(document, call.query) });
}

/** Fact 61: occurrences and exceptions of a series in a window. */
function listInstances(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const { item, folder, date } = eventOf(call);
  const window = storedWindow(call);
  if (date !== undefined || !isSeries(item)) throw itemNotFound();
  const occurrences = [...occurrencesIn(item, window)];
  return answerList(call, {
    type: 'event', defaultTop: 10, mostTop: 1000, shape: eventView(call, mailbox).shape, count: () => occurrences.length,
    *entries(after) {
      for (const [place, occurrence] of occurrences.entries()) {
        if (after === undefined || -place < after.rank) yield { rank: -place, key: '', document: () => occurrenceDocument(call, mailbox, item, folder, occurrence) };
      }
    },
  });
}

/** A next page's link has the window in its token. */
function storedWindow(call: Call): Window {
  const token = call.query.skipToken ?? call.query.deltaToken;
  if (token === undefined) return windowOf(call.query.custom);
  const { options = [] } = (call.world.seal.open(token) ?? {}) as { options?: readonly (readonly [string, string])[] };
  return windowOf(call.world.parseOptions(options).custom);
}

function listView(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const calendar = calendarOf(call);
  const window = storedWindow(call);
  const parts = (after: Cursor | undefined): Iterable<Ranked> => partsInWindow(calendar, window, after, false);
  return answerList(call, {
    type: 'event', defaultTop: 10, mostTop: 1000, shape: eventView(call, mailbox).shape, count: () => [...parts(undefined)].length,
    *entries(after) {
      for (const part of parts(after)) yield { ...part, document: () => partDocument(call, calendar, window, part.key) ?? {} };
    },
  });
}

/** Fact 30: a fixed window; single events, masters, occurrences and exceptions; what left is @removed, reason deleted. */
function deltaView(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const calendar = calendarOf(call);
  const window = storedWindow(call);
  return answerDelta(call, {
    type: 'event', resource: `calendarView/${mailbox.ids.folder(calendar.number)}/${window.from}/${window.to}`, life: mailbox.tokens.asNotFound(), defaultPage: 10, mostPage: 1000,
    shape: eventView(call, mailbox).shape,
    sequence: () => calendar.shelf.sequence,
    entries: (after) => partsInWindow(calendar, window, after, true),
    *changes(since) {
      for (const change of calendar.shelf.changes(since)) {
        yield change;
        const item = calendar.shelf.get(change.key);
        if (item === undefined || !isSeries(item)) continue;
        for (const { date } of occurrencesIn(item, window)) yield { ...change, key: `${change.key}@${date}` };
        for (const date of item.series?.cancelled ?? []) yield { ...change, key: `${change.key}@${date}` };
      }
    },
    document: (key) => partDocument(call, calendar, window, key),
    removed: (key) => {
      const [itemKey = '', date] = key.split('@');
      return removedItem(call, mailbox, itemKey, 0, date);
    },
  });
}

/** Events of a calendar without a window: single ones and masters. */
function deltaEvents(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const calendar = calendarOf(call);
  return answerDelta(call, itemDelta(calendar, eventView(call, mailbox), {
    resource: `events/${mailbox.ids.folder(calendar.number)}`, life: mailbox.tokens.asNotFound(), removed: (key) => removedItem(call, mailbox, key),
  }));
}

/** Events one after another, each with its occurrences behind it: a page can begin at any of them. */
function* partsInWindow(calendar: Folder, window: Window, after: Cursor | undefined, withMasters: boolean): Generator<Ranked> {
  for (const placed of calendar.shelf.entries(after === undefined ? undefined : { rank: after.rank, key: '' })) {
    const item = placed.item();
    const keys = isSeries(item) ? [...occurrencesIn(item, window)].map(({ date }) => `${item.key}@${date}`) : [];
    const isMaster = withMasters && keys.length > 0;
    const isSingle = !isSeries(item) && isInWindow(item.properties, window);
    for (const key of [...(isMaster || isSingle ? [item.key] : []), ...keys]) {
      const part = { rank: placed.rank, key };
      if (after === undefined || compareRanked(part, after) > 0) yield part;
    }
  }
}

function partDocument(call: Call, calendar: Folder, window: Window, key: string): Properties | undefined {
  const mailbox = mailboxOf(call);
  const [itemKey = '', date] = key.split('@');
  const item = calendar.shelf.get(itemKey);
  if (item === undefined) return undefined;
  if (date === undefined) {
    const isTold = isSeries(item) ? occurrencesIn(item, window).next().done !== true : isInWindow(item.properties, window);
    return isTold ? eventView(call, mailbox).document(item, calendar) : undefined;
  }
  const occurrence = isSeries(item) ? occurrenceOf(item, date) : undefined;
  if (occurrence === undefined || !isInWindow(occurrence.properties, window)) return undefined;
  return occurrenceDocument(call, mailbox, item, calendar, occurrence);
}
