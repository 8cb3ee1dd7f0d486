import { expect, test } from 'vitest';
import type { Fault } from '../../../simulators/microsoft365/index.ts';
import type { SnapshotModel } from '../conformance.ts';
import { Dice } from './testing/dice.ts';
import { counts, giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';
import { TRANSIENT_FAULTS } from './testing/transientFaults.ts';
import { readMailbox } from './testing/readMailbox.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
/** Two ranges. */
const LARGE = 4_200_000;

async function backUp(tenant: TestTenant): Promise<SnapshotModel> {
  return (await tenant.run()).snapshot;
}

/** A received mail with an attachment that needs an upload session, made without the product. */
async function addLarge(tenant: TestTenant, size = LARGE): Promise<{ readonly subject: string; readonly bytes: Buffer }> {
  const subject = `Large ${size}`;
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE(Math.imul(at + size, 2_654_435_761) >>> 0, Math.min(at, size - 4));
  const { id } = await tenant.ask('POST', '/mailFolders/inbox/messages', {
    subject, body: { contentType: 'text', content: 'large' }, internetMessageId: `<large-${size}@example.test>`,
    attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'small.txt', contentType: 'text/plain', contentBytes: Buffer.from('small').toString('base64') }],
    singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: '1' }, { id: 'SystemTime 0x0E06', value: '2026-05-01T10:00:00Z' }],
  });
  const { uploadUrl } = await tenant.ask('POST', `/messages/${id}/attachments/createUploadSession`, { AttachmentItem: { attachmentType: 'file', name: 'large.bin', size, contentType: 'application/octet-stream' } });
  const range = 3_000_000;
  for (let at = 0; at < size; at += range) {
    const part = bytes.subarray(at, at + range);
    const answer = await fetch(uploadUrl, { method: 'PUT', body: new Uint8Array(part), headers: { 'content-range': `bytes ${at}-${at + part.length - 1}/${size}` } });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }
  return { subject, bytes };
}

async function findLarge(tenant: TestTenant, subject: string, address: string): Promise<any[]> {
  const found = (await tenant.ask('GET', `/messages?$filter=${encodeURIComponent(`subject eq '${subject}'`)}&$expand=attachments&$top=50`, undefined, address)).value as any[];
  return found;
}

test('large attachments go through upload sessions, byte for byte, in their order', async () => {
  await using tenant = await TestTenant.start({ items: 20 });
  const [, other = ''] = tenant.simulator.mailboxes;
  const { subject, bytes } = await addLarge(tenant);
  const snapshot = await backUp(tenant);
  const { writes, results } = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  const [mail, ...more] = await findLarge(tenant, subject, other);
  expect(more).toEqual([]);
  expect(mail.attachments.map(({ name }: { name: string }) => name)).toEqual(['small.txt', 'large.bin']);
  expect(Buffer.from(mail.attachments[1].contentBytes, 'base64').equals(bytes)).toBe(true);
  expect(mail).toMatchObject({ isDraft: false, isRead: true, receivedDateTime: '2026-05-01T10:00:00Z' });
  const puts = writes.filter(({ method }) => method === 'PUT');
  expect(puts).toHaveLength(Math.ceil(LARGE / 3_932_160));
  expect(puts.every(({ requestBytes }) => requestBytes < 4_000_000)).toBe(true);
  expect([...results.values()].filter(({ result }) => result === 'failed')).toEqual([]);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
});

test('a range whose answer is lost, and a last one, are not sent for nothing and not attached twice', async () => {
  for (const after of [0, 1]) {
    await using tenant = await TestTenant.start({ items: 10 });
    const [, other = ''] = tenant.simulator.mailboxes;
    const { subject, bytes } = await addLarge(tenant);
    const snapshot = await backUp(tenant);
    tenant.simulator.fault({ on: /^PUT .*AttachmentSessions/, after, times: 1, fault: { kind: 'reset' } });
    await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
    const [mail, ...more] = await findLarge(tenant, subject, other);
    expect([more.length, mail.attachments.map(({ name }: { name: string }) => name)]).toEqual([0, ['small.txt', 'large.bin']]);
    expect(Buffer.from(mail.attachments[1].contentBytes, 'base64').equals(bytes)).toBe(true);
  }
});

test('a run that is stopped between a mail and its attachments leaves a mark, and the next one makes it anew, once', async () => {
  await using tenant = await TestTenant.start({ items: 10 });
  const [, other = ''] = tenant.simulator.mailboxes;
  const { subject } = await addLarge(tenant);
  const snapshot = await backUp(tenant);
  const stop = new AbortController();
  tenant.simulator.fault({ on: /^PUT .*AttachmentSessions/, times: 1, fault: { kind: 'do', action: () => stop.abort(new Error('stopped')) } });
  await expect(giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, signal: stop.signal })).rejects.toThrow('stopped');
  expect((await findLarge(tenant, subject, other)).map(({ attachments }) => attachments.length)).toEqual([1]);
  await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect((await findLarge(tenant, subject, other)).map(({ attachments }) => attachments.length)).toEqual([2]);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
});

