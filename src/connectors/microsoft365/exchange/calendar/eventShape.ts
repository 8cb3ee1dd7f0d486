import { textOf, type Entry } from '../../graph/pages.ts';
import { listOf, objectOf } from '../items/documents.ts';
import { attachmentMark } from '../restore/keptAttachments.ts';
import { recurrenceOf } from '../restore/recurrence.ts';
import { pick } from '../restore/shapes.ts';
import { momentOf } from './zonedTime.ts';

/** The fields that an event, and an exception of a series, can be given at any time. */
export const PLAIN_FIELDS: readonly string[] = ['subject', 'importance', 'sensitivity', 'showAs', 'categories', 'isReminderOn', 'reminderMinutesBeforeStart', 'location', 'locations'];
/** Those that an exception has not of its own. */
export const WHOLE_FIELDS: readonly string[] = ['hideAttendees', 'responseRequested', 'allowNewTimeProposals'];
/** All of an event that can be set, and who takes part. */
export function eventShape(document: Entry): Entry {
  return {
    ...pick(document, [...PLAIN_FIELDS, ...WHOLE_FIELDS]), ...timesOf(document), body: bodyOf(document), isAllDay: document['isAllDay'] === true,
    zone: document['isAllDay'] === true ? null : textOf(document, 'originalStartTimeZone'), recurrence: recurrenceOf(document),
    attendees: listOf(document, 'attendees').map((attendee) => textOf(objectOf(attendee, 'emailAddress'), 'address').toLowerCase()).sort((a, b) => (a < b ? -1 : 1)),
    attachments: listOf(document, 'attachments').map(attachmentMark).sort((a, b) => (a < b ? -1 : 1)),
    exceptions: listOf(document, 'exceptionOccurrences').map(exceptionShape).sort((a, b) => Number(a['originalStart']) - Number(b['originalStart'])),
    cancelled: cancelledDates(document),
  };
}

function exceptionShape(exception: Entry): Entry {
  return { ...pick(exception, PLAIN_FIELDS), ...timesOf(exception), body: bodyOf(exception), originalStart: originalStart(exception) };
}

/** When an occurrence would have begun, milliseconds since 1970. */
export function originalStart(occurrence: Entry): number {
  return Date.parse(textOf(occurrence, 'originalStart'));
}

/** The days of a series that do not take place, as the zone of the series counts them: 'OID.<id of the master>.2027-03-15' each. */
export function cancelledDates(document: Entry): readonly string[] {
  const { cancelledOccurrences } = document;
  const dates = Array.isArray(cancelledOccurrences) ? cancelledOccurrences.map((id: unknown) => /(\d{4}-\d\d-\d\d)$/.exec(String(id))?.[1] ?? '') : [];
  return dates.filter((date) => date !== '').sort((a, b) => (a < b ? -1 : 1));
}

function timesOf(document: Entry): Entry {
  return { start: momentOf(document['start']), end: momentOf(document['end']) };
}

/** Line ends and the space after the last word say nothing. */
function bodyOf(document: Entry): Entry {
  const { contentType, content } = objectOf(document, 'body');
  return { contentType: String(contentType).toLowerCase(), content: typeof content === 'string' ? content.replaceAll('\r\n', '\n').trimEnd() : '' };
}
