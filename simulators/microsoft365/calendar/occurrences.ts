import type { PatternedRecurrence } from '@microsoft/microsoft-graph-types';
import type { Item } from '../mailbox/item.ts';
import type { Properties } from '../odata/list.ts';
import { toUtc, toZoned } from './timeZones.ts';
import type { ZonedTime } from './timeZones.ts';
import { datesOf } from './recurrence.ts';

export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface Occurrence {
  /** Of its original start, in the series' own zone. */
  readonly date: string;
  readonly type: 'occurrence' | 'exception';
  readonly properties: Properties;
  readonly version: number;
  readonly modified: number;
}

const DAY = 86_400_000;

export function isSeries(item: Item): boolean {
  return item.properties['recurrence'] !== null && item.properties['recurrence'] !== undefined;
}

export function isInWindow(properties: Properties, window: Window): boolean {
  const [start, end] = [toUtc(properties['start'] as ZonedTime), toUtc(properties['end'] as ZonedTime)];
  return start < window.to && (end > window.from || start >= window.from);
}

/** Occurrences and exceptions of a series that touch the window; cancelled ones are none. An exception counts where it was moved to. */
export function* occurrencesIn(item: Item, window: Window): Generator<Occurrence> {
  const exceptions = [...item.series?.exceptions.keys() ?? []];
  // A day around the window, since dates are those of the series' own zone; exceptions may come from farther away.
  const last = new Date(window.to + 2 * DAY).toISOString().slice(0, 10);
  const latest = exceptions.reduce((latestSoFar, date) => (date > latestSoFar ? date : latestSoFar), last);
  const first = new Date(window.from - 2 * DAY - lengthOf(item)).toISOString().slice(0, 10);
  for (const date of datesOf(item.properties['recurrence'] as PatternedRecurrence, latest)) {
    if (date < first && !exceptions.includes(date)) continue;
    const found = occurrenceAt(item, date);
    if (found !== undefined && isInWindow(found.properties, window)) yield found;
  }
}

/** The occurrence of a date, if the series has one that is not cancelled. */
export function occurrenceOf(item: Item, date: string): Occurrence | undefined {
  for (const found of datesOf(item.properties['recurrence'] as PatternedRecurrence, date)) if (found === date) return occurrenceAt(item, date);
  return undefined;
}

function occurrenceAt(item: Item, date: string): Occurrence | undefined {
  if (item.series?.cancelled.has(date) === true) return undefined;
  const master = item.properties;
  const start = master['start'] as ZonedTime;
  const began = toUtc(start);
  const at: ZonedTime = { dateTime: `${date}T${start.dateTime.slice(11)}`, timeZone: start.timeZone };
  const original = toUtc(at);
  const end = toZoned(original + lengthOf(item, began), (master['end'] as ZonedTime).timeZone);
  const exception = item.series?.exceptions.get(date);
  return {
    date,
    type: exception === undefined ? 'occurrence' : 'exception',
    version: exception?.version ?? item.version,
    modified: exception?.modified ?? item.modified,
    properties: { ...master, recurrence: null, originalStart: new Date(original).toISOString().replace('.000Z', 'Z'), start: at, end, ...exception?.properties },
  };
}

function lengthOf(item: Item, began = toUtc(item.properties['start'] as ZonedTime)): number {
  return toUtc(item.properties['end'] as ZonedTime) - began;
}
