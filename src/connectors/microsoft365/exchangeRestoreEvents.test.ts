import { expect, test } from 'vitest';
import type { SnapshotModel } from '../conformance.ts';
import { calendarPlan } from './exchange/calendar/calendarPlan.ts';
import { FolderedService } from './exchange/items/folderedService.ts';
import { expectCoverage } from './testing/coverageTable.ts';
import { Dice } from './testing/dice.ts';
import { keptAttendees, readEvents } from './testing/readEvents.ts';
import { differing, type ShownItem } from './testing/shownItems.ts';
import { counts, giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const OF_SERVICE = ['@odata.etag', 'changeKey', 'createdDateTime', 'id', 'lastModifiedDateTime', 'iCalUId', 'webLink', 'transactionId'];
/** Nobody is invited; docs/coverage/exchange.md. */
const OF_PEOPLE = ['attendees', 'singleValueExtendedProperties', 'organizer', 'isOrganizer', 'responseStatus', 'isCancelled', 'isOnlineMeeting', 'onlineMeeting', 'onlineMeetingProvider'];
const ITEMS = 'calendar/i/';
const ZONE = 'W. Europe Standard Time';

const start = async (items = 100): Promise<TestTenant> => await TestTenant.start({ items, parts: [(access) => new FolderedService(access, calendarPlan)] });

const backUp = async (tenant: TestTenant): Promise<SnapshotModel> => (await tenant.run()).snapshot;

const compare = (before: ReadonlyMap<string, ShownItem>, after: ReadonlyMap<string, ShownItem>): string[] => differing(before, after).filter((name) => ![...OF_SERVICE, ...OF_PEOPLE].includes(name));

/** Nobody is told of anything. */
const expectNoMail = (tenant: TestTenant): void => expect(tenant.simulator.sentMails()).toEqual([]);

async function attach(tenant: TestTenant, id: string, name: string): Promise<void> {
  await tenant.ask('POST', `/events/${id}/attachments`, { '@odata.type': '#microsoft.graph.fileAttachment', name, contentType: 'text/plain', contentBytes: Buffer.from(`bytes of ${name}`).toString('base64') });
}

/** A series of one's own over the change of the clock, with a moved and renamed occurrence that has its own attachment, and two cancelled days. */
async function addSeries(tenant: TestTenant, calendar: string, subject = 'Own series'): Promise<string> {
  const { id } = await tenant.ask('POST', `/calendars/${calendar}/events`, {
    subject, body: { contentType: 'html', content: '<html><body>Agenda</body></html>' }, start: { dateTime: '2027-03-01T00:30:00', timeZone: ZONE }, end: { dateTime: '2027-03-01T01:30:00', timeZone: ZONE },
    recurrence: { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday', 'thursday'] }, range: { type: 'numbered', startDate: '2027-03-01', numberOfOccurrences: 12 } },
    location: { displayName: 'Here' }, categories: ['Travel'], reminderMinutesBeforeStart: 30, showAs: 'oof', sensitivity: 'private', importance: 'high',
  });
  await attach(tenant, id, 'agenda.txt');
  const instances = (await tenant.ask('GET', `/events/${id}/instances?startDateTime=2027-02-20T00:00:00Z&endDateTime=2027-05-01T00:00:00Z&$top=50`)).value as { id: string }[];
  const [, second, third, , , , , , , last] = instances;
  await tenant.ask('PATCH', `/events/${second?.id}`, { subject: 'Moved', start: { dateTime: '2027-03-05T14:00:00', timeZone: ZONE }, end: { dateTime: '2027-03-05T16:00:00', timeZone: ZONE }, location: { displayName: 'There' }, categories: ['Customer'], showAs: 'free', body: { contentType: 'html', content: '<html><body>Other agenda</body></html>' } });
  await attach(tenant, second?.id ?? '', 'minutes.txt');
  for (const one of [third, last]) await tenant.ask('DELETE', `/events/${one?.id}`);
  return id;
}

/** An event with everything that may be set. */
async function addWhole(tenant: TestTenant, calendar: string): Promise<void> {
  const { id } = await tenant.ask('POST', `/calendars/${calendar}/events`, {
    subject: 'Whole', body: { contentType: 'text', content: 'Line 1\nLine 2 ü' }, start: { dateTime: '2026-10-24T23:30:00', timeZone: 'Pacific Standard Time' }, end: { dateTime: '2026-10-25T00:30:00', timeZone: 'Pacific Standard Time' },
    location: { displayName: 'Harbour', address: { city: 'Kiel' } }, categories: ['Customer', 'Travel'], isReminderOn: false, reminderMinutesBeforeStart: 90, showAs: 'workingElsewhere', sensitivity: 'confidential',
    importance: 'low', hideAttendees: true, responseRequested: false, allowNewTimeProposals: false,
  });
  await attach(tenant, id, 'a.txt');
  await attach(tenant, id, 'b.txt');
  await tenant.ask('POST', `/calendars/${calendar}/events`, { subject: 'Days', body: { contentType: 'text', content: 'Away' }, isAllDay: true, start: { dateTime: '2026-12-24T00:00:00', timeZone: 'UTC' }, end: { dateTime: '2026-12-27T00:00:00', timeZone: 'UTC' } });
}

async function calendarId(tenant: TestTenant, name = 'Team'): Promise<string> {
  return ((await tenant.ask('GET', '/calendars')).value as { id: string; name: string }[]).find((one) => one.name === name)?.id ?? '';
}

/** Somebody edits and deletes events of one's own, and deletes meetings without a word. */
async function wreck(tenant: TestTenant, seed: number): Promise<string> {
  const roll = new Dice(seed);
  const done: string[] = [];
  for (const { fields } of (await readEvents(tenant)).values()) {
    const id = fields['id'] as string;
    const isMeeting = (fields['attendees'] as unknown[]).length > 0;
    const step = roll.pick(['edit', 'times', 'delete', 'occurrence', 'leave']) ?? 'leave';
    done.push(`${fields['subject']} ${step}`);
    if (step === 'delete') tenant.simulator.vanish(tenant.address, id);
    else if (isMeeting) continue;
    else if (step === 'edit') await tenant.ask('PATCH', `/events/${id}`, { subject: 'Wrecked', categories: ['Wrecked'], body: { contentType: 'text', content: 'wrecked' }, showAs: 'tentative', isReminderOn: true });
    else if (step === 'times' && fields['isAllDay'] !== true) await tenant.ask('PATCH', `/events/${id}`, { start: { dateTime: '2027-06-01T10:00:00', timeZone: 'UTC' }, end: { dateTime: '2027-06-01T11:00:00', timeZone: 'UTC' }, recurrence: null });
    else if (step === 'occurrence' && fields['type'] === 'seriesMaster') {
      const [first] = (await tenant.ask('GET', `/events/${id}/instances?startDateTime=2025-01-01T00:00:00Z&endDateTime=2028-01-01T00:00:00Z&$top=1`)).value;
      await tenant.ask('DELETE', `/events/${first.id}`);
    }
  }
  return `seed ${seed}: ${done.join(', ')}`;
}

test(`replace makes calendars that were wrecked as they were, tells nobody, and a second run writes nothing (seed ${SEED})`, async () => {
  await using tenant = await start();
  const club = (await tenant.ask('POST', '/calendars', { name: 'Club', color: 'lightRed' })).id;
  await addSeries(tenant, club);
  await addSeries(tenant, await calendarId(tenant, 'Calendar'), 'Another');
  await addWhole(tenant, await calendarId(tenant));
  const before = await readEvents(tenant);
  const snapshot = await backUp(tenant);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
  const said = await wreck(tenant, SEED);
  await tenant.ask('PATCH', `/calendars/${club}`, { name: 'Wrecked', color: 'lightBlue' });
  const first = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect(counts(first, ITEMS)['failed'] ?? 0, said).toBe(0);
  const after = await readEvents(tenant);
  expect([...after.keys()].sort(), said).toEqual([...before.keys()].sort());
  expect(compare(before, after), said).toEqual([]);
  expect(await tenant.ask('GET', `/calendars/${club}`)).toMatchObject({ name: 'Club', color: 'lightRed' });
  const second = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect(second.writes.map(({ method, url }) => `${method} ${url}`), said).toEqual([]);
  expect(Object.keys(counts(second, ITEMS)), said).toEqual(['unchanged']);
  expectNoMail(tenant);
});

test('meetings come back without the people in them, whose list is kept and named; a dry run tells the same', async () => {
  await using tenant = await start();
  await addSeries(tenant, await calendarId(tenant));
  await addWhole(tenant, await calendarId(tenant));
  const [, other = ''] = tenant.simulator.mailboxes;
  const [before, theirs, snapshot] = [await readEvents(tenant), await readEvents(tenant, other), await backUp(tenant)];
  const dry = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, dryRun: true });
  expect([dry.writes, counts(dry, ITEMS)]).toEqual([[], { written: before.size }]);
  const real = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  const meetings = [...before.values()].filter(({ fields }) => (fields['attendees'] as unknown[]).length > 0);
  expect(counts(real, ITEMS)).toEqual({ written: before.size - meetings.length, altered: meetings.length });
  for (const [path, result] of real.results) if (result.result === 'altered') expect(result.outcome, path).toMatchObject({ code: 'attendees-lost', message: expect.stringMatching(/nobody is invited.*HoldfastAttendees/) });
  const after = await readEvents(tenant, other);
  for (const [key, { fields }] of theirs) expect(after.get(key)?.fields, key).toEqual(fields);
  const added = new Map([...after].filter(([key]) => !theirs.has(key)));
  expect([...added.keys()].sort()).toEqual([...before.keys()].filter((key) => !theirs.has(key)).sort());
  expect(compare(before, added)).toEqual([]);
  for (const [key, { fields }] of before) {
    expect(added.get(key)?.fields['attendees'], key).toEqual([]);
    const kept = keptAttendees(added.get(key)?.fields ?? {});
    if ((fields['attendees'] as unknown[]).length > 0) expect(kept, key).toMatchObject({ attendees: fields['attendees'], organizer: fields['organizer'] });
    else expect(kept, key).toBe(undefined);
  }
  const single = [...before.values()].find(({ fields }) => fields['type'] === 'seriesMaster')?.fields ?? {};
  expectCoverage('event', single, differing(before, added));
  for (const mode of ['skip', 'replace'] as const) expect((await giveBack(tenant, snapshot, { mode }, { address: other })).writes).toEqual([]);
  expectNoMail(tenant);
});

