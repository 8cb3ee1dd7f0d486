import { expect, test } from 'vitest';
import type { Outcome } from '../../domain/index.ts';
import type { SnapshotModel } from '../conformance.ts';
import { calendarPlan } from './exchange/calendar/calendarPlan.ts';
import { contactsPlan } from './exchange/contacts/contactsPlan.ts';
import { FolderedService } from './exchange/items/folderedService.ts';
import { MailService } from './exchange/mail/mailService.ts';
import { SettingsService } from './exchange/settings/settingsService.ts';
import { wholeRows } from './testing/picture.ts';
import { TestTenant } from './testing/testTenant.ts';

const MISSING = { kind: 'status', status: 404 } as const;

function folderIds(snapshot: SnapshotModel, part: string): string[] {
  return snapshot.sorted.flatMap(({ key, meta }) => (key.startsWith(`${part}/f/`) && !meta.includes('"search"') ? [key.slice(part.length + 3)] : []));
}

/** State and code by key, of all that is not stored whole. */
function outcomes(snapshot: SnapshotModel): Record<string, string> {
  return Object.fromEntries(snapshot.sorted.filter(({ outcome }) => outcome !== '').map(({ key, outcome }) => {
    const { state, code } = JSON.parse(outcome) as Outcome;
    return [key, `${state} ${code}`];
  }));
}

test('an item that is not found is asked for twice, then named; it keeps what it had, and the next run fetches it', async () => {
  await using tenant = await TestTenant.start({ items: 20 });
  const { id } = await tenant.ask('POST', '/messages', { subject: 'Draft', body: { contentType: 'text', content: 'first' } });
  const key = `mail/m/${id}`;
  const first = await tenant.run();
  await tenant.ask('PATCH', `/messages/${id}`, { body: { contentType: 'text', content: 'second, and longer' } });
  const [added, slow] = [await tenant.addMessage(), await tenant.addMessage()];
  for (const [one, times] of [[id, 4], [added, 2], [slow, 1]]) tenant.simulator.fault({ on: `/${encodeURIComponent(one)}/$value`, times, fault: MISSING });
  const second = await tenant.run(first.snapshot);
  expect(outcomes(second.snapshot)).toEqual({ [key]: 'skipped vanished', [`mail/m/${added}`]: 'skipped vanished' });
  expect(second.snapshot.byKey.get(key)).toMatchObject({ content: first.snapshot.byKey.get(key)?.content });
  const third = await tenant.run(second.snapshot);
  expect(third.fetched.map((item) => item.key).sort()).toEqual([key, `mail/m/${added}`].sort());
  // Still listed and still not found: that is no deletion.
  expect(outcomes(third.snapshot)).toEqual({ [key]: 'failed missing' });
  const fourth = await tenant.run(third.snapshot);
  expect(wholeRows(fourth.snapshot)).toEqual(wholeRows((await tenant.run()).snapshot));
  expect((await tenant.run(fourth.snapshot)).fetched).toEqual([]);
});

test.each([
  ['mails', undefined, 'mail', '/mailFolders/archive/messages', /mailFolders\/(\w|%)+\/messages\/delta/, { subject: 'New' }],
  ['contacts', contactsPlan, 'contacts', '/contacts', /contactFolders\/(\w|%)+\/contacts\/delta/, { givenName: 'New' }],
] as const)('folders whose %s are not found once are read; twice: they are named, keep all, and are read by the next run', async (_what, plan, part, path, on, item) => {
  await using tenant = await TestTenant.start({ items: 60, ...plan === undefined ? {} : { parts: [(access) => new FolderedService(access, plan)] } });
  const first = await tenant.run();
  await tenant.ask('POST', path, item);
  const once = tenant.simulator.fault({ on, times: 1, fault: MISSING });
  const healed = await tenant.run(first.snapshot);
  expect([healed.requests.filter(({ fault }) => fault !== undefined).length, outcomes(healed.snapshot)]).toEqual([1, {}]);
  once();
  const back = tenant.simulator.fault({ on, times: 1_000_000, fault: MISSING });
  const second = await tenant.run(first.snapshot);
  back();
  expect(outcomes(second.snapshot)).toEqual(Object.fromEntries(folderIds(first.snapshot, part).map((id) => [`${part}/x/${id}`, 'failed folder-unreadable'])));
  expect(wholeRows(second.snapshot).filter((row) => !row.includes('folder-unreadable'))).toEqual(wholeRows(first.snapshot));
  expect(wholeRows((await tenant.run(second.snapshot)).snapshot)).toEqual(wholeRows(healed.snapshot));
});

