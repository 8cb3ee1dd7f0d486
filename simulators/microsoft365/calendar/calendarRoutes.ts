import { jsonBody } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, GraphFailure } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { mailboxOf } from '../mailbox/findMailbox.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { calendarDocument } from './calendarView.ts';
import { calendarOf } from './findEvent.ts';

const READ = PERMISSIONS.readCalendars;
const WRITE = PERMISSIONS.writeCalendars;

export const calendarRoutes: readonly Route[] = [
  { method: 'GET', path: '/users/{user-id}/calendar', permissions: READ, only: ['select', 'expand'], handle: showCalendar },
  { method: 'GET', path: '/users/{user-id}/calendars', permissions: READ, handle: listCalendars },
  { method: 'POST', path: '/users/{user-id}/calendars', permissions: WRITE, handle: makeCalendar },
  { method: 'GET', path: '/users/{user-id}/calendars/{calendar-id}', permissions: READ, only: ['select', 'expand'], handle: showCalendar },
  { method: 'PATCH', path: '/users/{user-id}/calendars/{calendar-id}', permissions: WRITE, handle: patchCalendar },
  { method: 'DELETE', path: '/users/{user-id}/calendars/{calendar-id}', permissions: WRITE, handle: removeCalendar },
];

function listCalendars(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const calendars = mailbox.folders.filter((folder) => folder.class === 'IPF.Appointment' && !folder.removed);
  return answerList(call, arrayListing('calendar', calendars.map((folder) => calendarDocument(mailbox, folder)), (document, query) => shape({ type: 'calendar' }, document, query), { defaultTop: 10 }));
}

function showCalendar(call: Call): Reply {
  return ok(shape({ type: 'calendar' }, calendarDocument(mailboxOf(call), calendarOf(call)), call.query));
}

function makeCalendar(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const { name, color } = jsonBody(call);
  if (typeof name !== 'string' || name === '') throw badRequest('A calendar needs a name.', 'ErrorInvalidRequest');
  if (mailbox.folders.some((folder) => folder.class === 'IPF.Appointment' && !folder.removed && folder.name === name)) {
    throw new GraphFailure(409, 'ErrorFolderExists', 'A folder with the specified name already exists.');
  }
  const folder = mailbox.addFolder({ class: 'IPF.Appointment', name, parent: 0, extra: typeof color === 'string' ? { color } : {} });
  return created(calendarDocument(mailbox, folder));
}

function patchCalendar(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = calendarOf(call);
  const { name, color } = jsonBody(call);
  if (typeof name === 'string') folder.name = name;
  if (typeof color === 'string') folder.extra = { ...folder.extra, color };
  mailbox.touch(folder);
  return ok(calendarDocument(mailbox, folder));
}

function removeCalendar(call: Call): Reply {
  const folder = calendarOf(call);
  if (folder.wellKnown !== undefined) throw badRequest('The default calendar cannot be deleted.', 'ErrorDeleteDistinguishedFolder');
  mailboxOf(call).removeFolder(folder);
  return NO_CONTENT;
}
