import { expect, test } from 'vitest';
import { systemClock, type Clock } from '../../runtime/index.ts';
import type { SnapshotModel } from '../conformance.ts';
import { contactsPlan } from './exchange/contacts/contactsPlan.ts';
import { FolderedService, type FolderedPlan } from './exchange/items/folderedService.ts';
import { MailService } from './exchange/mail/mailService.ts';
import { notesPlan } from './exchange/notes/notesPlan.ts';
import { SettingsService } from './exchange/settings/settingsService.ts';
import { tasksPlan } from './exchange/todo/tasksPlan.ts';
import { UnreachedService } from './exchange/unreached/unreachedService.ts';
import { startAlteringProxy } from './testing/alteringProxy.ts';
import { picture } from './testing/picture.ts';
import { previewOf } from './testing/previewOf.ts';
import { giveBack } from './testing/testRestore.ts';
import { TestTenant, type TenantOptions, type TenantRun } from './testing/testTenant.ts';

const start = async (options: TenantOptions = {}): Promise<TestTenant> => await TestTenant.start({ items: 100, parts: 'all', ...options });

/** One part alone, of a mailbox in which it has enough to read. */
const startPart = async (plan: FolderedPlan, items: number): Promise<TestTenant> => await start({ items, parts: [(access) => new FolderedService(access, plan)] });

function contentOf(snapshot: SnapshotModel, key: string): any {
  const row = snapshot.byKey.get(key);
  return row === undefined ? undefined : JSON.parse(snapshot.bytesOf(row)?.toString() ?? '');
}

function fetchedKeys({ fetched }: TenantRun): string[] {
  return fetched.map(({ key }) => key).sort();
}

/** Fields that the preview of each kind has in any mailbox, beside others. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  mail: ['from', 'date', 'subject'], event: ['start', 'end', 'organizer'], contact: ['name'], task: ['status'], note: ['text', 'created'], setting: ['timeZone'], gap: [],
};

/** Every item can be shown, and what it is told by is there. */
async function expectPreviews(snapshot: SnapshotModel): Promise<void> {
  const labels = new Map<string, Set<string>>();
  for (const row of snapshot.sorted.filter(({ kind }) => SHOWN[kind] !== undefined)) {
    const preview = await previewOf(row, snapshot.bytesOf(row));
    expect(preview?.form, row.key).toBe(row.kind === 'mail' ? 'mail' : 'card');
    expect(preview?.picture !== undefined, row.key).toBe(row.kind === 'contact' && row.meta.includes('"photo":true'));
    labels.set(row.kind, new Set([...labels.get(row.kind) ?? [], ...preview?.fields.map(({ label }) => label) ?? []]));
  }
  for (const [kind, wanted] of Object.entries(SHOWN)) expect([kind, [...labels.get(kind) ?? []]]).toEqual([kind, expect.arrayContaining([...wanted])]);
}

async function contactFolders(tenant: TestTenant): Promise<any[]> {
  return (await tenant.ask('GET', '/contactFolders/delta')).value;
}

test('an unchanged mailbox costs delta calls, a list for each calendar, and one request for the settings', async () => {
  await using tenant = await start();
  const first = await tenant.run();
  for (const kind of ['mail', 'event', 'contact', 'task', 'note', 'setting', 'gap']) expect(first.snapshot.sorted.some((row) => row.kind === kind), kind).toBe(true);
  expect(first.snapshot.sorted.filter(({ outcome }) => outcome !== '')).toEqual([]);
  await expectPreviews(first.snapshot);
  const second = await tenant.run(first.snapshot);
  expect([second.fetched, second.changed]).toEqual([[], 0]);
  const others = second.requests.filter(({ url, batched }) => !batched && !/\/delta\b/.test(url));
  expect(others.filter(({ url }) => url.endsWith('/$batch'))).toHaveLength(1);
  expect(others.filter(({ url }) => url.includes('/calendars'))).toHaveLength(3);
  expect(others).toHaveLength(4);
});

