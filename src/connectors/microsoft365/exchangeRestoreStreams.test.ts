import { expect, test } from 'vitest';
import type { ProgressEvent } from '../../domain/index.ts';
import type { SnapshotModel } from '../conformance.ts';
import { calendarPlan } from './exchange/calendar/calendarPlan.ts';
import { contactsPlan } from './exchange/contacts/contactsPlan.ts';
import { FolderedService } from './exchange/items/folderedService.ts';
import { MailService } from './exchange/mail/mailService.ts';
import { notesPlan } from './exchange/notes/notesPlan.ts';
import type { MailboxAccess } from './exchange/subService.ts';
import { expectStreamCoverage } from './testing/coverageTable.ts';
import { readContacts } from './testing/readContacts.ts';
import { readEvents } from './testing/readEvents.ts';
import { differences, readMailbox, type ShownMail } from './testing/readMailbox.ts';
import { readNotes } from './testing/readNotes.ts';
import { differing, type ShownItem } from './testing/shownItems.ts';
import { counts, giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';

const RECOVERABLE = /^recoverableitemsdeletions /;

const start = async (items: number): Promise<TestTenant> => await TestTenant.start({ items, parts: 'all', fidelity: 'both' });

const backUp = async (tenant: TestTenant): Promise<SnapshotModel> => (await tenant.run()).snapshot;

function compare(before: ReadonlyMap<string, ShownMail>, after: ReadonlyMap<string, ShownMail>): string[] {
  const found = new Set<string>();
  for (const [key, { fields }] of before) for (const name of differences(fields, after.get(key)?.fields ?? {})) found.add(name);
  return [...found].sort();
}

/** What is in one, and not in the other. */
const added = (before: ReadonlyMap<string, ShownItem>, after: ReadonlyMap<string, ShownItem>): Map<string, ShownItem> => new Map([...after].filter(([key]) => !before.has(key)));

async function everything(tenant: TestTenant, address: string) {
  return { mails: await readMailbox(tenant, address), events: await readEvents(tenant, address), contacts: await readContacts(tenant, address), notes: await readNotes(tenant, address) };
}

test('into another mailbox mails, contacts, meetings with their people and notes come as they were, and nobody hears of it; a second run writes nothing', async () => {
  const parts = [(access: MailboxAccess) => new MailService(access), ...[calendarPlan, contactsPlan, notesPlan].map((plan) => (access: MailboxAccess) => new FolderedService(access, plan))];
  await using tenant = await TestTenant.start({ items: 100, parts, fidelity: 'both' });
  const [, other = ''] = tenant.simulator.mailboxes;
  await tenant.ask('PATCH', `/messages/${(await tenant.messages('inbox', 1))[0].id}`, { flag: { flagStatus: 'flagged', dueDateTime: { dateTime: '2026-12-01T00:00:00', timeZone: 'UTC' }, startDateTime: { dateTime: '2026-11-28T00:00:00', timeZone: 'UTC' } } });
  const [mine, theirs] = [await everything(tenant, tenant.address), await everything(tenant, other)];
  const snapshot = await backUp(tenant);
  const dry = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, dryRun: true });
  expect(dry.writes).toEqual([]);
  const sent = tenant.simulator.sentMails().length;
  const real = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect(tenant.simulator.sentMails()).toHaveLength(sent);
  for (const items of ['mail/m/', 'calendar/i/', 'contacts/i/', 'notes/i/']) {
    const { written, altered = 0, ...rest } = counts(real, items);
    expect([(written ?? 0) + altered, rest], items).toEqual([counts(dry, items)['written'], {}]);
  }
  // What lay in Recoverable Items lies in a folder of that name.
  expect([...real.results].flatMap(([, result]) => (result.result === 'altered' ? [result.outcome.code] : [])).every((code) => code === 'not-recoverable')).toBe(true);
  const now = await everything(tenant, other);
  for (const part of ['mails', 'events', 'contacts', 'notes'] as const) for (const [key, { fields }] of theirs[part]) expect(now[part].get(key)?.fields, key).toEqual(fields);
  const mails = new Map([...mine.mails].map(([key, mail]) => [key.replace(RECOVERABLE, 'Recoverable Items/Deletions '), mail]));
  expect([...mails.keys()].filter((key) => !now.mails.has(key))).toEqual([]);
  const events = added(theirs.events, now.events);
  expect([...events.keys()].sort()).toEqual([...mine.events.keys()].filter((key) => !theirs.events.has(key)).sort());
  expect([...events.values()].some(({ fields }) => (fields['attendees'] as unknown[]).length > 0)).toBe(true);
  expect([...mine.notes.keys()].filter((key) => !now.notes.has(key))).toEqual([]);
  expectStreamCoverage({
    mail: compare(mails, now.mails), event: differing(added(theirs.events, mine.events), now.events), contact: differing(added(theirs.contacts, mine.contacts), now.contacts), note: differing(added(theirs.notes, mine.notes), now.notes),
  });
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
  const again = await giveBack(tenant, snapshot, { mode: 'replace' }, { address: other });
  expect(again.writes.map(({ method, url }) => `${method} ${url}`)).toEqual([]);
  for (const items of ['mail/m/', 'calendar/i/', 'contacts/i/', 'notes/i/']) expect(Object.keys(counts(again, items)), items).toEqual(['unchanged']);
});

