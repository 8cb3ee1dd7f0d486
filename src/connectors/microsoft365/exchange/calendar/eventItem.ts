import type { SourceItem } from '../../../contract.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { changeOf, listOf, objectOf, timeOf } from '../items/documents.ts';
import { personOf } from '../items/people.ts';
import { stampOf, withoutTag } from '../restore/shapes.ts';
import { eventShape } from './eventShape.ts';

/** The fields of an event's row; those that are empty are left out. */
export interface EventMeta {
  readonly start?: string;
  readonly end?: string;
  readonly allDay?: true;
  readonly location?: string;
  /** Who invited. */
  readonly from?: string;
  /** Who was invited. */
  readonly to?: string;
  readonly series?: true;
  readonly cancelled?: true;
  /** Of a meeting: the id that all its copies share, and a stamp of its fields. */
  readonly uid?: string;
  readonly stamp?: string;
}

/** An event as a list shows it: enough to tell whether it changed. Its other fields come with its content. */
export function listedEvent(entry: Entry, calendarId: string): SourceItem {
  const parent = `calendar/f/${calendarId}`;
  return {
    key: `calendar/i/${idOf(entry)}`, parent, name: textOf(entry, 'subject'), kind: 'event', size: 0, modified: timeOf(textOf(objectOf(entry, 'start'), 'dateTime')),
    change: changeOf(textOf(entry, 'changeKey'), textOf(entry, 'lastModifiedDateTime'), parent), meta: '',
  };
}

/** The row of an event whose document was read. The change key stays that of the list: what changed in between is found by the next run. */
export function eventItem(listed: SourceItem, document: Entry): SourceItem {
  const { key, parent, kind, size, change } = listed;
  return {
    key, parent, name: textOf(document, 'subject'), kind, size, modified: timeOf(textOf(objectOf(document, 'start'), 'dateTime')), change, meta: JSON.stringify(metaOf(document)),
  };
}

/** Nothing can be noted on a meeting without its people being told, so a restore knows it by these. */
function meetingOf(document: Entry): { readonly uid: string; readonly stamp: string } {
  if (listOf(document, 'attendees').length === 0) return { uid: '', stamp: '' };
  const { categories, ...shape } = eventShape(document);
  return { uid: textOf(document, 'iCalUId'), stamp: stampOf({ ...shape, categories: Array.isArray(categories) ? withoutTag(categories, undefined) : categories }) };
}

function metaOf(document: Entry): EventMeta {
  const fields: Record<keyof EventMeta, string | boolean> = {
    start: textOf(objectOf(document, 'start'), 'dateTime'), end: textOf(objectOf(document, 'end'), 'dateTime'), allDay: document['isAllDay'] === true,
    location: textOf(objectOf(document, 'location'), 'displayName'), from: personOf(document['organizer']),
    to: listOf(document, 'attendees').map(personOf).filter((person) => person !== '').join(', '),
    series: textOf(document, 'type') === 'seriesMaster', cancelled: document['isCancelled'] === true,
    ...meetingOf(document),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== false)) as EventMeta;
}