test('contacts are kept with all that the service shows, in their folders, and with their photos', async () => {
  await using tenant = await startPart(contactsPlan, 400);
  const { snapshot } = await tenant.run();
  let [contacts, photos] = [0, 0];
  for (const folder of await contactFolders(tenant)) {
    for (const shown of (await tenant.ask('GET', `/contactFolders/${folder.id}/contacts?$top=999`)).value as any[]) {
      const key = `contacts/i/${shown.id}`;
      expect(snapshot.byKey.get(key)).toMatchObject({ parent: `contacts/f/${folder.id}`, name: shown.displayName, outcome: '' });
      const content = contentOf(snapshot, key);
      expect(content).toMatchObject(shown);
      contacts++;
      if (content['@holdfast.photo'] === undefined) continue;
      expect(Buffer.from(content['@holdfast.photo'].contentBytes, 'base64').subarray(1, 4).toString()).toBe('PNG');
      photos++;
    }
  }
  expect(snapshot.sorted.filter(({ kind }) => kind === 'contact')).toHaveLength(contacts);
  expect(photos).toBeGreaterThan(0);
  expect(photos).toBeLessThan(contacts);
  expect(snapshot.find('Contacts/Contacts/Suppliers')?.kind).toBe('folder');
});

test('the folder of contacts that no list has is found once it holds something, and keeps its properties', async () => {
  await using tenant = await startPart(contactsPlan, 20);
  const known = await tenant.ask('GET', '/contactFolders/contacts');
  for (const { id } of (await tenant.ask('GET', '/contacts?$top=999')).value as any[]) await tenant.ask('DELETE', `/contacts/${id}`);
  const proxy = await startAlteringProxy(tenant.simulator.graphUrl, (url, entries) => (/\/contactFolders\/delta/.test(url) ? entries.filter(({ id }) => id !== known.id) : undefined));
  try {
    const run = async (previous?: SnapshotModel): Promise<SnapshotModel> => (await tenant.runThrough(proxy.url, previous)).snapshot;
    tenant.simulator.fault({ on: '/contactFolders/contacts', times: 1_000_000, fault: { kind: 'status', status: 404 } });
    const first = await run();
    const { id } = await tenant.ask('POST', '/contacts', { givenName: 'Nina' });
    const second = await run(first);
    expect(second.byKey.get(`contacts/i/${id}`)).toMatchObject({ parent: `contacts/f/${known.id}` });
    expect(JSON.parse(second.byKey.get(`contacts/f/${known.id}`)?.meta ?? '')).toMatchObject({ displayName: known.displayName, parentFolderId: known.parentFolderId });
    await tenant.ask('PATCH', `/contacts/${id}`, { jobTitle: 'Pilot' });
    const third = await run(second);
    expect(third.byKey.get(`contacts/i/${id}`)?.content).not.toBe(second.byKey.get(`contacts/i/${id}`)?.content);
  } finally {
    await proxy.close();
  }
});

test('of contacts only what changed is fetched, also when all tokens are lost', async () => {
  await using tenant = await startPart(contactsPlan, 100);
  const first = await tenant.run();
  const [one, two] = (await tenant.ask('GET', '/contacts?$top=2')).value as any[];
  await tenant.ask('PATCH', `/contacts/${one.id}`, { jobTitle: 'Pilot' });
  await tenant.ask('DELETE', `/contacts/${two.id}`);
  const added = (await tenant.ask('POST', '/contacts', { givenName: 'Nina', surname: 'Neu', emailAddresses: [{ name: 'Nina', address: 'nina@example.test' }] })).id;
  tenant.simulator.evictDeltaTokens(tenant.address);
  const second = await tenant.run(first.snapshot);
  expect(fetchedKeys(second)).toEqual([`contacts/i/${added}`, `contacts/i/${one.id}`].sort());
  expect(second.snapshot.byKey.has(`contacts/i/${two.id}`)).toBe(false);
  expect(JSON.parse(second.snapshot.byKey.get(`contacts/i/${added}`)?.meta ?? '')).toEqual({ from: 'Nina <nina@example.test>' });
  expect(picture(second.snapshot)).toEqual(picture((await tenant.run()).snapshot));
});

