import { textOf, type Entry } from '../../graph/pages.ts';
import { objectOf } from '../items/documents.ts';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** How something repeats, as a sentence; '' for what happens once, or in a way that is not known. */
export function recurrenceText(document: Entry): string {
  const recurrence = objectOf(document, 'recurrence');
  const pattern = objectOf(recurrence, 'pattern');
  const how = patternText(pattern);
  return how === '' ? '' : `${how}${rangeText(objectOf(recurrence, 'range'))}`;
}

function patternText(pattern: Entry): string {
  const number = (name: string): number => (typeof pattern[name] === 'number' ? pattern[name] : 0);
  const every = (unit: string): string => (number('interval') > 1 ? `Every ${number('interval')} ${unit}s` : `Every ${unit}`);
  const days = listed(Array.isArray(pattern['daysOfWeek']) ? pattern['daysOfWeek'].filter((one) => typeof one === 'string').slice(0, 7).map(capital) : []);
  const month = MONTHS[number('month') - 1] ?? '';
  switch (textOf(pattern, 'type')) {
    case 'daily': return every('day');
    case 'weekly': return days === '' ? every('week') : `${every('week')} on ${days}`;
    case 'absoluteMonthly': return `${every('month')} on day ${number('dayOfMonth')}`;
    case 'relativeMonthly': return `${every('month')} on the ${textOf(pattern, 'index')} ${days}`;
    case 'absoluteYearly': return `${every('year')} on ${number('dayOfMonth')} ${month}`;
    case 'relativeYearly': return `${every('year')} on the ${textOf(pattern, 'index')} ${days} of ${month}`;
    default: return '';
  }
}

function rangeText(range: Entry): string {
  const start = dateText(textOf(range, 'startDate'));
  const from = start === '' ? '' : `, from ${start}`;
  const times = range['numberOfOccurrences'];
  if (textOf(range, 'type') === 'numbered' && typeof times === 'number') return `${from}, ${times === 1 ? 'once' : `${times} times`}`;
  const end = textOf(range, 'type') === 'endDate' ? dateText(textOf(range, 'endDate')) : '';
  return end === '' ? from : `${from} until ${end}`;
}

function dateText(date: string): string {
  const [, year = '', month = '', day = ''] = /^(\d{4})-(\d\d)-(\d\d)/.exec(date) ?? [];
  const name = MONTHS[Number(month) - 1];
  return name === undefined || year === '0001' ? '' : `${Number(day)} ${name} ${year}`;
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
