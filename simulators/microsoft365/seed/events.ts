import type { Event, PatternedRecurrence } from '@microsoft/microsoft-graph-types';
import type { Item, Series } from '../mailbox/item.ts';
import type { SeededItems } from '../mailbox/shelf.ts';
import type { Properties } from '../odata/list.ts';
import { makeAttachments } from './attachments.ts';
import type { Dice } from './dice.ts';
import { correspondent, diceOf, emailAddress, SEED_EPOCH } from './owner.ts';
import type { Owner } from './owner.ts';
import type { Person } from './people.ts';
import { categoriesOf, htmlBody, subjectOf, textOfHtml } from './texts.ts';

const DAY = 86_400_000;
const ZONES = ['W. Europe Standard Time', 'UTC', 'Pacific Standard Time'];
/** Every eighth event is a series; of those, some have a moved and a cancelled occurrence. */
const SERIES_EVERY = 8;

export function seededEvents(owner: Owner, name: string, count: number): SeededItems {
  return { name, count, rankOf: (index) => -index, make: (index) => makeEvent(owner, name, index) };
}

function makeEvent(owner: Owner, name: string, index: number): Item {
  const dice = diceOf(owner, 'event', name, index);
  // Around the epoch: a year back, half a year on; series start on a Monday to Friday of their week.
  const day = Math.floor(SEED_EPOCH / DAY) - 365 + dice.int(540);
  const isSeries = index % SERIES_EVERY === 3;
  const start = isSeries ? mondayOf(day) + dice.int(5) : day;
  const date = new Date(start * DAY).toISOString().slice(0, 10);
  const created = start * DAY - (1 + dice.int(30)) * DAY;
  const attachments = makeAttachments(owner, dice, `${name} ${index}`, created);
  const event = compose(owner, dice, { index, date, isSeries, hasAttachments: attachments.length > 0 });
  const series = isSeries ? { series: makeSeries(dice, start, event) } : {};
  return {
    key: `${name}.${index}`, kind: 'event', rank: -index, moves: 0, version: 0, created, modified: created, properties: event as Properties, extended: [], attachments, ...series,
  };
}

function compose(owner: Owner, dice: Dice, draw: { index: number; date: string; isSeries: boolean; hasAttachments: boolean }): Event {
  const { date, isSeries } = draw;
  const hour = 8 + dice.int(9);
  const isAllDay = !isSeries && dice.chance(0.1);
  const zone = isAllDay ? 'UTC' : dice.pick(ZONES);
  const at = (hours: number): string => `${date}T${String(hours).padStart(2, '0')}:00:00.0000000`;
  const next = new Date(Date.parse(date) + DAY).toISOString().slice(0, 10);
  const others = Array.from({ length: dice.int(4) }, () => correspondent(owner, dice));
  const html = htmlBody(dice, 'all', owner.person.displayName);
  const room = `Room ${1 + dice.int(40)}`;
  return {
    subject: subjectOf(dice), body: { contentType: 'html', content: html }, bodyPreview: textOfHtml(html).slice(0, 255),
    start: { dateTime: isAllDay ? at(0) : at(hour), timeZone: zone },
    end: { dateTime: isAllDay ? `${next}T00:00:00.0000000` : at(hour + 1), timeZone: zone },
    originalStartTimeZone: zone, originalEndTimeZone: zone, isAllDay,
    location: { displayName: room, locationType: 'default', uniqueId: room, uniqueIdType: 'private' },
    locations: [{ displayName: room, locationType: 'default', uniqueId: room, uniqueIdType: 'private' }],
    attendees: others.map((person) => ({ type: 'required', status: { response: dice.pick(['accepted', 'none', 'tentativelyAccepted']), time: '0001-01-01T00:00:00Z' }, ...emailAddress(person) })),
    ...calledBy(owner, others[0], draw.index), responseRequested: true,
    showAs: dice.pick(['busy', 'free', 'tentative', 'oof']), importance: 'normal', sensitivity: dice.chance(0.05) ? 'private' : 'normal', categories: categoriesOf(dice),
    isReminderOn: true, reminderMinutesBeforeStart: 15, hasAttachments: draw.hasAttachments, hideAttendees: false, isDraft: false,
    onlineMeetingUrl: null, allowNewTimeProposals: true, transactionId: null,
    iCalUId: `040000008200E00074C5B7101A82E008${dice.bytes(16).toString('hex').toUpperCase()}`,
    webLink: `https://outlook.office365.com/owa/?itemid=${draw.index}&exvsurl=1&path=/calendar/item`,
    recurrence: isSeries ? recurrenceFrom(dice, date) : null,
  };
}