test('tasks are kept with steps, links and attachments, in their lists', async () => {
  await using tenant = await startPart(tasksPlan, 400);
  const [list] = (await tenant.ask('GET', '/todo/lists')).value as any[];
  const heavy = await tenant.ask('POST', `/todo/lists/${list.id}/tasks`, { title: 'Heavy', linkedResources: [{ webUrl: 'https://a.example', applicationName: 'A', displayName: 'a', externalId: '1' }] });
  await tenant.ask('POST', `/todo/lists/${list.id}/tasks/${heavy.id}/attachments`, { '@odata.type': '#microsoft.graph.taskFileAttachment', name: 'a.txt', contentType: 'text/plain', contentBytes: 'YWJj' });
  const first = await tenant.run();
  let tasks = 0;
  for (const { id } of (await tenant.ask('GET', '/todo/lists')).value as any[]) {
    for (const shown of (await tenant.ask('GET', `/todo/lists/${id}/tasks?$top=999&$expand=checklistItems,linkedResources`)).value as any[]) {
      expect(first.snapshot.byKey.get(`tasks/i/${shown.id}`)).toMatchObject({ parent: `tasks/f/${id}`, name: shown.title });
      expect(contentOf(first.snapshot, `tasks/i/${shown.id}`)).toMatchObject(shown);
      tasks++;
    }
  }
  expect(first.snapshot.sorted.filter(({ kind }) => kind === 'task')).toHaveLength(tasks);
  expect(contentOf(first.snapshot, `tasks/i/${heavy.id}`)).toMatchObject({ linkedResources: [{ externalId: '1' }], attachments: [{ name: 'a.txt', contentBytes: 'YWJj' }] });
  await tenant.ask('POST', `/todo/lists/${list.id}/tasks/${heavy.id}/checklistItems`, { displayName: 'First' });
  const second = await tenant.run(first.snapshot);
  expect(fetchedKeys(second)).toEqual([`tasks/i/${heavy.id}`]);
  expect(contentOf(second.snapshot, `tasks/i/${heavy.id}`).checklistItems).toMatchObject([{ displayName: 'First', isChecked: false }]);
});

test('sticky notes are kept as the stream that the service takes back', async () => {
  await using tenant = await startPart(notesPlan, 400);
  const { snapshot } = await tenant.run();
  const notes = snapshot.sorted.filter(({ kind }) => kind === 'note');
  expect(notes).toHaveLength(4);
  expect(notes.every((row) => snapshot.pathOf(row).startsWith('Notes/Notes/') && !row.name.startsWith('Note of'))).toBe(true);
  const token = JSON.parse(snapshot.cursor ?? '').parts.notes as { base: string };
  const exported = await tenant.askAt('POST', `${token.base}/exportItems`, { itemIds: notes.map(({ key }) => key.slice('notes/i/'.length)) });
  expect(exported.value.map(({ data }: any) => data)).toEqual(notes.map((row) => snapshot.bytesOf(row)?.toString('base64')));
});

test('settings, rules and categories are rows of their own, and change alone', async () => {
  await using tenant = await start();
  const rule = { displayName: 'Invoices', sequence: 1, conditions: { subjectContains: ['invoice'] }, actions: { stopProcessingRules: true } };
  const { id } = await tenant.ask('POST', '/mailFolders/inbox/messageRules', rule);
  const first = await tenant.run();
  expect(contentOf(first.snapshot, `settings/r/${id}`)).toMatchObject(rule);
  expect(contentOf(first.snapshot, 'settings/m')).toMatchObject({ timeZone: 'W. Europe Standard Time', automaticRepliesSetting: { status: 'disabled' } });
  const categories = (await tenant.ask('GET', '/outlook/masterCategories')).value as any[];
  for (const category of categories) expect(contentOf(first.snapshot, `settings/c/${category.id}`)).toMatchObject(category);
  await tenant.ask('PATCH', `/mailFolders/inbox/messageRules/${id}`, { isEnabled: false });
  await tenant.ask('PATCH', '/mailboxSettings', { timeZone: 'UTC' });
  await tenant.ask('DELETE', `/outlook/masterCategories/${categories[0].id}`);
  const second = await tenant.run(first.snapshot);
  expect(fetchedKeys(second)).toEqual(['settings/m', `settings/r/${id}`]);
  expect(second.snapshot.byKey.has(`settings/c/${categories[0].id}`)).toBe(false);
  expect(picture(second.snapshot)).toEqual(picture((await tenant.run()).snapshot));
});