test('a mail costs two requests: its stream, and the note of what it is', async () => {
  await using tenant = await TestTenant.start({ items: 60, fidelity: 'both' });
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  const { writes, results } = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  const mails = [...results.keys()].filter((path) => path.includes(' mail/m/')).length;
  expect(writes.filter(({ url }) => url.startsWith('/outlook/ImportSessions/'))).toHaveLength(mails);
  expect(writes.filter(({ method, url }) => method === 'PATCH' && url.includes('/messages/'))).toHaveLength(mails);
  // An address for streams; and the mark that a restore is at work, set and taken back.
  expect(writes.filter(({ url }) => url.endsWith('/createImportSession'))).toHaveLength(1);
  expect(writes.filter(({ url }) => url.endsWith('/mailFolders/inbox'))).toHaveLength(2);
});

test('what is gone comes back in its place, in the state that it had by then; separate puts all beside, once', async () => {
  const parts = [(access: MailboxAccess) => new MailService(access), ...[calendarPlan, notesPlan].map((plan) => (access: MailboxAccess) => new FolderedService(access, plan))];
  await using tenant = await TestTenant.start({ items: 100, fidelity: 'both', parts });
  const read = async () => ({ events: await readEvents(tenant), notes: await readNotes(tenant, tenant.address) });
  const first = await backUp(tenant);
  const [mail] = await tenant.messages('inbox', 1);
  await tenant.ask('PATCH', `/messages/${mail.id}`, { isRead: mail.isRead !== true, categories: ['Later'] });
  const snapshot = (await tenant.run(first)).snapshot;
  const before = await read();
  const sent = tenant.simulator.sentMails().length;
  await tenant.ask('POST', `/messages/${mail.id}/permanentDelete`);
  for (const { fields } of [...before.events.values(), ...before.notes.values()]) tenant.simulator.vanish(tenant.address, fields['id']);
  const run = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect([...run.results.values()].filter(({ result }) => result === 'failed' || result === 'altered')).toEqual([]);
  const after = await read();
  for (const part of ['events', 'notes'] as const) expect([...after[part].keys()].sort(), part).toEqual([...before[part].keys()].sort());
  const back = (await tenant.messages('inbox', 50)).find(({ internetMessageId }) => internetMessageId === mail.internetMessageId);
  expect(back).toMatchObject({ isRead: mail.isRead !== true, categories: ['Later'], receivedDateTime: mail.receivedDateTime });
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
  await giveBack(tenant, snapshot, { mode: 'separate' });
  expect([...(await readNotes(tenant, tenant.address)).keys()].filter((key) => key.startsWith('Restored 2026-01-02 - Notes '))).toHaveLength(before.notes.size);
  for (const mode of ['separate', 'replace', 'skip'] as const) expect((await giveBack(tenant, snapshot, { mode })).writes, mode).toEqual([]);
  expect(tenant.simulator.sentMails()).toHaveLength(sent);
});

