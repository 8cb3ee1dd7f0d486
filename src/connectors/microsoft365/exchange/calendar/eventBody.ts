import { textOf, type Entry } from '../../graph/pages.ts';
import { listOf, objectOf } from '../items/documents.ts';
import { extendedOf, plainId } from '../restore/outlookItem.ts';
import type { Losses } from '../restore/losses.ts';
import { recurrenceOf } from '../restore/recurrence.ts';
import { pruned, withTag } from '../restore/shapes.ts';
import { ATTENDEES_ID } from './eventContent.ts';
import { PLAIN_FIELDS, WHOLE_FIELDS } from './eventShape.ts';
import { momentOf, zonedTime } from './zonedTime.ts';

/** Characters of a list of attendees that an event keeps; the store takes some 32 thousand. */
const MOST_LISTED = 30_000;

/** An event on its way, as Graph takes it: with nobody in it, so that nobody is invited. What of it is lost so goes into `losses`. */
export function eventBody(document: Entry, tag: string | undefined, losses: Losses): Entry {
  const people = attendeesProperty(document, losses);
  noteLosses(document, losses);
  const kept = { ...document, categories: withTag(document['categories'], tag) } as Entry;
  const { location, ...fields } = pruned(Object.fromEntries([...PLAIN_FIELDS, ...WHOLE_FIELDS].map((name) => [name, kept[name]]))) as Entry;
  const { contentType, content } = objectOf(document, 'body');
  const recurrence = recurrenceOf(document);
  return {
    ...fields, ...(isPlace(location) ? { location } : {}), subject: textOf(document, 'subject'), ...(typeof content === 'string' && content !== '' ? { body: { contentType, content } } : {}), ...eventTimes(document, losses),
    ...(recurrence === null ? {} : { recurrence }), ...(people === undefined ? {} : { singleValueExtendedProperties: [people] }),
  };
}

/** The service shows a place without anything but its type where there is none. */
function isPlace(location: unknown): boolean {
  return typeof location === 'object' && location !== null && Object.keys(location).some((name) => name !== 'locationType');
}

/** Begin and end as the clocks of the zone show them in which the event was made: a series stays at its hour when they change. Days are days in each zone. */
export function eventTimes(document: Entry, losses: Losses): Entry {
  const isAllDay = document['isAllDay'] === true;
  const time = (name: 'start' | 'end', zoneName: string): Entry | undefined => {
    const moment = momentOf(document[name]);
    if (moment === null) return undefined;
    const zone = textOf(document, zoneName);
    const zoned = isAllDay || zone === '' ? undefined : zonedTime(moment, zone);
    if (name === 'start' && !isAllDay && zone !== '' && zoned === undefined && recurrenceOf(document) !== null) {
      losses.add('zone-lost', `its time zone ("${zone}"), which is not known here: it repeats by UTC`);
    }
    return { ...(zoned ?? zonedTime(moment, 'UTC')) };
  };
  return { start: time('start', 'originalStartTimeZone'), end: time('end', 'originalEndTimeZone'), isAllDay };
}

/** Who took part, kept with the event since nobody may be invited; undefined for an event of one's own. */
function attendeesProperty(document: Entry, losses: Losses): Entry | undefined {
  const attendees = listOf(document, 'attendees');
  const earlier = extendedOf(document).get(plainId(ATTENDEES_ID));
  if (attendees.length === 0) return earlier === undefined ? undefined : { id: ATTENDEES_ID, value: earlier };
  const people = `${attendees.length === 1 ? 'its attendee' : `its ${attendees.length} attendees`}, so that nobody is invited`;
  const whole = JSON.stringify({ organizer: document['organizer'], attendees, responseStatus: document['responseStatus'] });
  const addresses = attendees.map((attendee) => textOf(objectOf(attendee, 'emailAddress'), 'address')).join(' ');
  const value = whole.length <= MOST_LISTED ? whole : addresses.slice(0, MOST_LISTED);
  const kept = value === addresses.slice(0, MOST_LISTED) && addresses.length > MOST_LISTED ? 'as many of their addresses as fit are kept' : 'they are kept';
  losses.add('attendees-lost', `${people}: ${kept} in a property of the event (HoldfastAttendees)`);
  return { id: ATTENDEES_ID, value };
}

function noteLosses(document: Entry, losses: Losses): void {
  if (document['isOrganizer'] === false) losses.add('organizer-lost', `who called the meeting (${textOf(objectOf(objectOf(document, 'organizer'), 'emailAddress'), 'address')}): it belongs to the owner of the mailbox`);
  if (document['isOnlineMeeting'] === true) losses.add('online-lost', 'that it is an online meeting: the link in its text is that of the old one');
  if (document['isCancelled'] === true) losses.add('cancelled-lost', 'that it was called off');
}
