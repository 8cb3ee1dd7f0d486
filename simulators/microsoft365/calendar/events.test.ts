import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestAnswer, TestClient } from '../testClient.ts';

let client: TestClient;

beforeEach(async () => {
  client = await startTestClient();
});

afterEach(() => client.simulator.close());

const ZONE = 'W. Europe Standard Time';
const MARCH = 'startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-05-01T00:00:00Z';

function series(changes: Record<string, unknown> = {}): Promise<TestAnswer> {
  return client.ask('POST', `${client.me}/events`, { body: {
    subject: 'Weekly', start: { dateTime: '2027-03-01T10:00:00', timeZone: ZONE }, end: { dateTime: '2027-03-01T11:00:00', timeZone: ZONE },
    recurrence: { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'] }, range: { type: 'numbered', startDate: '2027-03-01', numberOfOccurrences: 6 } }, ...changes,
  } });
}

async function instances(id: string, prefer?: string): Promise<any[]> {
  return (await client.all(`${client.me}/events/${id}/instances?${MARCH}&$top=2`, prefer)).entries;
}

test('a series has occurrences in a window, in UTC unless a zone is preferred, through the change of the clock (fact 61)', async () => {
  const master = (await series()).json;
  expect(master).toMatchObject({ type: 'seriesMaster', seriesMasterId: null });
  const found = await instances(master.id);
  expect(found.map(({ type, seriesMasterId }) => [type, seriesMasterId])).toEqual(Array.from({ length: 6 }, () => ['occurrence', master.id]));
  expect(found.map(({ start }) => start.dateTime.slice(0, 16))).toEqual(['2027-03-01T09:00', '2027-03-08T09:00', '2027-03-15T09:00', '2027-03-22T09:00', '2027-03-29T08:00', '2027-04-05T08:00']);
  const local = await instances(master.id, `outlook.timezone="${ZONE}"`);
  expect(local.every(({ start }) => start.dateTime.includes('T10:00') && start.timeZone === ZONE)).toBe(true);
});

test('a changed occurrence is an exception, a deleted one is cancelled, and the master tells both (facts 62 and 63)', async () => {
  const { id } = (await series()).json;
  const [first, second, third] = await instances(id);
  const changed = await client.ask('PATCH', `${client.me}/events/${second.id}`, { body: { subject: 'Moved', start: { dateTime: '2027-03-09T14:00:00', timeZone: ZONE }, end: { dateTime: '2027-03-09T15:00:00', timeZone: ZONE } } });
  expect(changed.json).toMatchObject({ id: second.id, type: 'exception', subject: 'Moved', originalStart: '2027-03-08T09:00:00Z' });
  expect((await client.ask('DELETE', `${client.me}/events/${third.id}`)).status).toBe(204);
  expect((await client.get(`${client.me}/events/${third.id}`)).status).toBe(404);
  const now = await instances(id);
  expect(now.map(({ type }) => type)).toEqual(['occurrence', 'exception', 'occurrence', 'occurrence', 'occurrence']);
  expect(now[0].id).toBe(first.id);
  const master = (await client.get(`${client.me}/events/${id}?$select=subject,cancelledOccurrences&$expand=exceptionOccurrences`)).json;
  expect(master.cancelledOccurrences).toEqual([`OID.${id}.2027-03-15`]);
  expect(master.exceptionOccurrences).toMatchObject([{ id: second.id, subject: 'Moved' }]);
  expect((await client.get(`${client.me}/events/${id}`)).json, 'only when selected').not.toHaveProperty('cancelledOccurrences');
});

test('attendees get an invitation, with no way to avoid it; transactionId makes a repeated create one event (fact 63)', async () => {
  const attendees = [{ emailAddress: { address: 'a@b.example', name: 'A' }, type: 'Required' }];
  const first = await series({ attendees, transactionId: 'once' });
  const again = await series({ attendees, transactionId: 'once' });
  expect(again.json.id).toBe(first.json.id);
  expect(client.simulator.sentMails()).toEqual([{ kind: 'invitation', from: client.address, to: ['a@b.example'], subject: 'Weekly' }]);
});

test('organizer, iCalUId, responseStatus and createdDateTime are not settable (fact 63)', async () => {
  const { json } = await series({ organizer: { emailAddress: { address: 'x@y.example', name: 'X' } }, iCalUId: 'mine', createdDateTime: '2001-01-01T00:00:00Z', responseStatus: { response: 'declined' } });
  expect(json).toMatchObject({ organizer: { emailAddress: { address: client.address } }, createdDateTime: '2026-07-01T09:00:00Z', responseStatus: { response: 'organizer' } });
  expect(json.iCalUId).not.toBe('mine');
});

test.each([
  ['no end', { end: undefined }], ['an end before the start', { end: { dateTime: '2027-02-01T00:00:00', timeZone: ZONE } }], ['an unknown zone', { start: { dateTime: '2027-03-01T10:00:00', timeZone: 'Nowhere' } }],
  ['whole days that begin at ten', { isAllDay: true }], ['an interval of 0', { recurrence: { pattern: { type: 'daily', interval: 0 }, range: { type: 'noEnd', startDate: '2027-03-01' } } }], ['an unknown property', { nonsense: 1 }],
])('an event with %s is 400', async (_, changes) => {
  expect((await series(changes)).status).toBe(400);
});

test.each([
  ['daily', { type: 'daily', interval: 2 }, ['2027-03-01', '2027-03-03', '2027-03-05']],
  ['weekly on two days', { type: 'weekly', interval: 2, daysOfWeek: ['tuesday', 'friday'] }, ['2027-03-02', '2027-03-05', '2027-03-16']],
  ['absoluteMonthly on the 31st', { type: 'absoluteMonthly', interval: 1, dayOfMonth: 31 }, ['2027-03-31', '2027-04-30', '2027-05-31']],
  ['relativeMonthly', { type: 'relativeMonthly', interval: 1, daysOfWeek: ['thursday'], index: 'last' }, ['2027-03-25', '2027-04-29', '2027-05-27']],
  ['absoluteYearly', { type: 'absoluteYearly', interval: 1, month: 7, dayOfMonth: 4 }, ['2027-07-04', '2028-07-04', '2029-07-04']],
])('the pattern %s has its dates', async (_, pattern, dates) => {
  const { json } = await series({ recurrence: { pattern, range: { type: 'numbered', startDate: '2027-03-01', numberOfOccurrences: 3 } } });
  const { entries } = await client.all(`${client.me}/events/${json.id}/instances?startDateTime=2027-01-01&endDateTime=2031-01-01`);
  expect(entries.map(({ start }) => start.dateTime.slice(0, 10))).toEqual(dates);
});

test('calendarView needs its window, and holds occurrences but no masters', async () => {
  expect((await client.get(`${client.me}/calendarView`)).status).toBe(400);
  await series();
  const { entries } = await client.all(`${client.me}/calendarView?${MARCH}&$top=3`);
  expect(entries.length).toBeGreaterThanOrEqual(6);
  expect(entries.map(({ type }) => type)).not.toContain('seriesMaster');
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
});

test('delta over a window tells single events, masters, occurrences and exceptions; deleted ones are @removed, reason deleted (fact 30)', async () => {
  const delta = `${client.me}/calendarView/delta?${MARCH}`;
  const { id } = (await series()).json;
  const round = await client.all(delta, 'odata.maxpagesize=3');
  const types = new Set(round.entries.filter((entry) => entry.id === id || entry.seriesMasterId === id).map(({ type }) => type));
  expect(types).toEqual(new Set(['seriesMaster', 'occurrence']));
  const [first, second] = await instances(id);
  await client.ask('DELETE', `${client.me}/events/${first.id}`);
  await client.ask('PATCH', `${client.me}/events/${second.id}`, { body: { subject: 'Other' } });
  const next = await client.all(round.last['@odata.deltaLink'], 'odata.maxpagesize=3');
  expect(next.entries).toContainEqual({ '@removed': { reason: 'deleted' }, id: first.id });
  expect(next.entries.find((entry) => entry.id === second.id)).toMatchObject({ type: 'exception', subject: 'Other' });
  await client.ask('DELETE', `${client.me}/events/${id}`);
  expect((await client.all(next.last['@odata.deltaLink'])).entries).toContainEqual({ '@removed': { reason: 'deleted' }, id });
});

test('the seed has series with exceptions and cancelled dates, and attachments', async () => {
  await client.simulator.close();
  client = await startTestClient({ items: 2000 });
  const { entries } = await client.all(`${client.me}/events?$select=type,hasAttachments,cancelledOccurrences&$expand=exceptionOccurrences($select=id)&$top=100`);
  expect(entries.some(({ type }) => type === 'seriesMaster')).toBe(true);
  expect(entries.some(({ exceptionOccurrences }) => exceptionOccurrences.length > 0)).toBe(true);
  expect(entries.some(({ cancelledOccurrences = [] }) => cancelledOccurrences.length > 0)).toBe(true);
  const holder = entries.find(({ hasAttachments }) => hasAttachments);
  expect((await client.get(`${client.me}/events/${holder.id}/attachments`)).json.value.length).toBeGreaterThan(0);
});

test('calendars are made, coloured and deleted; the default one stays; a group\'s calendar is not for applications (fact 64)', async () => {
  const calendar = (await client.ask('POST', `${client.me}/calendars`, { body: { name: 'Second', color: 'lightRed' } })).json;
  expect(calendar).toMatchObject({ isDefaultCalendar: false, color: 'lightRed' });
  const event = await client.ask('POST', `${client.me}/calendars/${calendar.id}/events`, { body: { subject: 'x', start: { dateTime: '2027-03-01T10:00:00', timeZone: 'UTC' }, end: { dateTime: '2027-03-01T10:30:00', timeZone: 'UTC' } } });
  expect((await client.get(`${client.me}/calendars/${calendar.id}/events/${event.json.id}`)).status).toBe(200);
  expect((await client.ask('DELETE', `${client.me}/calendars/${calendar.id}`)).status).toBe(204);
  expect((await client.get(`${client.me}/events/${event.json.id}`)).status).toBe(404);
  expect((await client.ask('DELETE', `${client.me}/calendars/${(await client.get(`${client.me}/calendar`)).json.id}`)).status).toBe(400);
  const [group] = (await client.get('/groups?$select=id')).json.value;
  expect((await client.get(`/groups/${group.id}/events`)).status).toBe(403);
});

test('changing and deleting a meeting or one of its occurrences sends mail; of an event of one\'s own nobody hears (fact 63)', async () => {
  const { id } = (await series({ attendees: [{ emailAddress: { address: 'a@b.example', name: 'A' } }] })).json;
  const [first] = await instances(id);
  await client.ask('PATCH', `${client.me}/events/${id}`, { body: { subject: 'Other' } });
  await client.ask('DELETE', `${client.me}/events/${first.id}`);
  await client.ask('DELETE', `${client.me}/events/${id}`);
  expect(client.simulator.sentMails().map(({ kind, subject }) => `${kind} ${subject}`)).toEqual(['invitation Weekly', 'update Other', 'cancellation Other', 'cancellation Other']);
  const own = (await series()).json;
  await client.ask('PATCH', `${client.me}/events/${own.id}`, { body: { subject: 'Other' } });
  await client.ask('DELETE', `${client.me}/events/${own.id}`);
  expect(client.simulator.sentMails()).toHaveLength(4);
});

test('an occurrence that gets an attachment is an exception with attachments of its own', async () => {
  const { id } = (await series()).json;
  const [first, second] = await instances(id);
  const attach = (event: string, name: string) => client.ask('POST', `${client.me}/events/${event}/attachments`, { body: { '@odata.type': '#microsoft.graph.fileAttachment', name, contentBytes: 'YWJj' } });
  await attach(id, 'all.txt');
  await attach(second.id, 'own.txt');
  const names = async (event: string): Promise<string[]> => (await client.get(`${client.me}/events/${event}/attachments`)).json.value.map(({ name }: any) => name);
  expect([await names(id), await names(first.id), await names(second.id)]).toEqual([['all.txt'], ['all.txt'], ['all.txt', 'own.txt']]);
  expect((await instances(id)).slice(0, 3).map(({ type }) => type)).toEqual(['occurrence', 'exception', 'occurrence']);
});
