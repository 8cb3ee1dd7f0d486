import type { PreviewCard, PreviewField } from '../../../../domain/index.ts';
import { textOf, type Entry } from '../../graph/pages.ts';
import { listOf, objectOf } from '../items/documents.ts';
import { bodyOf, day, field, partsOf, person, term, text, texts, time } from './cardValues.ts';
import { recurrenceText } from './recurrenceText.ts';

/** An event as people see it. */
export function eventCard(document: Entry): PreviewCard {
  const attendees = (type: string): readonly Entry[] => listOf(document, 'attendees').filter((one) => (textOf(one, 'type') || 'required') === type);
  const people = (type: string): PreviewField['values'] => attendees(type).map((one) => person(one, textOf(objectOf(one, 'status'), 'response')));
  return {
    title: textOf(document, 'subject'), ...bodyOf(document), parts: partsOf(document),
    fields: [
      ...times(document), field('recurrence', text(recurrenceText(document))), field('location', ...places(document)), field('organizer', person(objectOf(document, 'organizer'))),
      field('required', ...people('required')), field('optional', ...people('optional')), field('resources', ...people('resource')),
      field('response', term(objectOf(document, 'responseStatus'), 'response', 'none', 'organizer')), field('show-as', term(document, 'showAs')), field('importance', term(document, 'importance', 'normal')),
      field('sensitivity', term(document, 'sensitivity', 'normal')), field('categories', ...texts(document, 'categories')), field('online-meeting', text(objectOf(document, 'onlineMeeting')['joinUrl'])),
      field('reminder-minutes', document['isReminderOn'] === true ? text(document['reminderMinutesBeforeStart']) : undefined),
      field('changed-occurrences', ...listOf(document, 'exceptionOccurrences').map((one) => time(one['start'], textOf(one, 'originalStartTimeZone')))),
      field('cancelled-occurrences', ...cancelled(document)),
    ],
    remarks: document['isCancelled'] === true ? [{ code: 'cancelled', message: 'The meeting was called off.' }] : [],
  };
}

/** Days have no hours; the service tells the day after the last one. */
function times(document: Entry): PreviewField[] {
  const { start, end } = document;
  if (document['isAllDay'] === true) return [field('start', day(start)), field('end', day(end, 1))];
  return [field('start', time(start, textOf(document, 'originalStartTimeZone'))), field('end', time(end, textOf(document, 'originalEndTimeZone')))];
}

function places(document: Entry): PreviewField['values'] {
  const names = [objectOf(document, 'location'), ...listOf(document, 'locations')].map((one) => textOf(one, 'displayName')).filter((name) => name !== '');
  return [...new Set(names)].map((name) => ({ type: 'text', text: name }));
}

/** Ids of cancelled occurrences end with their day. */
function cancelled(document: Entry): PreviewField['values'] {
  const ids = document['cancelledOccurrences'];
  return (Array.isArray(ids) ? ids : []).flatMap((id) => {
    const date = typeof id === 'string' ? /\d{4}-\d\d-\d\d$/.exec(id)?.[0] : undefined;
    return date === undefined ? [] : [{ type: 'day' as const, text: date }];
  });
}
