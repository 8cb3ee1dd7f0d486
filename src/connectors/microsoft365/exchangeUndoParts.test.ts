import { expect, test } from 'vitest';
import { contactFolders, readContacts } from './testing/readContacts.ts';
import { readEvents } from './testing/readEvents.ts';
import { readTasks } from './testing/readTasks.ts';
import { differing, type ShownItem } from './testing/shownItems.ts';
import { ends, takeBack, TestJournal } from './testing/testJournal.ts';
import { giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';

const picture = (word: string): Buffer => Buffer.from(`\x89PNG ${word}`, 'latin1');
/** Each write gives them anew; the last two hold that a restore was here, and a task's list is named by its id. */
const OF_SERVICE = ['@odata.etag', 'changeKey', 'lastModifiedDateTime', 'bodyLastModifiedDateTime', 'singleValueExtendedProperties', 'extensions'];

interface State {
  readonly contacts: ReadonlyMap<string, ShownItem>;
  readonly events: ReadonlyMap<string, ShownItem>;
  readonly tasks: ReadonlyMap<string, ShownItem>;
  readonly places: unknown;
}

async function read(tenant: TestTenant): Promise<State> {
  const entries = async (path: string): Promise<unknown[]> => ((await tenant.ask('GET', path)).value as Record<string, unknown>[]).map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => !name.includes('@') && name !== 'changeKey')));
  return {
    contacts: await readContacts(tenant), events: await readEvents(tenant), tasks: await readTasks(tenant),
    places: [[...await contactFolders(tenant)], await entries('/calendars'), await entries('/todo/lists'), await entries('/outlook/masterCategories'), await entries('/mailFolders/inbox/messageRules'), await tenant.ask('GET', '/mailboxSettings')],
  };
}

/** Every kind of change to some of each kind. */
async function wreck(tenant: TestTenant): Promise<void> {
  const { contacts, events, tasks } = await read(tenant);
  await wreckContacts(tenant, contacts);
  await wreckEvents(tenant, events);
  await wreckTasks(tenant, tasks);
  await wreckSettings(tenant);
}

async function wreckContacts(tenant: TestTenant, contacts: State['contacts']): Promise<void> {
  const [edited, photo, noPhoto, gone] = [...contacts.values()].map(({ fields }) => `/contacts/${fields['id']}`);
  await tenant.ask('PATCH', edited ?? '', { surname: 'Wrecked', homeAddress: { street: 'Elsewhere' }, categories: ['Wrecked'], businessPhones: [], singleValueExtendedProperties: [{ id: 'String 0x3A21', value: 'wrecked' }] });
  await tenant.bytes('PUT', `${photo}/photo/$value`, { body: picture('wrecked'), type: 'image/png' });
  await tenant.bytes('DELETE', `${noPhoto}/photo/$value`);
  await tenant.ask('DELETE', gone ?? '/contacts/none');
  for (const [id, path] of await contactFolders(tenant)) if (path.endsWith('Suppliers')) await tenant.ask('DELETE', `/contactFolders/${id}`);
}

async function wreckEvents(tenant: TestTenant, events: State['events']): Promise<void> {
  const own = [...events.values()].map(({ fields }) => fields).filter((fields) => (fields['attendees'] as unknown[]).length === 0);
  const series = own.find(({ subject }) => subject === 'Own series');
  const [first, second, third] = own.filter(({ subject }) => String(subject).startsWith('Own event'));
  await tenant.ask('PATCH', `/events/${first?.['id']}`, { subject: 'Wrecked', body: { contentType: 'text', content: 'wrecked' }, showAs: 'tentative', categories: ['Wrecked'] });
  await tenant.ask('PATCH', `/events/${second?.['id']}`, { start: { dateTime: '2027-06-01T10:00:00', timeZone: 'UTC' }, end: { dateTime: '2027-06-01T11:00:00', timeZone: 'UTC' } });
  tenant.simulator.vanish(tenant.address, third?.['id'] ?? '');
  const [, day, other] = (await tenant.ask('GET', `/events/${series?.['id']}/instances?startDateTime=2027-01-01T00:00:00Z&endDateTime=2028-01-01T00:00:00Z&$top=5`)).value;
  await tenant.ask('DELETE', `/events/${day.id}`);
  await tenant.ask('PATCH', `/events/${other.id}`, { subject: 'Other', showAs: 'free' });
  await tenant.ask('POST', `/events/${other.id}/attachments`, { '@odata.type': '#microsoft.graph.fileAttachment', name: 'b.txt', contentType: 'text/plain', contentBytes: 'YmJi' });
}

async function wreckTasks(tenant: TestTenant, tasks: State['tasks']): Promise<void> {
  const [task, cleared, removed] = [...tasks.values()].map(({ fields }) => `/todo/lists/${fields['list']}/tasks/${fields['id']}`);
  await tenant.ask('PATCH', task ?? '', { title: 'Wrecked', importance: 'low', categories: ['Wrecked'], body: { content: 'wrecked', contentType: 'text' } });
  for (const { id } of (await tenant.ask('GET', `${task}/attachments`)).value) await tenant.ask('DELETE', `${task}/attachments/${id}`);
  await tenant.ask('POST', `${task}/checklistItems`, { displayName: 'Wrecked' });
  await tenant.ask('PATCH', cleared ?? '', { dueDateTime: null, reminderDateTime: null, isReminderOn: false, recurrence: null });
  await tenant.ask('DELETE', removed ?? '/todo/none');
}

