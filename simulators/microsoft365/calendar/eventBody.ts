import type { PatternedRecurrence, RecurrenceRange } from '@microsoft/microsoft-graph-types';
import { badRequest } from '../server/graphFailure.ts';
import type { Properties } from '../odata/list.ts';
import { isPropertyOf } from '../odata/typeProperties.ts';
import { normalBody, previewOf } from '../mail/messageBody.ts';
import { datesOf } from './recurrence.ts';
import { isTimeZone, toUtc } from './timeZones.ts';
import type { ZonedTime } from './timeZones.ts';

/** Fact 63: set by the service alone; a body that has them is taken without them. */
const READ_ONLY = new Set(['id', 'createdDateTime', 'lastModifiedDateTime', 'changeKey', 'organizer', 'isOrganizer', 'responseStatus', 'iCalUId', 'type', 'seriesMasterId', 'webLink', 'bodyPreview',
  'hasAttachments', 'isCancelled', 'isDraft', 'originalStart', 'originalStartTimeZone', 'originalEndTimeZone', 'onlineMeeting', 'onlineMeetingUrl', 'cancelledOccurrences',
  'exceptionOccurrences', 'attachments', 'instances', 'calendar', 'singleValueExtendedProperties', 'multiValueExtendedProperties']);
const ENUMERATIONS = new Set(['importance', 'sensitivity']);

/** The writable properties of an event's body, in the service's own form. */
export function readEventBody(body: Properties): Properties {
  const read: Properties = {};
  for (const [name, value] of Object.entries(body)) {
    if (!isPropertyOf('event', name)) throw badRequest(`The property '${name}' does not exist on type 'microsoft.graph.event'.`, 'RequestBodyRead');
    if (READ_ONLY.has(name) || name.includes('@')) continue;
    read[name] = ENUMERATIONS.has(name) && typeof value === 'string' ? value.toLowerCase() : value;
  }
  if (read['start'] !== undefined) [read['start'], read['originalStartTimeZone']] = readTime(read['start']);
  if (read['end'] !== undefined) [read['end'], read['originalEndTimeZone']] = readTime(read['end']);
  if (isObject(read['body'])) {
    const normal = normalBody(read['body']);
    Object.assign(read, { body: normal, bodyPreview: previewOf(normal) });
  }
  if (Array.isArray(read['attendees'])) read['attendees'] = read['attendees'].map(readAttendee);
  if (isObject(read['location'])) {
    read['location'] = { locationType: 'default', ...read['location'] };
    read['locations'] ??= [read['location']];
  }
  if (isObject(read['recurrence'])) read['recurrence'] = readRecurrence(read['recurrence'], read['start'] as ZonedTime | undefined);
  return read;
}

function isObject(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null;
}

export function refuseOddTimes(properties: Properties): void {
  const [start, end] = [properties['start'] as ZonedTime | undefined, properties['end'] as ZonedTime | undefined];
  if (start === undefined || end === undefined) throw badRequest('An event needs start and end.', 'ErrorInvalidRequest');
  if (toUtc(end) < toUtc(start)) throw badRequest("The meeting's end is before its start.", 'ErrorCalendarEndDateIsEarlierThanStartDate');
  if (properties['isAllDay'] === true && (!start.dateTime.includes('T00:00:00') || !end.dateTime.includes('T00:00:00'))) {
    throw badRequest('An event of whole days starts and ends at midnight.', 'ErrorInvalidRequest');
  }
}

function readTime(value: unknown): [ZonedTime, string] {
  const { dateTime, timeZone } = (value ?? {}) as Partial<ZonedTime>;
  if (typeof dateTime !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?Z?$/.test(dateTime)) throw badRequest('A time has the form 2026-03-09T10:00:00.', 'ErrorInvalidRequest');
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) throw badRequest(`The time zone '${timeZone ?? ''}' is not known.`, 'TimeZoneNotSupportedException');
  const [, whole = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)/.exec(dateTime) ?? [];
  return [{ dateTime: `${whole.length === 16 ? `${whole}:00` : whole}.0000000`, timeZone }, timeZone];
}

function readAttendee(value: Properties): Properties {
  const type = typeof value['type'] === 'string' ? value['type'].toLowerCase() : 'required';
  return { ...value, type, status: { response: 'none', time: '0001-01-01T00:00:00Z' } };
}

function readRecurrence(value: PatternedRecurrence, start: ZonedTime | undefined): Properties {
  const { pattern, range } = value;
  if (pattern === null || pattern === undefined || range === null || range === undefined) throw badRequest('A recurrence needs a pattern and a range.', 'ErrorInvalidRequest');
  if (typeof pattern.interval !== 'number' || pattern.interval < 1) throw badRequest('The interval of a pattern is 1 or more.', 'ErrorInvalidRequest');
  refuseOddRange(range);
  const daysOfWeek = (pattern.daysOfWeek ?? []).map((day) => day.toLowerCase());
  const read = {
    pattern: { month: 0, dayOfMonth: 0, index: 'first', firstDayOfWeek: 'sunday', ...pattern, daysOfWeek },
    range: { numberOfOccurrences: 0, endDate: '0001-01-01', recurrenceTimeZone: start?.timeZone ?? 'UTC', ...range },
  };
  if (datesOf(read as PatternedRecurrence, '2100-01-01').next().done === true) throw badRequest('The pattern has no occurrence.', 'ErrorInvalidRequest');
  return read;
}

function refuseOddRange(range: RecurrenceRange): void {
  if (range.type === 'numbered' && (range.numberOfOccurrences ?? 0) < 1) throw badRequest('A numbered range needs numberOfOccurrences.', 'ErrorInvalidRequest');
  if (range.type === 'endDate' && typeof range.endDate !== 'string') throw badRequest('A range with an end needs endDate.', 'ErrorInvalidRequest');
}
