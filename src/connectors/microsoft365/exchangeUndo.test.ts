import { expect, test } from 'vitest';
import { Dice } from './testing/dice.ts';
import { folderPaths, readMailbox, type ShownMail } from './testing/readMailbox.ts';
import { ends, takeBack, TestJournal } from './testing/testJournal.ts';
import { giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
/** Each write gives them anew. */
const OF_SERVICE = ['@odata.etag', 'changeKey', 'lastModifiedDateTime'];

/** Somebody edits, moves, deletes and purges mails, and renames, moves, deletes and purges folders. */
async function wreck(tenant: TestTenant, seed: number): Promise<string> {
  const dice = new Dice(seed);
  const done: string[] = [];
  for (const folder of ['inbox', 'sentitems', 'drafts']) {
    for (const { id, isDraft } of await tenant.messages(folder, 12)) {
      const step = dice.pick(['state', 'move', 'delete', 'purge', 'leave']) ?? 'leave';
      done.push(`${folder} ${step}`);
      if (step === 'state') await tenant.ask('PATCH', `/messages/${id}`, { isRead: false, categories: ['Wrecked'], flag: { flagStatus: 'flagged' }, ...(isDraft === true ? { subject: 'Wrecked' } : {}) });
      if (step === 'move') await tenant.ask('POST', `/messages/${id}/move`, { destinationId: 'archive' });
      if (step === 'delete') await tenant.ask('DELETE', `/messages/${id}`);
      if (step === 'purge') await tenant.ask('POST', `/messages/${id}/permanentDelete`);
    }
  }
  const folders = (await tenant.ask('GET', '/mailFolders?$top=100')).value as { id: string; displayName: string }[];
  const idOf = (name: string): string => folders.find(({ displayName }) => displayName === name)?.id ?? '';
  const [atlas] = (await tenant.ask('GET', `/mailFolders/${idOf('Projects')}/childFolders`)).value as { id: string }[];
  await tenant.ask('POST', `/mailFolders/${atlas?.id}/move`, { destinationId: 'archive' });
  await tenant.ask('PATCH', `/mailFolders/${idOf('Projects')}`, { displayName: 'Wrecked' });
  await tenant.ask('POST', `/mailFolders/${idOf('Invoices')}/permanentDelete`);
  return `seed ${seed}: ${done.join(', ')}`;
}

function byId(mails: ReadonlyMap<string, ShownMail>): Map<string, { path: string; fields: unknown }> {
  return new Map([...mails.values()].map(({ path, fields }) => {
    const kept = Object.fromEntries(Object.entries(fields).filter(([name]) => !OF_SERVICE.includes(name)));
    return [fields['id'] as string, { path, fields: kept }];
  }));
}

const isBin = (path: string): boolean => path === 'Deleted Items' || path.startsWith('Deleted Items/');

test.each([
  ['', false], [', though nothing of what came of it was noted', true],
])(`a restore that replaces is taken back, and the mailbox is as it was before it%s (seed ${SEED})`, async (_said, isForgetful) => {
  await using tenant = await TestTenant.start({ items: 50 });
  const snapshot = (await tenant.run()).snapshot;
  const said = await wreck(tenant, SEED);
  const [before, paths] = [byId(await readMailbox(tenant)), await folderPaths(tenant)];
  const journal = new TestJournal({ isForgetful });
  await giveBack(tenant, snapshot, { mode: 'replace', tag: 'Restored', journal });
  const dry = await takeBack(tenant, journal, { dryRun: true });
  expect(dry.writes, said).toEqual([]);
  const undone = await takeBack(tenant, journal);
  expect(ends(dry), said).toEqual(ends(undone));
  expect(ends(undone)['left'] ?? 0, said).toBe(0);
  const after = byId(await readMailbox(tenant));
  for (const [id, mail] of before) expect(after.get(id), `${id} ${said}`).toEqual(mail);
  // What the restore had made.
  expect([...after].filter(([id, { path }]) => !before.has(id) && !isBin(path)), said).toEqual([]);
  expect((await folderPaths(tenant)).filter((path) => !isBin(path)), said).toEqual(paths.filter((path) => !isBin(path)));
  expect((await takeBack(tenant, journal)).writes, said).toEqual([]);
});

test('a restore that is stopped in the middle is taken back, by an undo that is stopped in the middle and meets errors, and one more', async () => {
  await using tenant = await TestTenant.start({ items: 40 });
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = (await tenant.run()).snapshot;
  const [before, paths] = [byId(await readMailbox(tenant, other)), await folderPaths(tenant, other)];
  const [journal, stop] = [new TestJournal({ isForgetful: true }), new AbortController()];
  tenant.simulator.fault({ on: /^POST .*\/messages$/, after: 8, fault: { kind: 'do', action: () => stop.abort(new Error('stopped')) } });
  await expect(giveBack(tenant, snapshot, { mode: 'separate', journal }, { address: other, signal: stop.signal })).rejects.toThrow('stopped');
  expect((await readMailbox(tenant, other)).size).toBeGreaterThanOrEqual(before.size + 8);
  const stopAgain = new AbortController();
  tenant.simulator.fault({ on: /^POST .*\/move$/, after: 4, fault: { kind: 'do', action: () => stopAgain.abort(new Error('stopped again')) } });
  await expect(takeBack(tenant, journal, { address: other, signal: stopAgain.signal })).rejects.toThrow('stopped again');
  tenant.simulator.fault({ on: /^POST .*\/move$/, after: 1, times: 2, fault: { kind: 'reset' } });
  tenant.simulator.fault({ on: /^DELETE .*\/mailFolders\//, times: 1, fault: { kind: 'status', status: 503 } });
  const { left = 0, failed = 0 } = ends(await takeBack(tenant, journal, { address: other }));
  expect([left, failed]).toEqual([0, 0]);
  const after = byId(await readMailbox(tenant, other));
  expect([...after].filter(([, { path }]) => !isBin(path))).toEqual([...before].filter(([, { path }]) => !isBin(path)));
  expect((await folderPaths(tenant, other)).filter((path) => !isBin(path))).toEqual(paths.filter((path) => !isBin(path)));
  expect((await takeBack(tenant, journal, { address: other })).writes).toEqual([]);
});

test('what somebody changed since is left as it is, and named; what another restore made stays', async () => {
  await using tenant = await TestTenant.start({ items: 40 });
  const snapshot = (await tenant.run()).snapshot;
  const [first, second] = [new TestJournal(), new TestJournal({ id: 'b'.repeat(32), isForgetful: true })];
  const inInbox = (path: string): boolean => path.startsWith('Mail/Inbox');
  await giveBack(tenant, snapshot, { mode: 'separate', journal: first }, { within: inInbox });
  await giveBack(tenant, snapshot, { mode: 'separate', journal: second }, { within: (path) => path.startsWith('Mail/Sent Items') });
  const [, read, moved, gone] = [...(await readMailbox(tenant)).values()].filter(({ path }) => path === 'Restored 2026-01-02/Inbox').map(({ fields }) => fields);
  await tenant.ask('PATCH', `/messages/${read?.['id']}`, { categories: ['Mine'] });
  await tenant.ask('POST', `/messages/${moved?.['id']}/move`, { destinationId: 'archive' });
  await tenant.ask('POST', `/messages/${gone?.['id']}/permanentDelete`);
  const undone = await takeBack(tenant, first);
  const left = undone.results.filter(([, { result }]) => result === 'left').map(([item, { code }]) => `${item} ${code}`);
  expect(left.sort()).toEqual([`${read?.['subject']} changed-since`, `${moved?.['subject']} changed-since`, 'Inbox not-empty', 'Restored 2026-01-02 not-empty'].sort());
  expect(ends(undone)['nothing']).toBe(1);
  const after = [...(await readMailbox(tenant)).values()];
  expect(after.filter(({ path }) => path === 'Restored 2026-01-02/Inbox').map(({ fields }) => fields['id'])).toEqual([read?.['id']]);
  expect(after.filter(({ path }) => path === 'Archive').map(({ fields }) => fields['id'])).toContain(moved?.['id']);
  expect(after.filter(({ path }) => path === 'Restored 2026-01-02/Sent Items').length).toBeGreaterThan(0);
});

test('what cannot be put back since its place or the thing itself is gone, what may have come as a stream, and what is not known are named', async () => {
  await using tenant = await TestTenant.start({ items: 0, fidelity: 'both' });
  const drafts: Record<string, { readonly id: string; readonly folder: string }> = {};
  for (const name of ['Kept', 'Gone', 'Homeless']) {
    const folder = (await tenant.ask('POST', '/mailFolders', { displayName: name })).id as string;
    drafts[name] = { folder, id: (await tenant.ask('POST', `/mailFolders/${folder}/messages`, { subject: name, body: { contentType: 'text', content: 'before' } })).id };
  }
  const { snapshot } = await tenant.run();
  for (const { id } of Object.values(drafts)) await tenant.ask('PATCH', `/messages/${id}`, { body: { contentType: 'text', content: 'since' } });
  const journal = new TestJournal();
  await giveBack(tenant, snapshot, { mode: 'replace', journal });
  await tenant.ask('POST', `/messages/${drafts['Gone']?.id}/permanentDelete`);
  await tenant.ask('POST', `/mailFolders/${drafts['Homeless']?.folder}/permanentDelete`);
  await journal.intend(['mail', 'settings', 'calendar', 'somewhere'].map((part) => ({ part, act: 'strange', item: part })));
  const codes = (await takeBack(tenant, journal)).results.filter(([, { result }]) => result !== 'undone').map(([item, { result, code }]) => `${item} ${result} ${code}`);
  expect(codes.sort()).toEqual(['Gone left gone', 'Homeless left no-folder', 'calendar left not-known', 'mail left not-known', 'settings left not-known', 'somewhere left not-known']);
  const [, other = ''] = tenant.simulator.mailboxes;
  const forgetful = new TestJournal({ isForgetful: true });
  await giveBack(tenant, snapshot, { mode: 'skip', journal: forgetful }, { address: other, within: (path) => path === 'Mail/Kept/Kept' });
  for (const { fields } of (await readMailbox(tenant, other)).values()) tenant.simulator.vanish(other, fields['id'] as string);
  const doubts = (await takeBack(tenant, forgetful, { address: other })).results;
  expect(doubts.filter(([item]) => item === 'Kept').map(([, { code }]) => code)).toContain('in-doubt');
});
