import { expect, test } from 'vitest';
import { cardOf } from './cardOf.ts';
import { recurrenceText } from './recurrenceText.ts';

const fieldsOf = (kind: string, document: unknown, row: { name?: string; meta?: string } = {}): Record<string, unknown> => Object.fromEntries(
  cardOf({ kind, name: '', meta: '', ...row }, document).fields.filter(({ values }) => values.length > 0)
    .map(({ label, values }) => [label, values.map((one) => (one.type === 'person' ? [one.name, one.address, one.answer].filter(Boolean).join(' ') : one.type === 'time' ? one.local ?? one.time : one.text)).join(' | ')]),
);
const utc = (dateTime: string): object => ({ dateTime, timeZone: 'UTC' });
const somebody = (name: string): object => ({ emailAddress: { name, address: `${name.toLowerCase()}@example.test` } });

test('an event tells its times in its zone, its people with their answers, and what of its series is different', () => {
  expect(fieldsOf('event', {
    start: utc('2026-01-05T08:30:00.0000000'), end: utc('2026-01-05T09:00:00.0000000'), originalStartTimeZone: 'W. Europe Standard Time', originalEndTimeZone: 'nowhere', organizer: somebody('Ann'), location: { displayName: 'Room 1' },
    locations: [{ displayName: 'Room 1' }, { displayName: 'Room 2' }], importance: 'normal', showAs: 'busy', categories: ['Red', 'Blue'], isReminderOn: true, reminderMinutesBeforeStart: 15, responseStatus: { response: 'organizer' },
    attendees: [{ ...somebody('Ben'), type: 'required', status: { response: 'accepted' } }, { ...somebody('Cleo'), type: 'optional' }, { ...somebody('Beamer'), type: 'resource' }],
    recurrence: { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'] }, range: { type: 'noEnd', startDate: '2026-01-05' } },
    exceptionOccurrences: [{ start: utc('2026-07-06T10:00:00'), originalStartTimeZone: 'W. Europe Standard Time' }], cancelledOccurrences: ['OID.x.2026-01-12', 7],
  })).toEqual({
    'start': '2026-01-05T09:30:00', 'end': '2026-01-05T09:00:00.000Z', 'recurrence': 'Every week on Monday, from 5 January 2026', 'location': 'Room 1 | Room 2', 'organizer': 'Ann ann@example.test',
    'required': 'Ben ben@example.test accepted', 'optional': 'Cleo cleo@example.test', 'resources': 'Beamer beamer@example.test', 'show-as': 'busy', 'categories': 'Red | Blue', 'reminder-minutes': '15',
    'changed-occurrences': '2026-07-06T12:00:00', 'cancelled-occurrences': '2026-01-12',
  });
  expect(fieldsOf('event', { isAllDay: true, start: utc('2026-03-09T00:00:00'), end: utc('2026-03-11T00:00:00') })).toMatchObject({ start: '2026-03-09', end: '2026-03-10' });
  expect(cardOf({ kind: 'event', name: '', meta: '' }, { isCancelled: true }).remarks).toEqual([{ code: 'cancelled', message: 'The meeting was called off.' }]);
});

test('how something repeats is told in words', () => {
  const said = (pattern: object, range: object = {}): string => recurrenceText({ recurrence: { pattern, range } });
  expect(said({ type: 'daily', interval: 3 }, { type: 'numbered', startDate: '2026-01-05', numberOfOccurrences: 10 })).toBe('Every 3 days, from 5 January 2026, 10 times');
  expect(said({ type: 'weekly', interval: 2, daysOfWeek: ['monday', 'wednesday', 'friday'] }, { type: 'endDate', startDate: '2026-01-05', endDate: '2026-06-30' })).toBe('Every 2 weeks on Monday, Wednesday and Friday, from 5 January 2026 until 30 June 2026');
  expect(said({ type: 'absoluteMonthly', interval: 1, dayOfMonth: 31 })).toBe('Every month on day 31');
  expect(said({ type: 'relativeMonthly', interval: 1, daysOfWeek: ['tuesday'], index: 'second' }, { type: 'noEnd', startDate: '0001-01-01' })).toBe('Every month on the second Tuesday');
  expect(said({ type: 'absoluteYearly', interval: 1, dayOfMonth: 24, month: 12 })).toBe('Every year on 24 December');
  expect(said({ type: 'relativeYearly', interval: 1, daysOfWeek: ['sunday'], index: 'last', month: 3 })).toBe('Every year on the last Sunday of March');
  for (const nothing of [{}, { type: 'other' }, { type: 7 }]) expect(said(nothing)).toBe('');
});

test('contacts, tasks, settings and notes tell what they have', () => {
  const contact = {
    displayName: 'Ann Ant', companyName: 'Ants', businessPhones: ['1', '2'], emailAddresses: [{ name: 'Ann', address: 'ann@example.test' }], homeAddress: { street: 'Way 1', postalCode: '123', city: 'Town', countryOrRegion: 'Land' },
    birthday: '1980-02-03T11:59:00Z', personalNotes: '<b>no page</b>', '@holdfast.photo': { contentType: 'image/png', contentBytes: 'AAAA' },
  };
  expect(fieldsOf('contact', contact)).toEqual({ 'name': 'Ann Ant', 'company': 'Ants', 'email': 'Ann ann@example.test', 'business-phone': '1 | 2', 'home-address': 'Way 1\n123 Town\nLand', 'birthday': '1980-02-03' });
  expect(cardOf({ kind: 'contact', name: 'ann', meta: '' }, { ...contact, displayName: '' })).toMatchObject({ title: 'ann', picture: 'AAAA', body: { html: false, text: '<b>no page</b>' } });
  expect(fieldsOf('task', { title: 'x', status: 'inProgress', importance: 'high', dueDateTime: utc('2026-03-09T00:00:00'), checklistItems: [{ displayName: 'one', isChecked: true }, { displayName: 'two' }], linkedResources: [{ displayName: 'mail', webUrl: 'https://a.test' }] }))
    .toEqual({ status: 'inProgress', importance: 'high', due: '2026-03-09', steps: '☑ one | ☐ two', links: 'mail https://a.test' });
  const settings = { timeZone: 'UTC', workingHours: { daysOfWeek: ['monday', 'friday'] }, automaticRepliesSetting: { status: 'scheduled', internalReplyMessage: '<p>away</p>' }, isOn: true, id: 'x', '@odata.etag': 'y' };
  expect(fieldsOf('setting', settings)).toEqual({ 'timeZone': 'UTC', 'workingHours.daysOfWeek': 'monday | friday', 'automaticRepliesSetting.status': 'scheduled', 'isOn': 'true' });
  expect(cardOf({ kind: 'setting', name: 'Mailbox settings', meta: '' }, settings)).toMatchObject({ title: 'Mailbox settings', body: { html: true, text: '<p>away</p>' } });
  expect(fieldsOf('note', undefined, { name: 'Buy milk', meta: '{"created":"2026-03-09T10:00:00Z","categories":["Red"]}' })).toEqual({ text: 'Buy milk', created: '2026-03-09T10:00:00.000Z', categories: 'Red' });
});

test('no JSON makes it throw', () => {
  const odd = [undefined, null, 7, 'x', [], {}, { attendees: [null, 1, {}], attachments: 'x', recurrence: [], start: null, categories: [{}] }, { start: { dateTime: '99999-99-99' }, end: { dateTime: '+275760-09-13T00:00:00' }, isAllDay: true }];
  for (const kind of ['event', 'contact', 'task', 'setting', 'note', 'gap', 'unknown']) for (const document of odd) expect(cardOf({ kind, name: 'n', meta: '{' }, document).parts).toBeInstanceOf(Array);
});
