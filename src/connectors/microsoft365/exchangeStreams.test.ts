import { expect, test } from 'vitest';
import { COMPANION, isCompanion, type ItemRow, type Outcome } from '../../domain/index.ts';
import type { SnapshotModel } from '../conformance.ts';
import { startAlteringProxy } from './testing/alteringProxy.ts';
import { picture } from './testing/picture.ts';
import { TestTenant, type TenantOptions, type TenantRun } from './testing/testTenant.ts';

const start = async (options: TenantOptions = {}): Promise<TestTenant> => await TestTenant.start({ items: 60, fidelity: 'both', ...options });

const companions = (snapshot: SnapshotModel): ItemRow[] => snapshot.sorted.filter(isCompanion);
const mails = (snapshot: SnapshotModel): ItemRow[] => snapshot.sorted.filter(({ kind }) => kind === 'mail');
const exports = ({ requests }: TenantRun): number => requests.filter(({ url }) => url.endsWith('/exportItems')).length;
const mimes = ({ requests }: TenantRun): number => requests.filter(({ url }) => url.endsWith('/$value')).length;
const outcomes = (snapshot: SnapshotModel): [string, string, string][] => snapshot.sorted.filter(({ outcome }) => outcome !== '').map(({ key, kind, outcome }) => [key, kind, (JSON.parse(outcome) as Outcome).code]);

function withoutExport(tenant: TestTenant): void {
  for (const permission of ['MailboxItem.Export.All', 'MailboxItem.ImportExport.All']) tenant.simulator.withdrawPermission(permission);
}

test('each mail, event and contact has its stream, twenty a request; an unchanged mailbox asks for none', async () => {
  await using tenant = await start({ parts: 'all' });
  const first = await tenant.run();
  const streamed = first.snapshot.sorted.filter(({ kind }) => ['mail', 'event', 'contact'].includes(kind));
  expect(companions(first.snapshot).map(({ parent }) => parent)).toEqual(streamed.map(({ key }) => key));
  expect(outcomes(first.snapshot)).toEqual([]);
  // One asks whether it is granted, one is of notes; each page of contents and each part of the mailbox begins anew.
  const [whole, begun] = [Math.floor(streamed.length / 20), Math.ceil(first.fetched.length / 64) + 2];
  expect(exports(first) - 2).toBeGreaterThanOrEqual(whole);
  expect(exports(first) - 2).toBeLessThanOrEqual(whole + begun);
  const [mail] = mails(first.snapshot);
  const stream = first.snapshot.byKey.get(`${mail?.key}\0+`);
  const { exportBase } = JSON.parse(first.snapshot.cursor ?? '') as { exportBase: string };
  const { value } = await tenant.askAt('POST', `${exportBase}/exportItems`, { itemIds: [mail?.key.slice('mail/m/'.length)] });
  expect(stream === undefined ? undefined : first.snapshot.bytesOf(stream)?.toString('base64')).toBe(value[0].data);
  const second = await tenant.run(first.snapshot);
  expect([second.fetched, second.changed, exports(second)]).toEqual([[], 0, 0]);
});

test('a mail that moved keeps its stream; a draft that was edited gets a new one; what is gone takes its stream along', async () => {
  await using tenant = await start();
  const draft = await tenant.ask('POST', '/messages', { subject: 'Draft' });
  const first = await tenant.run();
  const [moved, gone] = await tenant.messages('inbox', 2);
  await tenant.ask('POST', `/messages/${moved.id}/move`, { destinationId: 'archive' });
  await tenant.ask('POST', `/messages/${gone.id}/permanentDelete`);
  const second = await tenant.run(first.snapshot);
  expect([exports(second), second.snapshot.byKey.has(`mail/m/${gone.id}\0+`)]).toEqual([0, false]);
  expect(companions(second.snapshot)).toHaveLength(mails(second.snapshot).length);
  await tenant.ask('PATCH', `/messages/${draft.id}`, { subject: 'Edited' });
  const third = await tenant.run(second.snapshot);
  expect(third.fetched.map(({ key, kind }) => [key, kind])).toEqual([[`mail/m/${draft.id}`, 'mail'], [`mail/m/${draft.id}\0+`, COMPANION]]);
});