test('a meeting that stands and differs is left and named: to change it would send mail', async () => {
  await using tenant = await start(20);
  const id = (await tenant.ask('POST', '/events', {
    subject: 'Meeting', start: { dateTime: '2027-03-01T10:00:00', timeZone: 'UTC' }, end: { dateTime: '2027-03-01T11:00:00', timeZone: 'UTC' }, attendees: [{ emailAddress: { address: 'a@b.example' } }],
  })).id;
  const snapshot = await backUp(tenant);
  await tenant.ask('PATCH', `/events/${id}`, { subject: 'Other' });
  const sent = tenant.simulator.sentMails().length;
  const run = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect([...run.results.values()].filter(({ result }) => result === 'failed')).toMatchObject([{ outcome: { code: 'meeting-stands' } }]);
  expect([run.writes, tenant.simulator.sentMails().length]).toEqual([[], sent]);
});

test('skip brings back what was deleted, and leaves all else; separate puts calendars beside, once', async () => {
  await using tenant = await start(60);
  await addSeries(tenant, await calendarId(tenant));
  const before = await readEvents(tenant);
  const snapshot = await backUp(tenant);
  await giveBack(tenant, snapshot, { mode: 'separate' });
  const beside = await readEvents(tenant);
  const copies = new Map([...beside].filter(([, { path }]) => path.startsWith('Restored 2026-01-02 - ')).map(([key, item]) => [key.slice('Restored 2026-01-02 - '.length), item]));
  expect([...copies.keys()].sort()).toEqual([...before.keys()].sort());
  expect(compare(before, copies)).toEqual([]);
  for (const mode of ['separate', 'replace', 'skip'] as const) expect((await giveBack(tenant, snapshot, { mode })).writes).toEqual([]);
  const [first, second] = [...before.values()].filter(({ fields }) => (fields['attendees'] as unknown[]).length === 0);
  await tenant.ask('PATCH', `/events/${first?.fields['id']}`, { subject: 'Changed' });
  await tenant.ask('DELETE', `/events/${second?.fields['id']}`);
  const run = await giveBack(tenant, snapshot, { mode: 'skip' });
  expect(counts(run, ITEMS)).toEqual({ skipped: before.size - 1, written: 1 });
  const after = await readEvents(tenant);
  expect([...after.values()].some(({ fields }) => fields['subject'] === 'Changed')).toBe(true);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' })).writes).toEqual([]);
  expectNoMail(tenant);
});

