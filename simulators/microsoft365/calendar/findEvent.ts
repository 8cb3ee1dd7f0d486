import { param } from '../server/call.ts';
import type { Call } from '../server/call.ts';
import { badRequest } from '../server/graphFailure.ts';
import { findFolder, findItem, mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import type { Folder } from '../mailbox/folder.ts';
import type { Window } from './occurrences.ts';

/** The calendar that a path names: by id, or the default one where it says '/calendar' or names none. */
export function calendarOf(call: Call): Folder {
  const mailbox = mailboxOf(call);
  const id = call.params['calendar-id'];
  return findFolder(mailbox, id ?? 'calendar', 'IPF.Appointment');
}

/** The event of an id for its attachments: an exception may have its own. */
export function attachedEventOf(call: Call): FoundItem {
  const found = eventOf(call);
  const own = found.date === undefined ? undefined : found.item.series?.exceptions.get(found.date)?.attachments;
  return own === undefined ? found : { ...found, item: { ...found.item, attachments: own } };
}

/** The event of an id, inside of the calendar that the path names, if it names one. */
export function eventOf(call: Call): FoundItem {
  const within = call.params['calendar-id'] === undefined ? undefined : calendarOf(call);
  return findItem(mailboxOf(call), param(call, 'event-id'), 'event', within);
}

/** The window that startDateTime and endDateTime ask for. Times without an offset are UTC. */
export function windowOf(custom: ReadonlyMap<string, string>): Window {
  const read = (name: string): number => {
    const text = custom.get(name.toLowerCase());
    if (text === undefined) throw badRequest(`This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.`, 'ErrorInvalidParameter');
    const time = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
    if (Number.isNaN(time)) throw badRequest(`The value of the parameter ${name} is invalid.`, 'ErrorInvalidParameter');
    return time;
  };
  const window = { from: read('startDateTime'), to: read('endDateTime') };
  if (window.to < window.from) throw badRequest('endDateTime is before startDateTime.', 'ErrorInvalidParameter');
  return window;
}
