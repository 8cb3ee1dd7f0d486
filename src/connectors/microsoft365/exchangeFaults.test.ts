import { expect, test } from 'vitest';
import { sleep } from '../../runtime/index.ts';
import type { Fault } from '../../../simulators/microsoft365/index.ts';
import { Dice } from './testing/dice.ts';
import { wholeRows } from './testing/picture.ts';
import { quickRuntime, TestTenant } from './testing/testTenant.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const LIMITS = { headersMs: 1500, idleMs: 1500 };

const FAULTS: readonly Fault[] = [
  { kind: 'status', status: 500 }, { kind: 'status', status: 502 }, { kind: 'status', status: 503, retryAfterSeconds: 1 }, { kind: 'status', status: 504 },
  { kind: 'status', status: 429, retryAfterSeconds: 2.128 }, { kind: 'status', status: 401 }, { kind: 'reset' }, { kind: 'truncate', bytes: 100 }, { kind: 'truncate', bytes: 0 }, { kind: 'cut', bytes: 50 },
];

test(`with one request in twenty failing by chance the end is that of a run without faults (seed ${SEED})`, async () => {
  await using tenant = await TestTenant.start({ items: 150 });
  const clean = await tenant.run();
  const dice = new Dice(SEED);
  // One of each twenty, so that no seed has too few.
  const hit = Array.from({ length: Math.floor(clean.requests.length / 20) }, (_, twenty) => twenty * 20 + dice.below(20));
  for (const after of hit) {
    tenant.simulator.fault({ on: '/v1.0/', after, times: 1, fault: dice.pick(FAULTS) ?? { kind: 'reset' } });
  }
  const run = await tenant.run();
  expect(hit.length).toBeGreaterThan(5);
  expect(run.requests.filter(({ fault }) => fault !== undefined).length, `seed ${SEED}`).toBeGreaterThanOrEqual(hit.length - 1);
  expect(wholeRows(run.snapshot), `seed ${SEED}`).toEqual(wholeRows(clean.snapshot));
});

test('a request that hangs is given up and sent again', async () => {
  await using tenant = await TestTenant.start({ runtime: { ...quickRuntime(), limits: LIMITS } });
  tenant.simulator.fault({ on: '$value', times: 2, fault: { kind: 'hang' } });
  tenant.simulator.fault({ on: 'mailFolders/delta', times: 1, fault: { kind: 'hang' } });
  const run = await tenant.run();
  expect(run.snapshot.sorted.filter(({ outcome }) => outcome !== '')).toEqual([]);
});

test.each([
  ['status 500', { kind: 'status', status: 500 }], ['a reset', { kind: 'reset' }], ['half a body', { kind: 'truncate', bytes: 20 }], ['a refusal', { kind: 'status', status: 400 }],
] as const)('one mail that always answers with %s is one named failure, and is tried again by the next run', async (_name, fault) => {
  await using tenant = await TestTenant.start({ runtime: { ...quickRuntime(), limits: LIMITS } });
  const [bad] = await tenant.messages('inbox', 1);
  const back = tenant.simulator.fault({ on: `/messages/${encodeURIComponent(bad.id)}/$value`, times: 1_000_000, fault });
  const first = await tenant.run();
  const failed = first.snapshot.sorted.filter(({ outcome }) => outcome !== '');
  expect(failed.map(({ key, outcome }) => [key, (JSON.parse(outcome) as { state: string; code: string }).code])).toEqual([[`mail/m/${bad.id}`, 'unreadable']]);
  const second = await tenant.run(first.snapshot);
  expect(second.fetched.map(({ key }) => key)).toEqual([`mail/m/${bad.id}`]);
  back();
  const third = await tenant.run(second.snapshot);
  expect(third.fetched).toHaveLength(1);
  expect(wholeRows(third.snapshot)).toEqual(wholeRows((await tenant.run()).snapshot));
  expect((await tenant.run(third.snapshot)).fetched).toEqual([]);
});