async function wreckSettings(tenant: TestTenant): Promise<void> {
  const [category, recoloured] = (await tenant.ask('GET', '/outlook/masterCategories')).value as { id: string }[];
  await tenant.ask('DELETE', `/outlook/masterCategories/${category?.id}`);
  await tenant.ask('PATCH', `/outlook/masterCategories/${recoloured?.id}`, { color: 'preset20' });
  await tenant.ask('PATCH', '/mailboxSettings', { timeZone: 'UTC', timeFormat: 'hh:mm tt' });
  const [rule] = (await tenant.ask('GET', '/mailFolders/inbox/messageRules')).value as { id: string }[];
  await tenant.ask('PATCH', `/mailFolders/inbox/messageRules/${rule?.id}`, { displayName: 'Wrecked', isEnabled: false });
}

/** A series and events of one's own, tasks with attachments, a rule. */
async function add(tenant: TestTenant): Promise<void> {
  const zone = 'W. Europe Standard Time';
  await tenant.ask('POST', '/events', {
    subject: 'Own series', start: { dateTime: '2027-03-01T09:00:00', timeZone: zone }, end: { dateTime: '2027-03-01T10:00:00', timeZone: zone },
    recurrence: { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'] }, range: { type: 'numbered', startDate: '2027-03-01', numberOfOccurrences: 8 } },
  });
  for (const day of ['02', '03', '04']) {
    await tenant.ask('POST', '/events', { subject: `Own event ${day}`, start: { dateTime: `2027-03-${day}T09:00:00`, timeZone: zone }, end: { dateTime: `2027-03-${day}T10:00:00`, timeZone: zone } });
  }
  const list = ((await tenant.ask('GET', '/todo/lists')).value as { id: string; displayName: string }[]).find(({ displayName }) => displayName === 'Tasks')?.id ?? '';
  for (const { id } of (await tenant.ask('GET', `/todo/lists/${list}/tasks`)).value.slice(0, 3)) {
    await tenant.ask('POST', `/todo/lists/${list}/tasks/${id}/attachments`, { '@odata.type': '#microsoft.graph.taskFileAttachment', name: 'a.txt', contentType: 'text/plain', contentBytes: 'YWJj' });
  }
  await tenant.ask('POST', '/mailFolders/inbox/messageRules', { displayName: 'Invoices', sequence: 1, isEnabled: true, conditions: { subjectContains: ['invoice'] }, actions: { stopProcessingRules: true } });
}

function expectSame(before: State, after: State): void {
  expect(after.places).toEqual(before.places);
  for (const kind of ['contacts', 'events', 'tasks'] as const) {
    expect([...after[kind].keys()].sort(), kind).toEqual([...before[kind].keys()].sort());
    expect(differing(before[kind], after[kind]).filter((name) => !OF_SERVICE.includes(name)), kind).toEqual([]);
  }
}

test.each([['', false], [', though nothing of what came of it was noted', true]])('contacts, events, tasks and settings are as they were before a restore%s', async (_said, isForgetful) => {
  await using tenant = await TestTenant.start({ items: 100, parts: 'all' });
  await add(tenant);
  const { snapshot } = await tenant.run();
  await wreck(tenant);
  const before = await read(tenant);
  const journal = new TestJournal({ isForgetful });
  const isOther = (path: string): boolean => /^(Calendars|Contacts|Settings|Tasks)/.test(path);
  await giveBack(tenant, snapshot, { mode: 'replace', tag: 'Restored', suffix: '(restored)', journal }, { within: isOther });
  const dry = await takeBack(tenant, journal, { dryRun: true });
  expect(dry.writes).toEqual([]);
  const undone = await takeBack(tenant, journal);
  expect(undone.results.filter(([, { result }]) => result !== 'undone')).toEqual([]);
  expect(ends(dry)).toEqual(ends(undone));
  expectSame(before, await read(tenant));
  expect(tenant.simulator.sentMails()).toEqual([]);
  expect((await takeBack(tenant, journal)).writes).toEqual([]);
});

test('what somebody changed since is left as it is, and named', async () => {
  await using tenant = await TestTenant.start({ items: 50, parts: 'all' });
  const [, other = ''] = tenant.simulator.mailboxes;
  const { snapshot } = await tenant.run();
  const journal = new TestJournal();
  await giveBack(tenant, snapshot, { mode: 'separate', journal }, { address: other, within: (path) => /^(Contacts|Calendars|Tasks)/.test(path) });
  const made = async (items: Promise<ReadonlyMap<string, ShownItem>>, place: string): Promise<any> => [...(await items).values()].find(({ path }) => path.includes(place))?.fields;
  const [contact, event, task] = [await made(readContacts(tenant, other), 'Restored'), await made(readEvents(tenant, other), 'Restored'), await made(readTasks(tenant, other), 'Restored')];
  await tenant.bytes('PUT', `/contacts/${contact.id}/photo/$value`, { address: other, body: picture('mine'), type: 'image/png' });
  await tenant.ask('PATCH', `/contacts/${contact.id}`, { surname: 'Mine' }, other);
  await tenant.ask('PATCH', `/events/${event.id}`, { subject: 'Mine' }, other);
  await tenant.ask('PATCH', `/todo/lists/${task.list}/tasks/${task.id}`, { title: 'Mine' }, other);
  const undone = await takeBack(tenant, journal, { address: other });
  const left = undone.results.filter(([, { result }]) => result !== 'undone').map(([, { result, code }]) => `${result} ${code}`);
  expect(left.filter((text) => text === 'left changed-since').length).toBe(3);
  expect(left.every((text) => ['left changed-since', 'left not-empty'].includes(text))).toBe(true);
  const now = [await readContacts(tenant, other), await readEvents(tenant, other), await readTasks(tenant, other)].map((items) => [...items.values()].filter(({ path }) => path.includes('Restored')).length);
  expect(now).toEqual([1, 1, 1]);
  expect(tenant.simulator.sentMails()).toEqual([]);
});