function recurrenceFrom(dice: Dice, date: string): PatternedRecurrence {
  const weekday = new Date(date).toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' }).toLowerCase() as 'monday';
  const range = dice.chance(0.5)
    ? { type: 'numbered' as const, startDate: date, numberOfOccurrences: 6 + dice.int(20), recurrenceTimeZone: 'UTC', endDate: '0001-01-01' }
    : { type: 'noEnd' as const, startDate: date, numberOfOccurrences: 0, recurrenceTimeZone: 'UTC', endDate: '0001-01-01' };
  const common = { month: 0, index: 'first' as const, firstDayOfWeek: 'sunday' as const };
  const pattern = dice.chance(0.7)
    ? { ...common, type: 'weekly' as const, interval: 1 + dice.int(2), daysOfWeek: [weekday], dayOfMonth: 0 }
    : { ...common, type: 'absoluteMonthly' as const, interval: 1, daysOfWeek: [], dayOfMonth: Number(date.slice(8)) };
  return { pattern, range };
}

/** One meeting in six was called by somebody else and takes place online; of those, every second was called off. */
function calledBy(owner: Owner, other: Person | undefined, index: number): Event {
  if (other === undefined || index % 6 !== 4) {
    const responseStatus = { response: 'organizer' as const, time: '0001-01-01T00:00:00Z' };
    return { organizer: emailAddress(owner.person), isOrganizer: true, responseStatus, isCancelled: false, isOnlineMeeting: false, onlineMeetingProvider: 'unknown', onlineMeeting: null };
  }
  return {
    organizer: emailAddress(other), isOrganizer: false, responseStatus: { response: 'accepted', time: '2026-01-01T00:00:00Z' }, isCancelled: index % 12 === 4,
    isOnlineMeeting: true, onlineMeetingProvider: 'teamsForBusiness', onlineMeeting: { joinUrl: `https://meet.example/${index}` },
  };
}

/** The second occurrence of a weekly series starts an hour later and elsewhere, the third is cancelled. */
function makeSeries(dice: Dice, start: number, event: Event): Series {
  const series: Series = { exceptions: new Map(), cancelled: new Set() };
  const pattern = event.recurrence?.pattern;
  if (pattern?.type !== 'weekly' || !dice.chance(0.7)) return series;
  const dateOf = (week: number): string => new Date((start + 7 * week * (pattern.interval ?? 1)) * DAY).toISOString().slice(0, 10);
  const later = (time: string | undefined): string => `${dateOf(1)}T${String(Number(time?.slice(11, 13)) + 1).padStart(2, '0')}:00:00.0000000`;
  const zone = event.start?.timeZone ?? 'UTC';
  series.exceptions.set(dateOf(1), {
    version: 0, modified: start * DAY,
    properties: {
      subject: `${event.subject ?? ''} (moved)`, location: { displayName: 'Canteen', locationType: 'default', uniqueId: 'Canteen', uniqueIdType: 'private' },
      start: { dateTime: later(event.start?.dateTime), timeZone: zone }, end: { dateTime: later(event.end?.dateTime), timeZone: zone },
    },
  });
  series.cancelled.add(dateOf(2));
  return series;
}

/** 1970-01-01 was a Thursday. */
function mondayOf(day: number): number {
  return day - ((day + 3) % 7);
}