test('an event that is refused is named, one whose answer is lost is made once, and one that was left half made is made anew', async () => {
  await using tenant = await start(60);
  await addSeries(tenant, await calendarId(tenant));
  const [, other = ''] = tenant.simulator.mailboxes;
  const [before, snapshot, theirs] = [await readEvents(tenant), await backUp(tenant), await readEvents(tenant, other)];
  const events = /^POST .*\/events$/;
  tenant.simulator.fault({ on: events, times: 1, fault: { kind: 'truncate', bytes: 10 } });
  const stop = new AbortController();
  tenant.simulator.fault({ on: /^PATCH .*\/events\//, times: 1, fault: { kind: 'do', action: () => stop.abort(new Error('stopped')) } });
  await expect(giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, signal: stop.signal })).rejects.toThrow('stopped');
  tenant.simulator.fault({ on: events, times: 1, fault: { kind: 'status', status: 400, code: 'ErrorInvalidRequest' } });
  const second = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect([...second.results.values()].filter(({ result }) => result === 'failed')).toMatchObject([{ outcome: { code: 'refused' } }]);
  expect(counts(await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other }), ITEMS)['failed']).toBe(undefined);
  const after = await readEvents(tenant, other);
  expect(after.size).toBe(theirs.size + before.size);
  expect(compare(new Map([...before].filter(([key]) => key.includes('Own series'))), after)).toEqual([]);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
  expectNoMail(tenant);
});

test('a change of one occurrence that is refused is named, and the series is there', async () => {
  await using tenant = await start(20);
  await addSeries(tenant, await calendarId(tenant));
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  tenant.simulator.fault({ on: /^PATCH .*\/events\//, times: 1, fault: { kind: 'status', status: 400, code: 'ErrorOccurrenceCrossingBoundary' } });
  const run = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  const altered = [...run.results.values()].flatMap((result) => (result.result === 'altered' && result.outcome.code === 'occurrence-lost' ? [result.outcome.message] : []));
  expect(altered).toMatchObject([expect.stringContaining('2027-03-03T23:30:00Z')]);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' }, { address: other })).writes).toEqual([]);
});