test('what Graph does not reach is named with its reason and date, and asked for once a week', async () => {
  let now = Date.parse('2026-11-27T10:00:00Z');
  const clock: Clock = { now: () => now, monotonic: () => systemClock.monotonic() };
  await using tenant = await start({ items: 20, runtime: { clock } });
  const asked = ({ requests }: TenantRun): number => requests.filter(({ url }) => /archivemsgfolderroot|publicfoldersroot/.test(url)).length;
  const first = await tenant.run();
  expect(first.snapshot.sorted.filter(({ kind }) => kind === 'gap').map(({ name }) => name)).toEqual(['In-place archive: not reachable (asked on 2026-11-27)', 'Public folders: not reachable (asked on 2026-11-27)']);
  expect(contentOf(first.snapshot, 'unreached/g/archive')).toMatchObject({ asked: '2026-11-27', answer: expect.stringMatching(/^4\d\d \w+/), reason: expect.stringContaining('in-place archive') });
  now += 6 * 86_400_000;
  const second = await tenant.run(first.snapshot);
  now += 2 * 86_400_000;
  const third = await tenant.run(second.snapshot);
  expect([asked(first), asked(second), asked(third)]).toEqual([2, 0, 2]);
  expect([second.changed, third.changed]).toEqual([0, 0]);
});

test('what a hold keeps is backed up, comes back into a folder, and stays in earlier snapshots; where Graph does not give it each snapshot of the mailbox says so', async () => {
  await using tenant = await TestTenant.start({ items: 20, parts: [(access) => new MailService(access), (access) => new UnreachedService(access)] });
  const [, other = ''] = tenant.simulator.mailboxes;
  tenant.simulator.setHold(tenant.address, true);
  const id = await tenant.addMessage('inbox', 'Purged');
  await tenant.ask('POST', `/messages/${id}/permanentDelete`);
  const { snapshot } = await tenant.run();
  expect(snapshot.find('Recoverable Items/Purges/Purged')).toMatchObject({ kind: 'mail', outcome: '' });
  const run = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, within: (path) => path.startsWith('Recoverable Items/Purges') });
  expect([...run.results].filter(([path]) => path.includes('/Purged '))).toMatchObject([[expect.anything(), { result: 'altered', outcome: { code: 'not-recoverable' } }]]);
  const folders = (await tenant.ask('GET', '/mailFolders?$top=100', undefined, other)).value as { id: string; displayName: string }[];
  const top = folders.find(({ displayName }) => displayName === 'Recoverable Items')?.id;
  const [purges] = (await tenant.ask('GET', `/mailFolders/${top}/childFolders`, undefined, other)).value;
  expect((await tenant.ask('GET', `/mailFolders/${purges.id}/messages?$select=subject`, undefined, other)).value).toMatchObject([{ subject: 'Purged' }]);
  tenant.simulator.vanish(tenant.address, id);
  expect((await tenant.run(snapshot)).snapshot.find('Recoverable Items/Purges/Purged')).toBe(undefined);
  expect(snapshot.find('Recoverable Items/Purges/Purged')?.content).not.toBe('');
  tenant.simulator.fault({ on: 'mailFolders/recoverableitemspurges', times: 1000, fault: { kind: 'status', status: 400, code: 'ErrorInvalidIdMalformed' } });
  const without = (await tenant.run()).snapshot;
  expect(without.sorted.filter(({ kind }) => kind === 'gap').map(({ name }) => name.replace(/ \(asked.*/, ''))).toContain('What a legal hold keeps: not reachable');
});

test('a part without its permission is named, the others are read; with the permission it is there', async () => {
  await using tenant = await start();
  const complete = await tenant.run();
  for (const permission of ['Contacts.Read', 'Contacts.ReadWrite', 'MailboxItem.Export.All', 'MailboxItem.ImportExport.All', 'MailboxFolder.Read.All', 'MailboxFolder.ReadWrite.All']) tenant.simulator.withdrawPermission(permission);
  const first = await tenant.run();
  expect(first.snapshot.sorted.filter(({ outcome }) => outcome !== '').map(({ key, name }) => [key, name])).toEqual([['contacts/!', 'All of Contacts'], ['notes/!', 'All of Notes']]);
  expect(first.snapshot.sorted.some(({ kind }) => kind === 'event')).toBe(true);
  for (const permission of ['Contacts.Read', 'MailboxItem.Export.All', 'MailboxFolder.Read.All']) tenant.simulator.grantPermission(permission);
  const second = await tenant.run(first.snapshot);
  expect(picture(second.snapshot)).toEqual(picture(complete.snapshot));
});