test('a folder that is not found because it was deleted is named, and gone with the next run', async () => {
  await using tenant = await TestTenant.start({ items: 60 });
  const { id } = await tenant.ask('POST', '/mailFolders', { displayName: 'Doomed' });
  const message = await tenant.addMessage(id);
  const first = await tenant.run();
  tenant.simulator.fault({ on: `${encodeURIComponent(id)}/messages/delta`, times: 1_000_000, fault: MISSING });
  const second = await tenant.run(first.snapshot);
  expect(outcomes(second.snapshot)).toEqual({ [`mail/x/${id}`]: 'failed folder-unreadable' });
  expect(second.snapshot.byKey.get(`mail/m/${message}`)).toEqual(first.snapshot.byKey.get(`mail/m/${message}`));
  await tenant.ask('POST', `/mailFolders/${id}/permanentDelete`);
  const third = await tenant.run(second.snapshot);
  expect(third.snapshot.find('Mail/Doomed')).toBeUndefined();
  expect(third.snapshot.byKey.has(`mail/m/${message}`)).toBe(false);
  expect(wholeRows(third.snapshot)).toEqual(wholeRows((await tenant.run()).snapshot));
});

test('a folder that is not found by its name once keeps name and mails, also one that no list shows', async () => {
  await using tenant = await TestTenant.start({ items: 60 });
  await tenant.ask('POST', `/messages/${await tenant.addMessage()}/move`, { destinationId: 'recoverableitemsdeletions' });
  const first = await tenant.run();
  expect(first.snapshot.find('Recoverable Items/Deletions')).toBeDefined();
  tenant.simulator.evictDeltaTokens(tenant.address);
  tenant.simulator.fault({ on: /mailFolders\/(inbox|recoverableitemsdeletions)\?/, times: 2, fault: MISSING });
  const second = await tenant.run(first.snapshot);
  expect(wholeRows(second.snapshot)).toEqual(wholeRows(first.snapshot));
  expect(second.requests.filter(({ fault }) => fault !== undefined)).toHaveLength(2);
});

test('a folder that is read a second time and then cannot be is read from where the run began: what left it is not kept for ever', async () => {
  await using tenant = await TestTenant.start({ items: 60 });
  const first = await tenant.run();
  const [message] = await tenant.messages('inbox', 1);
  const [inbox, bin] = [await tenant.folderId('inbox'), await tenant.folderId('deleteditems')];
  const [other] = await tenant.messages(bin, 1);
  await tenant.ask('POST', `/messages/${message.id}/permanentDelete`);
  // Deleted Items are read last: what leaves them makes the inbox be read once more.
  await tenant.ask('POST', `/messages/${other.id}/permanentDelete`);
  const on = `${encodeURIComponent(inbox)}/messages/delta?$deltatoken`;
  const back = tenant.simulator.fault({ on, after: 1, times: 1_000_000, fault: { kind: 'status', status: 500 } });
  const second = await tenant.run(first.snapshot);
  back();
  expect(outcomes(second.snapshot)).toEqual({ [`mail/x/${inbox}`]: 'failed folder-unreadable' });
  expect(second.requests.filter(({ url, fault }) => url.includes(on) && fault === undefined)).toHaveLength(1);
  const third = await tenant.run(second.snapshot);
  expect(third.snapshot.byKey.has(`mail/m/${message.id}`)).toBe(false);
  expect(wholeRows(third.snapshot)).toEqual(wholeRows((await tenant.run()).snapshot));
});