test('switched on later, the streams that are missing are fetched, and nothing else; switched off, those that are no longer true go', async () => {
  await using tenant = await start();
  const draft = await tenant.ask('POST', '/messages', { subject: 'Draft' });
  const first = await tenant.run(undefined, { fidelity: 'mime' });
  expect([companions(first.snapshot), exports(first)]).toEqual([[], 0]);
  const second = await tenant.run(first.snapshot);
  expect(second.fetched.filter((item) => !isCompanion(item))).toEqual([]);
  expect(companions(second.snapshot)).toHaveLength(mails(second.snapshot).length);
  await tenant.ask('PATCH', `/messages/${draft.id}`, { subject: 'Edited' });
  const third = await tenant.run(second.snapshot, { fidelity: 'mime' });
  expect([exports(third), companions(third.snapshot).length]).toEqual([0, companions(second.snapshot).length - 1]);
  const fourth = await tenant.run(third.snapshot);
  expect(fourth.fetched.map(({ key }) => key)).toEqual([`mail/m/${draft.id}\0+`]);
});

test('without the permission that is said once and mails are kept as MIME; with it the streams are there', async () => {
  await using tenant = await start();
  withoutExport(tenant);
  const first = await tenant.run();
  expect(outcomes(first.snapshot)).toEqual([['mail/x/!streams', 'mail', 'no-streams']]);
  expect(first.snapshot.byKey.get('mail/x/!streams')?.outcome).toMatch(/MailboxItem\.Export\.All.*--fidelity mime/);
  expect([exports(first), companions(first.snapshot)]).toEqual([1, []]);
  expect(mails(first.snapshot).filter(({ content }) => content === '').map(({ key }) => key)).toEqual(['mail/x/!streams']);
  expect((await tenant.run(first.snapshot)).changed).toBe(0);
  tenant.simulator.grantPermission('MailboxItem.Export.All');
  const third = await tenant.run(first.snapshot);
  expect(picture(third.snapshot)).toEqual(picture((await tenant.run()).snapshot));
});

test('a stream that is not to be had is named alone, and fetched by the next run', async () => {
  await using tenant = await start();
  const [mail] = await tenant.messages('inbox', 1);
  // Those that are asked for together, and each of them alone.
  const back = tenant.simulator.fault({ on: '/exportItems', times: 1_000_000, fault: { kind: 'status', status: 500 } });
  const first = await tenant.run();
  back();
  expect(outcomes(first.snapshot).filter(([, kind]) => kind !== COMPANION)).toEqual([]);
  expect(outcomes(first.snapshot)).toContainEqual([`mail/m/${mail.id}\0+`, COMPANION, 'unreadable']);
  const second = await tenant.run(first.snapshot);
  expect(second.fetched.every(isCompanion)).toBe(true);
  expect(picture(second.snapshot)).toEqual(picture((await tenant.run()).snapshot));
});

test('with the stream alone no MIME is fetched, until it is wanted', async () => {
  await using tenant = await start();
  const first = await tenant.run(undefined, { fidelity: 'stream' });
  expect([mimes(first), outcomes(first.snapshot)]).toEqual([0, []]);
  expect(mails(first.snapshot).every(({ content, size }) => content === '' && size === 0)).toBe(true);
  const [moved] = await tenant.messages('inbox', 1);
  await tenant.ask('POST', `/messages/${moved.id}/move`, { destinationId: 'archive' });
  const second = await tenant.run(first.snapshot, { fidelity: 'stream' });
  expect([second.fetched, second.snapshot.byKey.get(`mail/m/${moved.id}`)?.content]).toEqual([[], '']);
  const third = await tenant.run(second.snapshot);
  expect([mimes(third), exports(third)]).toEqual([mails(third.snapshot).length, 0]);
  // The stream of the one that moved is of before.
  const readable = (snapshot: SnapshotModel): string[] => picture(snapshot).filter((row) => !row.includes(`"${COMPANION}"`));
  expect(readable(third.snapshot)).toEqual(readable((await tenant.run()).snapshot));
});

test('the stream of a very large item is not asked for, and named; its readable form is there', async () => {
  await using tenant = await start({ items: 20 });
  const id = await tenant.addMessage('inbox', 'Large');
  const size = { id: 'Integer 0xe08', value: String(33 << 20) };
  const proxy = await startAlteringProxy(tenant.simulator.graphUrl, (url, entries) => (url.includes('/messages/delta') ? entries.map((entry) => (entry['id'] === id ? { ...entry, singleValueExtendedProperties: [size] } : entry)) : undefined));
  try {
    const { snapshot } = await tenant.runThrough(proxy.url);
    expect(outcomes(snapshot)).toEqual([[`mail/m/${id}\0+`, COMPANION, 'stream-too-large']]);
    expect(snapshot.byKey.get(`mail/m/${id}`)).toMatchObject({ name: 'Large', outcome: '' });
  } finally {
    await proxy.close();
  }
});