test('a part that always fails is named, and does not end the others', async () => {
  await using tenant = await start();
  const complete = await tenant.run();
  const back = [
    tenant.simulator.fault({ on: '/todo/lists', times: 1_000_000, fault: { kind: 'status', status: 500 } }),
    tenant.simulator.fault({ on: '/settings/exchange', times: 1_000_000, fault: { kind: 'status', status: 404, code: 'ResourceNotFound' } }),
  ];
  const first = await tenant.run();
  const outcomes = first.snapshot.sorted.filter(({ outcome }) => outcome !== '').map(({ key, outcome }) => [key, (JSON.parse(outcome) as { state: string; code: string }).code]);
  expect(outcomes).toEqual([['notes/!', 'part-unreadable'], ['tasks/!', 'part-unreadable']]);
  for (const one of back) one();
  expect(picture((await tenant.run(first.snapshot)).snapshot)).toEqual(picture(complete.snapshot));
});

test('notes come twenty at a time; one that is refused does not cost the others, and where all are refused each is asked for alone', async () => {
  await using tenant = await startPart(notesPlan, 2500);
  const first = await tenant.run();
  const notes = first.snapshot.sorted.filter(({ kind }) => kind === 'note');
  expect(notes.length).toBeGreaterThan(20);
  const isExport = ({ url }: { readonly url: string }): boolean => url.endsWith('/exportItems');
  expect(first.requests.filter(isExport)).toHaveLength(Math.ceil(notes.length / 20));
  expect(first.requests.filter(({ url }) => url.endsWith('/$batch'))).toHaveLength(Math.ceil(notes.length / 20));
  const gone = notes[3]!;
  tenant.simulator.fault({ on: '/exportItems', times: 1, fault: { kind: 'do', action: () => tenant.simulator.vanish(tenant.address, gone.key.slice('notes/i/'.length)) } });
  const second = await tenant.run();
  expect(second.snapshot.sorted.filter(({ outcome }) => outcome !== '').map(({ key, outcome }) => [key, (JSON.parse(outcome) as { code: string }).code])).toEqual([[gone.key, 'vanished']]);
  // Both that go out at once.
  tenant.simulator.fault({ on: '/exportItems', times: 2, fault: { kind: 'status', status: 400, code: 'ErrorInvalidRequest' } });
  const third = await tenant.run();
  expect(third.requests.filter(isExport).length).toBeGreaterThan(20);
  expect(picture(third.snapshot)).toEqual(picture(first.snapshot).filter((row) => !row.includes(gone.key)));
});

const SEGMENT = { code: 'BadRequest', message: "Resource not found for the segment 'exchange'." };

test.each([
  ['global', { status: 404, code: 'ResourceNotFound' }, 'failed part-unreadable'], ['global', { status: 400, code: 'BadRequest' }, 'failed part-unreadable'], ['global', { status: 400, ...SEGMENT }, 'skipped not-offered'],
  ['china', { status: 404, code: 'ResourceNotFound' }, 'skipped not-offered'], ['china', { status: 400, ...SEGMENT }, 'skipped not-offered'], ['china', { status: 500 }, 'failed part-unreadable'],
] as const)('in the cloud %s notes that answer with %o are %s', async (cloud, fault, expected) => {
  await using tenant = await start({ items: 20, settings: { cloud }, parts: [(access) => new FolderedService(access, notesPlan), (access) => new SettingsService(access)] });
  tenant.simulator.fault({ on: '/settings/exchange', times: 1_000_000, fault: { kind: 'status', ...fault } });
  const { snapshot } = await tenant.run();
  const { state, code } = JSON.parse(snapshot.byKey.get('notes/!')?.outcome ?? '') as { state: string; code: string };
  expect(`${state} ${code}`).toBe(expected);
});

test('notes that may be listed and not exported are named one by one, and the run goes on', async () => {
  await using tenant = await start({ items: 1600, parts: [(access) => new FolderedService(access, notesPlan), (access) => new SettingsService(access)] });
  for (const permission of ['MailboxItem.Export.All', 'MailboxItem.ImportExport.All']) tenant.simulator.withdrawPermission(permission);
  const { snapshot } = await tenant.run();
  const failed = snapshot.sorted.filter(({ outcome }) => outcome !== '');
  expect(failed).toHaveLength(16);
  expect(failed.every(({ kind }) => kind === 'note')).toBe(true);
});
