import { expect, test } from 'vitest';
import type { SnapshotModel } from '../conformance.ts';
import { SettingsService } from './exchange/settings/settingsService.ts';
import { counts, giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';

const start = async (): Promise<TestTenant> => await TestTenant.start({ items: 10, parts: [(access) => new SettingsService(access)] });

const backUp = async (tenant: TestTenant): Promise<SnapshotModel> => (await tenant.run()).snapshot;

/** Everything, without ids and annotations. */
async function read(tenant: TestTenant, address = tenant.address): Promise<any> {
  const plain = ({ id: _id, ...rest }: Record<string, unknown>): object => Object.fromEntries(Object.entries(rest).filter(([name, value]) => !name.startsWith('@') && !['archiveFolder', 'hasError', 'isReadOnly'].includes(name) && value !== null));
  const sorted = (list: any[]): object[] => list.sort((a, b) => (a.displayName < b.displayName ? -1 : 1)).map(plain);
  return {
    settings: plain(await tenant.ask('GET', '/mailboxSettings', undefined, address)),
    categories: sorted((await tenant.ask('GET', '/outlook/masterCategories', undefined, address)).value),
    rules: sorted((await tenant.ask('GET', '/mailFolders/inbox/messageRules', undefined, address)).value),
  };
}

async function addRules(tenant: TestTenant): Promise<string> {
  await tenant.ask('POST', '/mailFolders/inbox/messageRules', { displayName: 'Forward', sequence: 2, isEnabled: true, conditions: { subjectContains: ['x'] }, actions: { forwardTo: [{ emailAddress: { address: 'a@b.example' } }] } });
  return (await tenant.ask('POST', '/mailFolders/inbox/messageRules', { displayName: 'Invoices', sequence: 1, isEnabled: true, conditions: { subjectContains: ['invoice'] }, actions: { stopProcessingRules: true } })).id;
}

test('settings, rules and categories come back as they were, and a second run writes nothing', async () => {
  await using tenant = await start();
  const rule = await addRules(tenant);
  const before = await read(tenant);
  const snapshot = await backUp(tenant);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
  await tenant.ask('PATCH', `/mailFolders/inbox/messageRules/${rule}`, { isEnabled: false, displayName: 'Wrecked' });
  await tenant.ask('PATCH', '/mailboxSettings', { timeZone: 'UTC', timeFormat: 'hh:mm tt', workingHours: { daysOfWeek: ['monday'], startTime: '01:00:00.0000000', endTime: '02:00:00.0000000', timeZone: { name: 'UTC' } }, automaticRepliesSetting: { status: 'alwaysEnabled', externalAudience: 'none', internalReplyMessage: 'wrecked' } });
  const [first, second] = (await tenant.ask('GET', '/outlook/masterCategories')).value as { id: string }[];
  await tenant.ask('DELETE', `/outlook/masterCategories/${first?.id}`);
  await tenant.ask('PATCH', `/outlook/masterCategories/${second?.id}`, { color: 'preset20' });
  const run = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect(counts(run, 'settings/')).toEqual({ written: 1, replaced: 3, unchanged: 4 });
  expect(await read(tenant)).toEqual(before);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
  expect((await giveBack(tenant, snapshot, { mode: 'separate' })).writes).toEqual([]);
});

test('into another mailbox rules and categories come once by their names; what would send mail to people is not switched on, and named', async () => {
  await using tenant = await start();
  await addRules(tenant);
  await tenant.ask('POST', '/outlook/masterCategories', { displayName: 'Mine', color: 'preset3' });
  await tenant.ask('PATCH', '/mailboxSettings', { timeZone: 'UTC', automaticRepliesSetting: { status: 'alwaysEnabled', externalAudience: 'all', internalReplyMessage: 'Away', externalReplyMessage: 'Away' } });
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  const dry = await giveBack(tenant, snapshot, { mode: 'replace' }, { address: other, dryRun: true });
  expect(dry.writes).toEqual([]);
  const run = await giveBack(tenant, snapshot, { mode: 'replace' }, { address: other });
  const codes = [...run.results.values()].flatMap((result) => (result.result === 'altered' ? [result.outcome.code] : []));
  expect(codes.sort((a, b) => (a < b ? -1 : 1))).toEqual(['replies-off', 'rule-off']);
  const after = await read(tenant, other);
  expect(after.settings).toMatchObject({ timeZone: 'UTC', automaticRepliesSetting: { status: 'disabled', internalReplyMessage: 'Away', externalReplyMessage: 'Away' } });
  expect(after.categories).toContainEqual({ displayName: 'Mine', color: 'preset3' });
  expect(after.rules.map(({ displayName, isEnabled }: any) => [displayName, isEnabled])).toEqual([['Forward', false], ['Invoices', true]]);
  const again = await giveBack(tenant, snapshot, { mode: 'replace' }, { address: other });
  expect([again.writes, [...again.results.values()].filter(({ result }) => result === 'failed')]).toMatchObject([[], [{ outcome: { code: 'replies-off' } }, { outcome: { code: 'rule-off' } }]]);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
});

test('a rule that moves mail into a folder that is not there is refused and named, and the others are there', async () => {
  await using tenant = await start();
  await addRules(tenant);
  const [, other = ''] = tenant.simulator.mailboxes;
  await tenant.ask('POST', '/mailFolders/inbox/messageRules', { displayName: 'Sort', sequence: 3, isEnabled: true, actions: { moveToFolder: await tenant.folderId('archive') } });
  const snapshot = await backUp(tenant);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
  for (let run = 0; run < 2; run++) {
    const { results } = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
    expect([...results.values()].filter(({ result }) => result === 'failed')).toMatchObject([{ outcome: { code: 'refused' } }]);
    expect((await read(tenant, other)).rules.map(({ displayName }: any) => displayName)).toEqual(['Forward', 'Invoices']);
  }
});
