import { expect, test } from 'vitest';
import type { LoggedRequest } from '../../../simulators/microsoft365/index.ts';
import type { SnapshotModel } from '../conformance.ts';
import { calendarPlan } from './exchange/calendar/calendarPlan.ts';
import { FolderedService } from './exchange/items/folderedService.ts';
import { startAlteringProxy } from './testing/alteringProxy.ts';
import { picture } from './testing/picture.ts';
import { TestTenant, type TenantOptions } from './testing/testTenant.ts';

const start = async (options: TenantOptions = {}): Promise<TestTenant> => await TestTenant.start({ items: 300, parts: [(access) => new FolderedService(access, calendarPlan)], ...options });
const isList = ({ url }: LoggedRequest): boolean => /\/calendars(\?|\/[^/]+\/events\?)/.test(url);

async function all(tenant: TestTenant, path: string): Promise<any[]> {
  return (await tenant.ask('GET', `${path}?$top=999`)).value;
}

function contentOf(snapshot: SnapshotModel, id: string): any {
  const row = snapshot.byKey.get(`calendar/i/${id}`);
  return row === undefined ? undefined : JSON.parse(snapshot.bytesOf(row)?.toString() ?? '');
}

function event(subject: string, date: string, rest: object = {}): object {
  return { subject, start: { dateTime: `${date}T09:00:00`, timeZone: 'UTC' }, end: { dateTime: `${date}T10:00:00`, timeZone: 'UTC' }, ...rest };
}

