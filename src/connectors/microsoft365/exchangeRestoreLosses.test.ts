import { expect, test } from 'vitest';
import type { ItemRow } from '../../domain/index.ts';
import type { SnapshotModel } from '../conformance.ts';
import { calendarPlan } from './exchange/calendar/calendarPlan.ts';
import { contactsPlan } from './exchange/contacts/contactsPlan.ts';
import { FolderedService } from './exchange/items/folderedService.ts';
import { notesPlan } from './exchange/notes/notesPlan.ts';
import { SettingsService } from './exchange/settings/settingsService.ts';
import type { SubServiceFactory } from './exchange/subService.ts';
import { tasksPlan } from './exchange/todo/tasksPlan.ts';
import { startAlteringProxy } from './testing/alteringProxy.ts';
import { giveBack, type Restored } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';

/** What a restore names as lost, kept or left, in cases that no seeded mailbox has: the snapshot is what an older backup, or another service, may have made. */
type Document = Readonly<Record<string, unknown>>;

const ZONE = 'W. Europe Standard Time';
const at = (dateTime: string, timeZone = 'UTC'): object => ({ dateTime, timeZone });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const part = (plan: typeof calendarPlan): SubServiceFactory => (access) => new FolderedService(access, plan);

/** Puts an item beside another one: its document with other values, or other bytes. */
function put(snapshot: SnapshotModel, like: ItemRow, name: string, content: Document | string, row: Partial<ItemRow> = {}): void {
  const own = typeof content === 'string' ? content : JSON.stringify({ ...JSON.parse(snapshot.bytesOf(like)?.toString() ?? '{}') as Document, ...content });
  snapshot.contents.set(name, Buffer.from(own));
  const key = `${like.key.slice(0, like.key.lastIndexOf('/') + 1)}${base64(name)}`;
  snapshot.byKey.set(key, { ...like, key, name, content: name, size: own.length, ...row });
}

/** What became of each item that was not given back as it was: name -> code. */
function codes(snapshot: SnapshotModel, { results }: Restored): Record<string, string> {
  const found: Record<string, string> = {};
  for (const row of snapshot.sorted) {
    const result = results.get(`${snapshot.pathOf(row)} ${row.key}`);
    if (result?.result === 'altered' || result?.result === 'failed') found[row.name] = result.outcome.code;
  }
  return found;
}

function only(snapshot: SnapshotModel, prefix: string): ItemRow {
  const found = snapshot.sorted.find(({ key, content }) => key.startsWith(prefix) && content !== '');
  if (found === undefined) throw new Error(`nothing begins with ${prefix}`);
  return found;
}

