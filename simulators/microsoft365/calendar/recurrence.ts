import type { PatternedRecurrence, RecurrencePattern, RecurrenceRange } from '@microsoft/microsoft-graph-types';
import { badRequest } from '../server/graphFailure.ts';

const DAY = 86_400_000;
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const PLACES: Readonly<Record<string, number>> = { first: 0, second: 1, third: 2, fourth: 3, last: -1 };
/** A pattern that never fits (30 February) ends here. */
const MOST_PERIODS = 20_000;

/** The dates on which a series takes place, '2026-03-09', from the first on up to `last` at most; exceptions and cancelled ones included. */
export function* datesOf({ pattern, range }: PatternedRecurrence, last: string): Generator<string> {
  const startDate = range?.startDate ?? '';
  if (!isGiven(pattern) || !isGiven(range) || startDate === '') throw badRequest('A recurrence needs a pattern and a range.');
  const end = endOf(range, last);
  const most = range.type === 'numbered' ? range.numberOfOccurrences ?? 1 : Infinity;
  const start = Date.parse(startDate) / DAY;
  let count = 0;
  for (let period = 0; period < MOST_PERIODS; period++) {
    const periods = period * (pattern.interval ?? 1);
    if (dateOf(firstDayOf(pattern, start, periods)) > end) return;
    for (const date of daysOfPeriod(pattern, start, periods).map(dateOf)) {
      if (date < startDate) continue;
      if (date > end || count === most) return;
      count += 1;
      yield date;
    }
  }
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

function endOf(range: RecurrenceRange, last: string): string {
  return range.type === 'endDate' && isGiven(range.endDate) && range.endDate < last ? range.endDate : last;
}

function dateOf(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** Days since 1970 in the period (day, week, month or year) that is so many periods after that of the start. */
function daysOfPeriod(pattern: RecurrencePattern, start: number, periods: number): number[] {
  const first = firstDayOf(pattern, start, periods);
  const weekdays = (pattern.daysOfWeek ?? []).map((name) => WEEKDAYS.indexOf(name.toLowerCase())).toSorted((a, b) => a - b);
  switch (pattern.type) {
    case 'daily': return [first];
    case 'weekly': {
      const begin = WEEKDAYS.indexOf(pattern.firstDayOfWeek ?? 'sunday');
      return weekdays.map((weekday) => first + ((weekday - begin + 7) % 7)).toSorted((a, b) => a - b);
    }
    case 'absoluteMonthly':
    case 'absoluteYearly': return [Math.min(first + (pattern.dayOfMonth ?? 1) - 1, first + lengthOfMonth(first) - 1)];
    case 'relativeMonthly':
    case 'relativeYearly': return relativeDay(first, weekdays, PLACES[pattern.index ?? 'first'] ?? 0);
    default: throw badRequest(`The pattern '${pattern.type ?? ''}' is not known.`);
  }
}

function firstDayOf(pattern: RecurrencePattern, start: number, periods: number): number {
  if (pattern.type === 'daily') return start + periods;
  const date = new Date(start * DAY);
  if (pattern.type === 'weekly') {
    const begin = WEEKDAYS.indexOf(pattern.firstDayOfWeek ?? 'sunday');
    return start - ((date.getUTCDay() - begin + 7) % 7) + 7 * periods;
  }
  const isYearly = pattern.type === 'absoluteYearly' || pattern.type === 'relativeYearly';
  const month = isYearly ? (pattern.month ?? 1) - 1 : date.getUTCMonth() + periods;
  return Date.UTC(date.getUTCFullYear() + (isYearly ? periods : 0), month, 1) / DAY;
}

function relativeDay(first: number, weekdays: readonly number[], place: number): number[] {
  const days = Array.from({ length: lengthOfMonth(first) }, (_, day) => first + day).filter((day) => weekdays.includes(new Date(day * DAY).getUTCDay()));
  const found = days.at(place);
  return found === undefined ? [] : [found];
}

function lengthOfMonth(first: number): number {
  const date = new Date(first * DAY);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}