test('a folder that cannot be read is named, what it had is kept, and the next run reads it', async () => {
  await using tenant = await TestTenant.start();
  const first = await tenant.run();
  const inbox = await tenant.folderId('inbox');
  await tenant.addMessage('inbox');
  await tenant.addMessage('archive');
  const back = tenant.simulator.fault({ on: `${encodeURIComponent(inbox)}/messages/delta`, times: 1_000_000, fault: { kind: 'status', status: 500 } });
  const second = await tenant.run(first.snapshot);
  back();
  const failed = second.snapshot.sorted.filter(({ outcome }) => outcome !== '');
  expect(failed.map((row) => [second.snapshot.pathOf(row), (JSON.parse(row.outcome) as { code: string }).code])).toEqual([['Mail/Inbox/All mails of Inbox', 'folder-unreadable']]);
  expect(second.snapshot.sorted.filter(({ parent, content }) => parent === `mail/f/${inbox}` && content !== '').length)
    .toBe(first.snapshot.sorted.filter(({ parent, kind }) => kind === 'mail' && parent === `mail/f/${inbox}`).length);
  expect(second.fetched).toHaveLength(1);
  const third = await tenant.run(second.snapshot);
  expect(third.fetched).toHaveLength(1);
  expect(wholeRows(third.snapshot)).toEqual(wholeRows((await tenant.run()).snapshot));
});

test('when the network is gone the run ends, and does not name every mail', async () => {
  await using tenant = await TestTenant.start({ items: 100 });
  tenant.simulator.fault({ on: '$value', after: 20, times: 1_000_000, fault: { kind: 'reset' } });
  await expect(tenant.run()).rejects.toMatchObject({ code: 'http/unavailable' });
});

test('a permission that is withdrawn in mid-run ends it with a sentence', async () => {
  await using tenant = await TestTenant.start();
  tenant.simulator.fault({ on: '$value', after: 5, times: 1, fault: { kind: 'do', action: () => tenant.simulator.withdrawPermission('Mail.Read') } });
  tenant.simulator.withdrawPermission('Mail.ReadWrite');
  await expect(tenant.run()).rejects.toMatchObject({ code: 'microsoft365/no-permission', retryClass: 'input' });
});

test('tokens that are refused in mid-run are renewed once, and nothing is lost', async () => {
  // The simulator refuses tokens of the same second, so waits are real here.
  await using tenant = await TestTenant.start({ runtime: { sleep } });
  tenant.simulator.fault({ on: '$value', after: 7, times: 1, fault: { kind: 'do', action: () => tenant.simulator.revokeTokens() } });
  const run = await tenant.run();
  expect(run.snapshot.sorted.filter(({ outcome }) => outcome !== '')).toEqual([]);
  expect(run.requests.filter(({ status }) => status === 401).length).toBeGreaterThan(0);
});

test('mails larger than what memory is for go through a file, whole', async () => {
  await using tenant = await TestTenant.start({ items: 40 });
  const big = 'Z'.repeat(3_000_000);
  const attachments = [0, 1, 2].map((place) => ({ '@odata.type': '#microsoft.graph.fileAttachment', name: `${place}.bin`, contentBytes: Buffer.from(big).toString('base64').slice(0, 3_900_000) }));
  const { id } = await tenant.ask('POST', '/mailFolders/archive/messages', { subject: 'Large', body: { contentType: 'text', content: 'x' }, attachments: attachments.slice(0, 1).map((one) => ({ ...one, contentBytes: one.contentBytes.slice(0, 2_800_000) })) });
  for (const one of attachments.slice(1)) await tenant.ask('POST', `/messages/${id}/attachments`, { ...one, contentBytes: one.contentBytes.slice(0, 2_800_000) });
  for (const one of attachments) await tenant.ask('POST', `/messages/${id}/attachments`, { ...one, contentBytes: one.contentBytes.slice(0, 2_800_000) });
  const run = await tenant.run();
  const row = run.snapshot.byKey.get(`mail/m/${id}`);
  expect(row?.outcome).toBe('');
  expect(row?.size).toBeGreaterThan(8 << 20);
  expect(run.snapshot.bytesOf(row!)?.subarray(-8).toString()).toMatch(/--\r\n$/);
});

test('parts of a batch that fail are sent again, each by its own status and without the others', async () => {
  await using tenant = await TestTenant.start();
  tenant.simulator.fault({ on: /mailFolders\/(inbox|drafts)\?/, times: 2, fault: { kind: 'status', status: 503, retryAfterSeconds: 1 } });
  const { snapshot, requests } = await tenant.run();
  const parts = requests.filter(({ batched }) => batched);
  expect(requests.filter(({ url }) => url.endsWith('/$batch'))).toHaveLength(2);
  expect(parts.slice(-2).map(({ url }) => /mailFolders\/(\w+)/.exec(url)?.[1] ?? '').sort()).toEqual(['drafts', 'inbox']);
  expect(JSON.parse(snapshot.find('Mail/Inbox')?.meta ?? '')).toEqual({ wellKnown: 'inbox' });
  expect(JSON.parse(snapshot.find('Mail/Drafts')?.meta ?? '')).toEqual({ wellKnown: 'drafts' });
});