test('of events: links, attached items, meetings of others, online and called off, zones that nobody knows, the hour that comes twice, what is in no form', async () => {
  await using tenant = await TestTenant.start({ items: 0, parts: [part(calendarPlan)] });
  const [, other = ''] = tenant.simulator.mailboxes;
  await tenant.ask('POST', '/events', { subject: 'Plain', start: at('2026-11-02T09:00:00'), end: at('2026-11-02T10:00:00') });
  const { snapshot } = await tenant.run();
  const like = snapshot.sorted.find(({ name }) => name === 'Plain');
  if (like === undefined) throw new Error('the event is not there');
  const attached = (name: string, type: string, more: Document): Document => ({ subject: name, attachments: [{ '@odata.type': `#microsoft.graph.${type}`, id: name, name, size: 3, ...more }] });
  const weekly = (subject: string, start: string, more: Document): Document => ({
    subject, type: 'seriesMaster', start: at(start), end: at(start.replace(':30:', ':45:')), cancelledOccurrences: [], exceptionOccurrences: [], ...more,
    recurrence: { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['sunday'], firstDayOfWeek: 'monday', month: 0, dayOfMonth: 0, index: 'first' }, range: { type: 'numbered', startDate: start.slice(0, 10), endDate: '0001-01-01', numberOfOccurrences: 3, recurrenceTimeZone: ZONE } },
  });
  put(snapshot, like, 'Link', attached('Link', 'referenceAttachment', {}));
  put(snapshot, like, 'Item', attached('Item', 'itemAttachment', { contentBytes: base64('Subject: inner\r\n\r\ntext') }));
  put(snapshot, like, 'Theirs', { subject: 'Theirs', isOrganizer: false });
  put(snapshot, like, 'Online', { subject: 'Online', isOnlineMeeting: true });
  put(snapshot, like, 'Off', { subject: 'Off', isCancelled: true });
  put(snapshot, like, 'Zone', weekly('Zone', '2026-10-18T09:30:00', { originalStartTimeZone: 'Customized Time Zone', originalEndTimeZone: 'Customized Time Zone' }));
  put(snapshot, like, 'Hour', weekly('Hour', '2026-10-25T00:30:00', { originalStartTimeZone: ZONE, originalEndTimeZone: ZONE }));
  put(snapshot, like, 'Nothing', 'no document');
  put(snapshot, like, 'Stranger', {}, { kind: 'note' });
  const wanted = { Link: 'attachment-lost', Item: 'item-as-file', Theirs: 'organizer-lost', Online: 'online-lost', Off: 'cancelled-lost', Zone: 'zone-lost', Hour: 'time-shifted', Nothing: 'not-readable', Stranger: 'not-a-event' };
  const run = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect(codes(snapshot, run)).toEqual(wanted);
  const [file] = (await tenant.ask('GET', `/events?$filter=${encodeURIComponent("subject eq 'Item'")}&$expand=attachments`, undefined, other)).value[0].attachments;
  expect(file).toMatchObject({ name: 'Item.eml', contentType: 'message/rfc822' });
  expect(tenant.simulator.sentMails()).toEqual([]);
});

test('of contacts: a photo and a stream that are refused, and one that lies elsewhere', async () => {
  await using tenant = await TestTenant.start({ items: 0, parts: [part(contactsPlan)], fidelity: 'both' });
  const [, other = ''] = tenant.simulator.mailboxes;
  const { id } = await tenant.ask('POST', '/contacts', { givenName: 'Ada', displayName: 'Ada' });
  await tenant.bytes('PUT', `/contacts/${id}/photo/$value`, { body: Buffer.from([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]), type: 'image/jpeg' });
  const { id: folder } = await tenant.ask('POST', '/contactFolders', { displayName: 'Other' });
  const { snapshot } = await tenant.run();
  tenant.simulator.fault({ on: '/outlook/ImportSessions/', times: 1, fault: { kind: 'status', status: 400, code: 'ErrorCorruptData' } });
  expect(codes(snapshot, await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other }))).toEqual({ Ada: 'stream-refused' });
  tenant.simulator.withdrawPermission('MailboxItem.ImportExport.All');
  tenant.simulator.fault({ on: /^PUT .*photo/, times: 1, fault: { kind: 'status', status: 400, code: 'ErrorInvalidRequest' } });
  expect(codes(snapshot, await giveBack(tenant, snapshot, { mode: 'separate' }, { address: other }))).toEqual({ Ada: 'photo-lost' });
  const row = only(snapshot, 'contacts/i/');
  snapshot.byKey.set(row.key, { ...row, parent: `contacts/f/${folder}` });
  await tenant.ask('PATCH', `/contacts/${id}`, { jobTitle: 'Changed' });
  const elsewhere = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect([codes(snapshot, elsewhere), (await tenant.ask('GET', `/contacts/${id}`)).jobTitle]).toEqual([{ Ada: 'elsewhere' }, null]);
});

test('of tasks: a step that is refused, and an attachment that came since', async () => {
  await using tenant = await TestTenant.start({ items: 0, parts: [part(tasksPlan)] });
  const [, other = ''] = tenant.simulator.mailboxes;
  const [list] = (await tenant.ask('GET', '/todo/lists')).value;
  const path = `/todo/lists/${list.id}/tasks`;
  const { id } = await tenant.ask('POST', path, { title: 'Pack' });
  await tenant.ask('POST', `${path}/${id}/checklistItems`, { displayName: 'Socks' });
  const { snapshot } = await tenant.run();
  tenant.simulator.fault({ on: /^POST .*checklistItems$/, times: 1, fault: { kind: 'status', status: 400, code: 'invalidRequest' } });
  expect(codes(snapshot, await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other }))).toEqual({ Pack: 'part-lost' });
  await tenant.ask('POST', `${path}/${id}/attachments`, { '@odata.type': '#microsoft.graph.taskFileAttachment', name: 'since.txt', contentType: 'text/plain', contentBytes: 'YWJj' });
  expect(codes(snapshot, await giveBack(tenant, snapshot, { mode: 'replace' }))).toEqual({ Pack: 'attachment-kept' });
  expect((await tenant.ask('GET', `${path}/${id}/attachments`)).value).toHaveLength(1);
});

