import { textOf, type Entry } from '../../graph/pages.ts';
import { objectOf } from '../items/documents.ts';

/** Which parts of a pattern say something, by its type; what else the service shows is filling. */
const PATTERN_PARTS: Readonly<Record<string, readonly string[]>> = {
  daily: [], weekly: ['daysOfWeek', 'firstDayOfWeek'], absoluteMonthly: ['dayOfMonth'], relativeMonthly: ['daysOfWeek', 'index'],
  absoluteYearly: ['dayOfMonth', 'month'], relativeYearly: ['daysOfWeek', 'index', 'month'],
};
const RANGE_PARTS: Readonly<Record<string, readonly string[]>> = { noEnd: [], endDate: ['endDate'], numbered: ['numberOfOccurrences'] };

/** The recurrence with the parts alone that say something; null for what happens once. */
export function recurrenceOf(document: Entry): Entry | null {
  const recurrence = objectOf(document, 'recurrence');
  const [pattern, range] = [objectOf(recurrence, 'pattern'), objectOf(recurrence, 'range')];
  if (Object.keys(pattern).length === 0) return null;
  const parts = PATTERN_PARTS[textOf(pattern, 'type')] ?? Object.keys(pattern);
  const ends = RANGE_PARTS[textOf(range, 'type')] ?? Object.keys(range);
  return { pattern: given(pattern, ['type', 'interval', ...parts]), range: given(range, ['type', 'startDate', 'recurrenceTimeZone', ...ends]) };
}

function given(document: Entry, names: readonly string[]): Entry {
  return Object.fromEntries(names.filter((name) => document[name] !== undefined && document[name] !== null && document[name] !== '').map((name) => [name, document[name]]));
}
