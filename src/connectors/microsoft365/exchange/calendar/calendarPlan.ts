import { textOf, type Entry } from '../../graph/pages.ts';
import { objectOf } from '../items/documents.ts';
import type { FolderedPlan } from '../items/folderedService.ts';
import { CALENDAR_PURPOSE, eventContent } from './eventContent.ts';
import { listedEvent } from './eventItem.ts';

const NAME = 'calendar';
/** The short form in which events are listed. */
export const EVENT_OPTIONS = '$select=id,changeKey,lastModifiedDateTime,subject,start';

/**
 * Calendars: single events and series. They are listed whole each time, in short form: the delta query that is documented tells only a window of time, with
 * every occurrence in it (fact 30), and what is outside would be lost. See docs/decisions/0033.
 */
export const calendarPlan: FolderedPlan = {
  name: NAME, title: 'Calendars', kind: 'event', nouns: ['event', 'events'], requests: 3,
  folders: {
    name: NAME, title: 'Calendars', purpose: CALENDAR_PURPOSE, mode: 'list', named: 'name', volatile: ['changeKey'],
    start: (base) => `${base}/calendars`,
    isForeign,
  },
  items: {
    purpose: CALENDAR_PURPOSE, mode: 'list',
    keys: { folders: `${NAME}/f/`, items: `${NAME}/i/`, notices: `${NAME}/x/` },
    start: (base, id) => `${base}/calendars/${encodeURIComponent(id)}/events?${EVENT_OPTIONS}`,
    listed: listedEvent,
    isSame: () => false,
    streamChange: ({ change }) => change,
  },
  content: eventContent,
};

/** Calendars that others share are listed among one's own. */
function isForeign(calendar: Entry, all: readonly Entry[]): boolean {
  const [own] = all.filter((one) => one['isDefaultCalendar'] === true).map(ownerOf);
  return own !== undefined && own !== '' && ownerOf(calendar) !== '' && ownerOf(calendar) !== own;
}

function ownerOf(calendar: Entry): string {
  return textOf(objectOf(calendar, 'owner'), 'address').toLowerCase();
}
