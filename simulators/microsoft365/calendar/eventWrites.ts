import { jsonBody } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, itemNotFound } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { mergeExtended, readExtended } from '../mailbox/extendedProperties.ts';
import { mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import type { Item, Series } from '../mailbox/item.ts';
import type { Properties } from '../odata/list.ts';
import { readAttachment } from '../mail/attachmentBody.ts';
import { emailAddress } from '../seed/owner.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { readEventBody, refuseOddTimes } from './eventBody.ts';
import { EVENT_BASES } from './eventReads.ts';
import { eventView, foundDocument } from './eventView.ts';
import { calendarOf, eventOf } from './findEvent.ts';
import { isSeries, occurrenceOf } from './occurrences.ts';
import type { SentMail } from '../world.ts';

const WRITE = PERMISSIONS.writeCalendars;

export const eventWrites: readonly Route[] = EVENT_BASES.flatMap((base): Route[] => [
  { method: 'POST', path: `${base}/events`, permissions: WRITE, handle: create },
  { method: 'PATCH', path: `${base}/events/{event-id}`, permissions: WRITE, handle: patch },
  { method: 'DELETE', path: `${base}/events/{event-id}`, permissions: WRITE, handle: remove },
  ...(base.endsWith('/calendar') ? [] : [{ method: 'POST' as const, path: `${base}/events/{event-id}/permanentDelete`, permissions: WRITE, handle: remove }]),
]);

/** Fact 63: attendees get an invitation whether the caller wants it or not; a transactionId that was used gives the event that it made. */
function create(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const calendar = calendarOf(call);
  const body = jsonBody(call);
  const properties = readEventBody(body);
  refuseOddTimes(properties);
  const transaction = properties['transactionId'];
  const earlier = typeof transaction === 'string' ? mailbox.find(mailbox.usedTransactions.get(transaction) ?? '', 'event') : undefined;
  if (earlier !== undefined) return created(show(call, { ...earlier, date: undefined }));
  const now = call.world.clock.now();
  const key = mailbox.newKey();
  if (typeof transaction === 'string') mailbox.usedTransactions.set(transaction, key);
  const attachments = ((body['attachments'] ?? []) as Properties[]).map((entry, place) => readAttachment(entry, `c${place}`, now));
  const item: Item = {
    key, kind: 'event', rank: mailbox.nextSequence(), moves: 0, version: 0, created: now, modified: now, attachments, extended: readExtended(body),
    properties: { ...defaults(call, key), hasAttachments: attachments.length > 0, ...properties }, series: { exceptions: new Map(), cancelled: new Set() },
  };
  mailbox.put(calendar, item);
  tell(call, 'invitation', item.properties);
  return created(show(call, { item, folder: calendar, date: undefined }));
}

function defaults(call: Call, key: string): Properties {
  const { owner } = mailboxOf(call);
  return {
    subject: '', body: { contentType: 'html', content: '' }, bodyPreview: '', attendees: [], organizer: emailAddress(owner.person), isOrganizer: true, responseRequested: true,
    responseStatus: { response: 'organizer', time: '0001-01-01T00:00:00Z' }, location: { displayName: '', locationType: 'default' }, locations: [], showAs: 'busy', importance: 'normal',
    sensitivity: 'normal', categories: [], isAllDay: false, isReminderOn: true, reminderMinutesBeforeStart: 15, hideAttendees: false, isCancelled: false, isDraft: false,
    isOnlineMeeting: false, onlineMeetingProvider: 'unknown', onlineMeeting: null, onlineMeetingUrl: null, allowNewTimeProposals: true, transactionId: null, recurrence: null,
    iCalUId: `040000008200E00074C5B7101A82E008${Buffer.from(`${owner.index} ${key}`).toString('hex').toUpperCase().padEnd(32, '0')}`,
    webLink: `https://outlook.office365.com/owa/?itemid=${key}&exvsurl=1&path=/calendar/item`,
  };
}

/** Fact 63: who is in a meeting hears of it, whether the caller wants it or not, if its organizer changes it. */
function tell(call: Call, kind: SentMail['kind'], properties: Properties): void {
  if (properties['isOrganizer'] === false) return;
  const attendees = (properties['attendees'] ?? []) as { emailAddress?: { address?: string } }[];
  const to = attendees.flatMap(({ emailAddress: { address } = {} }) => address ?? []);
  if (to.length > 0) call.world.sent.push({ kind, from: mailboxOf(call).owner.person.address, to, subject: String(properties['subject']) });
}

/** A change of one occurrence makes it an exception. A new recurrence forgets exceptions and cancelled dates, as the service does. */
function patch(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const found = eventOf(call);
  const { item, folder, date } = found;
  const body = jsonBody(call);
  const properties = readEventBody(body);
  const now = call.world.clock.now();
  let changed: Item;
  if (date === undefined) {
    const merged = { ...item.properties, ...properties };
    refuseOddTimes(merged);
    const series = properties['recurrence'] === undefined ? item.series : { exceptions: new Map(), cancelled: new Set<string>() };
    changed = { ...item, version: item.version + 1, modified: now, properties: merged, extended: mergeExtended(item.extended, readExtended(body)), ...(series === undefined ? {} : { series }) };
  } else {
    if (properties['recurrence'] !== undefined && properties['recurrence'] !== null) throw badRequest('An occurrence has no recurrence of its own.', 'ErrorInvalidRequest');
    const current = occurrenceOf(item, date);
    if (current === undefined) throw itemNotFound();
    refuseOddTimes({ ...current.properties, ...properties });
    const series = copyOf(item);
    series.exceptions.set(date, { ...series.exceptions.get(date), properties: { ...series.exceptions.get(date)?.properties, ...properties }, version: current.version + 1, modified: now });
    changed = { ...item, version: item.version + 1, modified: now, series };
  }
  mailbox.put(folder, changed);
  tell(call, 'update', date === undefined ? changed.properties : { ...changed.properties, ...properties });
  return ok(show(call, { item: changed, folder, date }));
}

/** Of an occurrence: it is cancelled. Of a series: all of it goes. */
function remove(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const { item, folder, date } = eventOf(call);
  tell(call, 'cancellation', item.properties);
  if (date === undefined) {
    mailbox.drop(item.key);
    return NO_CONTENT;
  }
  if (!isSeries(item) || occurrenceOf(item, date) === undefined) throw itemNotFound();
  const series = copyOf(item);
  series.exceptions.delete(date);
  series.cancelled.add(date);
  mailbox.put(folder, { ...item, version: item.version + 1, modified: call.world.clock.now(), series });
  return NO_CONTENT;
}

function copyOf({ series }: Item): Series {
  return { exceptions: new Map(series?.exceptions), cancelled: new Set(series?.cancelled) };
}

function show(call: Call, found: FoundItem): Properties {
  const mailbox = mailboxOf(call);
  const document = foundDocument(call, mailbox, found);
  if (document === undefined) throw itemNotFound();
  return { '@odata.context': `${call.world.origin}/v1.0/$metadata#users('${call.params['user-id'] ?? ''}')/events/$entity`, ...eventView(call, mailbox).shape(document, call.query) };
}