test('of mails: what was signed, encrypted or of a type of its own, receipts, mails in mails, a state that the service does not keep, what is in no form', async () => {
  await using tenant = await TestTenant.start({ items: 0 });
  const [, other = ''] = tenant.simulator.mailboxes;
  await tenant.addMessage('inbox', 'Plain');
  const { snapshot } = await tenant.run();
  const like = only(snapshot, 'mail/m/');
  const mime = (...lines: readonly string[]): string => ['From: a@b.example', 'To: c@d.example', 'Subject: x', 'MIME-Version: 1.0', ...lines].join('\r\n');
  const text = mime('', 'text');
  const meta = (more: object): { meta: string } => ({ meta: JSON.stringify({ ...JSON.parse(like.meta) as object, ...more }) });
  put(snapshot, like, 'Signed', mime('Content-Type: multipart/signed; boundary=b', '', '--b', '', 'x', '--b--', ''));
  put(snapshot, like, 'Encrypted', mime('Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m', 'Content-Transfer-Encoding: base64', '', 'YWJj', ''));
  put(snapshot, like, 'Asked', text, meta({ readReceipt: true }));
  put(snapshot, like, 'Meeting', text, meta({ type: '#microsoft.graph.eventMessageRequest' }));
  put(snapshot, like, 'Received', mime('Received: from x by y', '', 'text'));
  put(snapshot, like, 'Inner', mime('Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'x', '--b', 'Content-Type: message/rfc822', '', 'Subject: in', 'Content-Type: multipart/mixed; boundary=c', '', '--c', '', 'y', '--c', 'Content-Type: text/csv; name=a.csv', 'Content-Disposition: attachment; filename=a.csv', '', '1', '--c--', '--b--', ''));
  put(snapshot, like, 'Stranger', text, { kind: 'note' });
  put(snapshot, like, 'Kept', text);
  const proxy = await startAlteringProxy(tenant.simulator.graphUrl, () => undefined, (method, url, document) => (method === 'POST' && url.includes('/messages') && document['subject'] === 'Kept' ? { ...document, isDraft: true } : document));
  try {
    expect(codes(snapshot, await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, through: tenant.through(proxy.url) }))).toEqual({
      Signed: 'signature-lost', Encrypted: 'encrypted', Asked: 'receipt-lost', Meeting: 'type-lost', Received: 'headers-lost', Inner: 'mail-as-file', Stranger: 'not-a-mail', Kept: 'draft-state',
    });
  } finally {
    await proxy.close();
  }
});

test('of notes, settings and categories: what is none, is in no form, or has another name now', async () => {
  await using tenant = await TestTenant.start({ items: 100, parts: [part(notesPlan), (access) => new SettingsService(access)] });
  const { snapshot } = await tenant.run();
  const [note, category] = [only(snapshot, 'notes/i/'), only(snapshot, 'settings/c/')];
  put(snapshot, note, 'Stranger', 'x', { kind: 'mail', modified: 1, meta: '' });
  put(snapshot, category, 'Nothing', 'no document');
  const renamed = JSON.stringify({ ...JSON.parse(snapshot.bytesOf(category)?.toString() ?? '') as Document, displayName: 'Earlier' });
  snapshot.contents.set('renamed', Buffer.from(renamed));
  snapshot.byKey.set(category.key, { ...category, name: 'Earlier', content: 'renamed', change: 'renamed' });
  expect(codes(snapshot, await giveBack(tenant, snapshot, { mode: 'replace' }))).toEqual({ Stranger: 'not-a-note', Nothing: 'not-readable', Earlier: 'renamed' });
});