test('a note that was edited gets its words back, and a second run writes nothing', async () => {
  await using tenant = await TestTenant.start({ items: 200, parts: [(access) => new FolderedService(access, notesPlan)] });
  const before = await readNotes(tenant, tenant.address);
  const snapshot = await backUp(tenant);
  const [first, second] = [...before.values()];
  // Nothing but the import edits notes: one gets the stream of another.
  const streamOf = (id: string): string => snapshot.bytesOf(snapshot.byKey.get(`notes/i/${id}`)!)?.toString('base64') ?? '';
  const { primaryMailboxId } = await tenant.ask('GET', '/settings/exchange');
  const { importUrl } = await tenant.askAt('POST', `/admin/exchange/mailboxes/${primaryMailboxId}/createImportSession`);
  const body = JSON.stringify({ FolderId: first?.fields['folderId'], Mode: 'update', ItemId: first?.fields['id'], Data: streamOf(second?.fields['id']) });
  expect((await fetch(importUrl, { method: 'POST', body })).status).toBe(200);
  expect(differing(before, await readNotes(tenant, tenant.address))).toContain('words');
  expect(counts(await giveBack(tenant, snapshot, { mode: 'skip' }), 'notes/i/')).toEqual({ skipped: before.size });
  const run = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect(counts(run, 'notes/i/')).toEqual({ replaced: 1, unchanged: before.size - 1 });
  expect(differing(before, await readNotes(tenant, tenant.address)).filter((name) => !['changeKey', '@odata.etag', 'lastModifiedDateTime'].includes(name))).toEqual([]);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
});

test('without the permission to import that is told once, and items come back in their readable form', async () => {
  await using tenant = await start(40);
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  tenant.simulator.withdrawPermission('MailboxItem.ImportExport.All');
  const told: ProgressEvent[] = [];
  const run = await giveBack(tenant, snapshot, { mode: 'skip', tell: (event) => told.push(event) }, { address: other });
  expect(told).toMatchObject([{ type: 'warning', code: 'restore/no-streams', message: expect.stringContaining('MailboxItem.ImportExport.All') as unknown }]);
  expect([...run.results.values()].flatMap((result) => (result.result === 'failed' ? [result.outcome.code] : [])).every((code) => code === 'no-streams')).toBe(true);
  expect(counts(run)['failed']).toBe(undefined);
});

test('a stream that is refused or whose answer is lost costs no mail, and makes none twice', async () => {
  await using tenant = await TestTenant.start({ items: 40, fidelity: 'both' });
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  const before = await readMailbox(tenant, other);
  const on = '/outlook/ImportSessions/';
  tenant.simulator.fault({ on, times: 1, fault: { kind: 'status', status: 400, code: 'ErrorCorruptData' } });
  tenant.simulator.fault({ on, times: 1, fault: { kind: 'truncate', bytes: 5 } });
  const run = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect([...run.results.values()].flatMap((result) => (result.result === 'altered' && /stream|whole/.test(result.outcome.message) ? [result.outcome.code] : []))).toHaveLength(1);
  expect((await readMailbox(tenant, other)).size).toBe(before.size + snapshot.sorted.filter(({ kind }) => kind === 'mail').length);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
});

test('a restore that is stopped between a stream and its origin goes on without making anything twice', async () => {
  const parts = [(access: MailboxAccess) => new MailService(access), (access: MailboxAccess) => new FolderedService(access, contactsPlan)];
  await using tenant = await TestTenant.start({ items: 60, fidelity: 'both', parts });
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  const read = async () => (await readMailbox(tenant, other)).size + (await readContacts(tenant, other)).size;
  const before = await read();
  for (const on of [/^PATCH .*\/contacts\//, /^PATCH .*\/messages\//]) {
    const stop = new AbortController();
    tenant.simulator.fault({ on, times: 1, fault: { kind: 'do', action: () => stop.abort(new Error('stopped')) } });
    await expect(giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, signal: stop.signal })).rejects.toThrow('stopped');
  }
  await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect(await read()).toBe(before + snapshot.sorted.filter(({ kind }) => kind === 'mail' || kind === 'contact').length);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
});

test('a mail whose stream alone is kept comes back, and is named where the stream is not taken', async () => {
  await using tenant = await TestTenant.start({ items: 30, fidelity: 'stream' });
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  const mails = snapshot.sorted.filter(({ kind }) => kind === 'mail').length;
  tenant.simulator.withdrawPermission('MailboxItem.ImportExport.All');
  const denied = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect(counts(denied)).toEqual({ failed: mails });
  expect([...denied.results.values()].flatMap((result) => (result.result === 'failed' ? [result.outcome.code] : [])).every((code) => code === 'stream-alone')).toBe(true);
  tenant.simulator.grantPermission('MailboxItem.ImportExport.All');
  const run = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect((counts(run)['written'] ?? 0) + (counts(run)['altered'] ?? 0)).toBe(mails);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
});