const WEEKLY = (startDate: string): object => ({
  recurrence: { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'] }, range: { type: 'noEnd', startDate } },
});

test('every event is kept as the service shows it, series with exceptions and cancelled dates, attachments with their bytes', async () => {
  await using tenant = await start({ items: 1600 });
  const { snapshot } = await tenant.run();
  const found = { events: 0, exceptions: 0, cancelled: 0, attachments: 0 };
  for (const calendar of await all(tenant, '/calendars')) {
    for (const shown of await all(tenant, `/calendars/${calendar.id}/events`)) {
      const content = contentOf(snapshot, shown.id);
      expect(snapshot.byKey.get(`calendar/i/${shown.id}`)).toMatchObject({ parent: `calendar/f/${calendar.id}`, name: shown.subject, kind: 'event', outcome: '' });
      expect(content).toMatchObject(shown);
      found.events++;
      if (shown.hasAttachments === true) {
        const attachments = (await tenant.ask('GET', `/events/${shown.id}/attachments`)).value as any[];
        expect(content.attachments.map(({ name, size }: any) => [name, size])).toEqual(attachments.map(({ name, size }) => [name, size]));
        for (const [place, { contentBytes }] of attachments.entries()) if (contentBytes !== undefined) expect(content.attachments[place].contentBytes).toBe(contentBytes);
        found.attachments += attachments.length;
      }
      if (shown.type !== 'seriesMaster') continue;
      const series = await tenant.ask('GET', `/events/${shown.id}?$select=cancelledOccurrences&$expand=exceptionOccurrences`);
      expect(content.exceptionOccurrences).toEqual(series.exceptionOccurrences);
      expect(content.cancelledOccurrences).toEqual(series.cancelledOccurrences);
      found.exceptions += series.exceptionOccurrences.length;
      found.cancelled += series.cancelledOccurrences.length;
    }
  }
  expect(snapshot.sorted.filter(({ kind }) => kind === 'event')).toHaveLength(found.events);
  for (const [what, count] of Object.entries(found)) expect(count, what).toBeGreaterThan(0);
  // Occurrences follow from their master.
  expect(snapshot.sorted.some(({ meta }) => meta.includes('"series":true'))).toBe(true);
});

test('an unchanged mailbox costs one list of calendars and one of the events of each', async () => {
  await using tenant = await start();
  const first = await tenant.run();
  const calendars = first.snapshot.sorted.filter(({ kind, parent }) => kind === 'folder' && parent !== '').length;
  expect(calendars).toBe(2);
  const second = await tenant.run(first.snapshot);
  expect(second.changed + second.fetched.length).toBe(0);
  expect(second.requests.every(isList)).toBe(true);
  expect(second.requests).toHaveLength(calendars + 1);
});

test('events of any year are found, changed and removed: no window of time ends the view', async () => {
  await using tenant = await start({ items: 60 });
  const dates = ['1997-03-03', '2009-06-01', '2026-07-01', '2061-01-01'];
  const ids = [];
  for (const date of dates) ids.push((await tenant.ask('POST', '/events', event(`On ${date}`, date))).id);
  const first = await tenant.run();
  expect(ids.map((id) => contentOf(first.snapshot, id)?.subject)).toEqual(dates.map((date) => `On ${date}`));
  expect(ids.map((id) => first.snapshot.byKey.get(`calendar/i/${id}`)?.modified)).toEqual(dates.map((date) => Date.parse(`${date}T09:00:00Z`)));
  await tenant.ask('PATCH', `/events/${ids[0]}`, { subject: 'Changed' });
  await tenant.ask('DELETE', `/events/${ids[3]}`);
  const second = await tenant.run(first.snapshot);
  expect(second.fetched.map(({ key }) => key)).toEqual([`calendar/i/${ids[0]}`]);
  expect(second.snapshot.byKey.has(`calendar/i/${ids[3]}`)).toBe(false);
  expect(picture(second.snapshot)).toEqual(picture((await tenant.run()).snapshot));
  // What is missing is looked for once more before it counts as gone.
  expect(second.requests.filter(isList)).toHaveLength(1 + 2 * 2);
});

test('a moved and a cancelled occurrence make a new version of their series, with what belongs to the exception', async () => {
  await using tenant = await start({ items: 60 });
  const { id } = await tenant.ask('POST', '/events', event('Weekly', '2026-03-02', WEEKLY('2026-03-02')));
  const first = await tenant.run();
  expect(contentOf(first.snapshot, id)).toMatchObject({ type: 'seriesMaster', exceptionOccurrences: [], cancelledOccurrences: [] });
  const instances = (await tenant.ask('GET', `/events/${id}/instances?startDateTime=2026-03-01T00:00:00&endDateTime=2026-03-31T00:00:00`)).value as any[];
  await tenant.ask('PATCH', `/events/${instances[1].id}`, { subject: 'Elsewhere', location: { displayName: 'Canteen' } });
  await tenant.ask('DELETE', `/events/${instances[2].id}`);
  const second = await tenant.run(first.snapshot);
  expect(second.fetched.map(({ key }) => key)).toEqual([`calendar/i/${id}`]);
  const content = contentOf(second.snapshot, id);
  expect(content.exceptionOccurrences).toMatchObject([{ subject: 'Elsewhere', type: 'exception', location: { displayName: 'Canteen' }, originalStart: '2026-03-09T09:00:00Z' }]);
  expect(content.cancelledOccurrences).toEqual([expect.stringContaining('2026-03-16')]);
  expect(picture(second.snapshot)).toEqual(picture((await tenant.run()).snapshot));
});

test('calendars that are made, renamed and deleted are followed; their properties are kept', async () => {
  await using tenant = await start({ items: 60 });
  const first = await tenant.run();
  const { id } = await tenant.ask('POST', '/calendars', { name: 'New', color: 'lightGreen' });
  const added = (await tenant.ask('POST', `/calendars/${id}/events`, event('In the new one', '2026-05-04'))).id;
  const second = await tenant.run(first.snapshot);
  expect(second.fetched.map(({ key }) => key)).toEqual([`calendar/i/${added}`]);
  expect(JSON.parse(second.snapshot.find('Calendars/New')?.meta ?? '')).toMatchObject({ name: 'New', color: 'lightGreen', isDefaultCalendar: false });
  await tenant.ask('PATCH', `/calendars/${id}`, { name: 'Renamed' });
  const third = await tenant.run(second.snapshot);
  expect([third.fetched, third.changed]).toEqual([[], 1]);
  expect(third.snapshot.find('Calendars/Renamed/In the new one')).toBeDefined();
  await tenant.ask('DELETE', `/calendars/${id}`);
  const fourth = await tenant.run(third.snapshot);
  expect(fourth.snapshot.byKey.has(`calendar/i/${added}`)).toBe(false);
  expect(picture(fourth.snapshot)).toEqual(picture(first.snapshot));
});

test('a large attachment goes through a file, and comes whole', async () => {
  await using tenant = await start({ items: 60 });
  const { id } = await tenant.ask('POST', '/events', event('Heavy', '2026-05-04'));
  const bytes = Buffer.alloc(2_900_000, 'not all the same ');
  for (const name of ['a.bin', 'b.bin', 'c.bin']) await tenant.ask('POST', `/events/${id}/attachments`, { '@odata.type': '#microsoft.graph.fileAttachment', name, contentBytes: bytes.toString('base64') });
  const { snapshot } = await tenant.run();
  const { attachments } = contentOf(snapshot, id);
  expect(attachments.map(({ name }: any) => name)).toEqual(['a.bin', 'b.bin', 'c.bin']);
  for (const { contentBytes } of attachments) expect(Buffer.from(contentBytes, 'base64').equals(bytes)).toBe(true);
  expect(snapshot.byKey.get(`calendar/i/${id}`)?.size).toBeGreaterThan(8 << 20);
});

test('a calendar that cannot be read is named, and what it had is kept', async () => {
  await using tenant = await start({ items: 120 });
  const first = await tenant.run();
  const team = first.snapshot.find('Calendars/Team')!;
  const back = tenant.simulator.fault({ on: `${encodeURIComponent(team.key.slice('calendar/f/'.length))}/events`, times: 1_000_000, fault: { kind: 'status', status: 500 } });
  const second = await tenant.run(first.snapshot);
  back();
  expect(second.snapshot.sorted.filter(({ outcome }) => outcome !== '').map((row) => second.snapshot.pathOf(row))).toEqual(['Calendars/Team/All events of Team']);
  expect(second.snapshot.sorted.filter(({ parent, content }) => parent === team.key && content !== '')).toEqual(first.snapshot.sorted.filter(({ parent, content }) => parent === team.key && content !== ''));
  const third = await tenant.run(second.snapshot);
  expect(picture(third.snapshot)).toEqual(picture(first.snapshot));
});

test('an event that is none of the mailbox itself, but lies in one of its calendars, is asked for there', async () => {
  await using tenant = await start({ items: 200 });
  const first = await tenant.run();
  expect(first.snapshot.sorted.some(({ content }) => content !== '')).toBe(true);
  tenant.simulator.fault({ on: /users\/[^/]+\/events\//, times: 1_000_000, fault: { kind: 'status', status: 404 } });
  expect(picture((await tenant.run()).snapshot)).toEqual(picture(first.snapshot));
});

test.each([[403, 'ErrorAccessDenied'], [404, 'ErrorItemNotFound']])('a calendar of somebody else that is not shown (%i) is named as skipped', async (status, code) => {
  await using tenant = await start({ items: 60 });
  const proxy = await startAlteringProxy(tenant.simulator.graphUrl, (url, entries) => (/\/calendars\?/.test(url)
    ? entries.map((entry) => (entry['name'] === 'Team' ? { ...entry, owner: { name: 'Somebody', address: 'somebody@example.test' } } : entry)) : undefined));
  try {
    const [team] = (await all(tenant, '/calendars')).filter(({ name }) => name === 'Team');
    tenant.simulator.fault({ on: `${encodeURIComponent(team.id)}/events`, times: 1_000_000, fault: { kind: 'status', status, code } });
    const { snapshot } = await tenant.runThrough(proxy.url);
    const [named, ...more] = snapshot.sorted.filter(({ outcome }) => outcome !== '');
    expect([more, named && snapshot.pathOf(named)]).toEqual([[], 'Calendars/Team/All events of Team']);
    expect(JSON.parse(named?.outcome ?? '')).toMatchObject({ state: 'skipped', code: 'not-own', message: expect.stringContaining('back up the mailbox that it belongs to') });
    expect(snapshot.sorted.some(({ parent, content }) => parent !== `calendar/f/${team.id}` && content !== '')).toBe(true);
  } finally {
    await proxy.close();
  }
});