test(`with one request in ten failing by chance every mail is there once (seed ${SEED})`, async () => {
  await using tenant = await TestTenant.start({ items: 60 });
  const [, clean = '', faulty = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  await giveBack(tenant, snapshot, { mode: 'separate' }, { address: clean });
  const dice = new Dice(SEED);
  const fault = (): Fault => dice.pick(TRANSIENT_FAULTS) ?? { kind: 'reset' };
  // One of each ten, so that no seed has too few.
  const rules = Array.from({ length: 60 }, (_, ten) => tenant.simulator.fault({ on: '/v1.0/', after: ten * 10 + dice.below(10), times: 1, fault: fault() }));
  const run = await giveBack(tenant, snapshot, { mode: 'separate' }, { address: faulty });
  for (const undo of rules) undo();
  expect(run.writes.filter((write) => write.fault !== undefined).length, `seed ${SEED}`).toBeGreaterThan(2);
  expect(counts(run)['failed'] ?? 0, `seed ${SEED}`).toBe(0);
  const keys = async (address: string): Promise<string[]> => [...(await readMailbox(tenant, address)).keys()].filter((key) => key.startsWith('Restored')).sort();
  expect(await keys(faulty), `seed ${SEED}`).toEqual(await keys(clean));
  expect((await giveBack(tenant, snapshot, { mode: 'separate' }, { address: faulty })).writes, `seed ${SEED}`).toEqual([]);
});

test('one mail that is always refused is named, and the others are there', async () => {
  await using tenant = await TestTenant.start({ items: 30 });
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  tenant.simulator.fault({ on: /^POST .*\/messages$/, after: 3, times: 1, fault: { kind: 'status', status: 400, code: 'ErrorInvalidRequest' } });
  const run = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  const failed = [...run.results.values()].flatMap((result) => (result.result === 'failed' ? [result.outcome] : []));
  expect(failed).toMatchObject([{ state: 'failed', code: 'refused' }]);
  const second = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect(counts(second)['failed'] ?? 0).toBe(0);
  expect(second.writes.filter(({ url }) => url.endsWith('/messages'))).toHaveLength(1);
});

test('mails that the listing misses are not made a second time', async () => {
  await using tenant = await TestTenant.start({ items: 15 });
  const snapshot = await backUp(tenant);
  const on = `${encodeURIComponent(await tenant.folderId('inbox'))}/messages?`;
  for (const mode of ['skip', 'replace'] as const) {
    // To the listing the folder is gone: of pages that shift the stand-in knows nothing.
    tenant.simulator.fault({ on, times: 2, fault: { kind: 'status', status: 404 } });
    expect(Object.keys(counts(await giveBack(tenant, snapshot, { mode }, { dryRun: true }))), mode).toEqual([mode === 'skip' ? 'skipped' : 'unchanged']);
    tenant.simulator.fault({ on, times: 2, fault: { kind: 'status', status: 404 } });
    const { writes } = await giveBack(tenant, snapshot, { mode });
    expect(writes.map(({ method, url }) => `${method} ${url}`), mode).toEqual([]);
  }
  // Those that a restore made beside are known by the listing alone: a folder that is not found once is listed again.
  await giveBack(tenant, snapshot, { mode: 'separate' }, { within: (path) => path.startsWith('Mail/Inbox') });
  tenant.simulator.fault({ on: /^GET .*\/messages\?/, times: 1, fault: { kind: 'status', status: 404 } });
  expect((await giveBack(tenant, snapshot, { mode: 'separate' }, { within: (path) => path.startsWith('Mail/Inbox') })).writes).toEqual([]);
});

test('each attachment that is refused is named', async () => {
  await using tenant = await TestTenant.start({ items: 4 });
  const [, other = ''] = tenant.simulator.mailboxes;
  const { id } = await tenant.ask('POST', '/messages', { subject: 'Heavy', body: { contentType: 'text', content: 'x' } });
  const contentBytes = Buffer.alloc(1_000_000, 'a').toString('base64');
  for (const name of ['a.bin', 'b.bin', 'c.bin', 'd.bin']) await tenant.ask('POST', `/messages/${id}/attachments`, { '@odata.type': '#microsoft.graph.fileAttachment', name, contentBytes });
  const snapshot = await backUp(tenant);
  // The first goes along with the message.
  tenant.simulator.fault({ on: /^POST .*\/attachments$/, times: 2, fault: { kind: 'status', status: 400, code: 'ErrorInvalidRequest' } });
  const run = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  const lost = [...run.results.values()].flatMap((result) => (result.result === 'altered' && result.outcome.code === 'attachment-lost' ? [result.outcome.message] : []));
  expect(lost).toHaveLength(1);
  expect([...lost[0]?.matchAll(/"(\w\.bin)"/g) ?? []].map(([, name]) => name)).toEqual(['b.bin', 'c.bin']);
});

test('without the permission to write, in a full mailbox, and without a network the run ends with a sentence', async () => {
  await using tenant = await TestTenant.start({ items: 30 });
  const snapshot = await backUp(tenant);
  const separate = { mode: 'separate' } as const;
  const full = tenant.simulator.fault({ on: /^POST .*\/messages$/, times: 1_000_000, fault: { kind: 'status', status: 507, code: 'ErrorQuotaExceeded' } });
  await expect(giveBack(tenant, snapshot, separate)).rejects.toMatchObject({ code: 'microsoft365/full', message: expect.stringContaining('start again') as unknown });
  full();
  // Whether a mail was made cannot be seen either.
  const gone = tenant.simulator.fault({ on: /\/messages(\?|$)/, times: 1_000_000, fault: { kind: 'reset' } });
  await expect(giveBack(tenant, snapshot, { ...separate, folderName: 'Gone' })).rejects.toMatchObject({ code: 'http/unavailable' });
  gone();
  tenant.simulator.withdrawPermission('Mail.ReadWrite');
  await expect(giveBack(tenant, snapshot, { ...separate, folderName: 'Other' })).rejects.toMatchObject({ code: 'microsoft365/no-permission', message: expect.stringContaining('Mail.ReadWrite') as unknown });
  expect((await giveBack(tenant, snapshot, separate, { dryRun: true })).writes).toEqual([]);
  tenant.simulator.grantPermission('Mail.ReadWrite');
  expect(counts(await giveBack(tenant, snapshot, separate))['failed'] ?? 0).toBe(0);
});