test('a user who is deleted while contents are fetched ends the run with a sentence, and no mail is called deleted', async () => {
  await using tenant = await TestTenant.start({ items: 40 });
  tenant.simulator.fault({ on: '$value', after: 5, times: 1, fault: { kind: 'do', action: () => tenant.simulator.deleteUser(tenant.address) } });
  await expect(tenant.run()).rejects.toMatchObject({ code: 'microsoft365/no-mailbox', retryClass: 'input', message: expect.stringContaining('it was deleted') });
});

test.each([['settings', '/mailboxSettings', 'm'], ['categories', '/outlook/masterCategories', 'c/'], ['rules', '/messageRules', 'r/']])('%s that are not found are named and kept', async (_what, on, prefix) => {
  await using tenant = await TestTenant.start({ items: 20, parts: [(access) => new SettingsService(access)] });
  const none = await tenant.run();
  await tenant.ask('POST', '/mailFolders/inbox/messageRules', { displayName: 'Invoices', sequence: 1, conditions: { subjectContains: ['invoice'] }, actions: { stopProcessingRules: true } });
  const first = await tenant.run();
  const back = tenant.simulator.fault({ on, times: 1_000_000, fault: MISSING });
  const second = await tenant.run(first.snapshot);
  expect(outcomes(second.snapshot)).toEqual({ [`settings/x/settings/${prefix}`]: 'failed unreadable' });
  expect(wholeRows(second.snapshot).filter((row) => !row.includes('unreadable'))).toEqual(wholeRows(first.snapshot));
  // A mailbox of a room, say, never had rules.
  expect(outcomes((await tenant.run(none.snapshot)).snapshot)).toEqual(prefix === 'r/' ? {} : outcomes(second.snapshot));
  back();
  expect(wholeRows((await tenant.run(second.snapshot)).snapshot)).toEqual(wholeRows(first.snapshot));
});

test('a user who is deleted before the settings are read ends the run', async () => {
  await using tenant = await TestTenant.start({ items: 20, parts: [(access) => new MailService(access), (access) => new SettingsService(access)] });
  const { snapshot } = await tenant.run();
  tenant.simulator.fault({ on: '/masterCategories', times: 1, fault: { kind: 'do', action: () => tenant.simulator.deleteUser(tenant.address) } });
  await expect(tenant.run(snapshot)).rejects.toMatchObject({ code: 'microsoft365/no-mailbox' });
});

test.each([
  ['an attachment of an event', /events\/[^/]+\/attachments\/[^/]+\?/], ['the attachments of an exception', /events\/[^/]+\/attachments\?/],
])('%s that is not found is a failure of the event, not its deletion', async (_what, on) => {
  await using tenant = await TestTenant.start({ items: 20, parts: [(access) => new FolderedService(access, calendarPlan)] });
  const at = { dateTime: '2026-03-02T09:00:00', timeZone: 'UTC' };
  const recurrence = { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'] }, range: { type: 'noEnd', startDate: '2026-03-02' } };
  const { id } = await tenant.ask('POST', '/events', { subject: 'Weekly', start: at, end: at, recurrence });
  await tenant.ask('POST', `/events/${id}/attachments`, { '@odata.type': '#microsoft.graph.itemAttachment', name: 'Within', item: { '@odata.type': '#microsoft.graph.message', subject: 'Within' } });
  const [one] = (await tenant.ask('GET', `/events/${id}/instances?startDateTime=2026-03-01T00:00:00&endDateTime=2026-03-31T00:00:00`)).value as any[];
  await tenant.ask('PATCH', `/events/${one.id}`, { subject: 'Elsewhere', body: { contentType: 'html', content: '<img src="cid:a">' } });
  const back = tenant.simulator.fault({ on, times: 1_000_000, fault: MISSING });
  const first = await tenant.run();
  back();
  expect(outcomes(first.snapshot)).toMatchObject({ [`calendar/i/${id}`]: 'failed unreadable' });
  expect(new Set(Object.values(outcomes(first.snapshot)))).toEqual(new Set(['failed unreadable']));
  const second = await tenant.run(first.snapshot);
  expect(wholeRows(second.snapshot)).toEqual(wholeRows((await tenant.run()).snapshot));
});
