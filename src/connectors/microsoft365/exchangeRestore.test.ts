import { expect, test } from 'vitest';
import { expectCoverage } from './testing/coverageTable.ts';
import type { SnapshotModel } from '../conformance.ts';
import { Dice } from './testing/dice.ts';
import { counts, giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';
import { differences, folderPaths, readMailbox, type ShownMail } from './testing/readMailbox.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

interface Wreck {
  /** Drafts that were touched and are still there. Nothing tells whether their content is the same, so they give way to Deleted Items. */
  readonly drafts: number;
  readonly said: string;
}

/** Somebody edits, moves, deletes and purges mails, and renames, moves, deletes and purges folders. */
async function wreck(tenant: TestTenant, seed: number): Promise<Wreck> {
  const dice = new Dice(seed);
  let drafts = 0;
  const done: string[] = [];
  for (const folder of ['inbox', 'sentitems', 'archive', 'drafts', 'junkemail']) {
    for (const message of await tenant.messages(folder, 25)) {
      const step = dice.pick(STEPS) ?? 'leave';
      done.push(`${folder} ${step}`);
      await wreckMail(tenant, step, message, folder);
      if (message.isDraft === true && step !== 'purge' && step !== 'leave') drafts++;
    }
  }
  await wreckFolders(tenant);
  return { drafts, said: `seed ${seed}: ${done.join(', ')}` };
}

const STEPS = ['state', 'move', 'delete', 'purge', 'edit', 'leave'] as const;

async function wreckMail(tenant: TestTenant, step: (typeof STEPS)[number], { id, isRead, isDraft }: { id: string; isRead: boolean; isDraft: boolean }, folder: string): Promise<void> {
  const path = `/messages/${id}`;
  // Of what is no draft the content can not be changed.
  if (step === 'edit' && isDraft) await tenant.ask('PATCH', path, { subject: 'Wrecked', body: { contentType: 'text', content: 'wrecked' } });
  else if (step === 'state' || step === 'edit') await tenant.ask('PATCH', path, { isRead: !isRead, categories: ['Wrecked'], flag: { flagStatus: 'flagged' }, importance: 'low' });
  else if (step === 'move') await tenant.ask('POST', `${path}/move`, { destinationId: folder === 'archive' ? 'junkemail' : 'archive' });
  else if (step === 'delete') await tenant.ask('DELETE', path);
  else if (step === 'purge') await tenant.ask('POST', `${path}/permanentDelete`);
}

async function wreckFolders(tenant: TestTenant): Promise<void> {
  const folders = (await tenant.ask('GET', '/mailFolders?$top=100')).value as { id: string; displayName: string }[];
  const idOf = (name: string): string => folders.find(({ displayName }) => displayName === name)?.id ?? '';
  const [atlas] = (await tenant.ask('GET', `/mailFolders/${idOf('Projects')}/childFolders`)).value as { id: string }[];
  const [newsletters] = (await tenant.ask('GET', '/mailFolders/inbox/childFolders')).value as { id: string }[];
  await tenant.ask('POST', `/mailFolders/${atlas?.id}/move`, { destinationId: 'archive' });
  await tenant.ask('PATCH', `/mailFolders/${idOf('Projects')}`, { displayName: 'Wrecked' });
  await tenant.ask('DELETE', `/mailFolders/${newsletters?.id}`);
  await tenant.ask('POST', `/mailFolders/${idOf('Invoices')}/permanentDelete`);
}

async function backUp(tenant: TestTenant, address = tenant.address): Promise<SnapshotModel> {
  return (await tenant.run(undefined, { address })).snapshot;
}

/** Fields that belong to the service, or that a mail which is made anew can not have; docs/coverage/exchange.md gives the reasons. */
const OF_SERVICE = ['@odata.etag', 'changeKey', 'createdDateTime', 'id', 'lastModifiedDateTime', 'parentFolderId'];
const MADE_ANEW = [...OF_SERVICE, 'bodyPreview', 'conversationId', 'internetMessageHeaders', 'webLink'];

/** Made when the first mail needs them. */
const RECOVERABLE_FOLDERS = 2;

/** Which fields differ, over all mails that are in both. */
function compare(before: ReadonlyMap<string, ShownMail>, after: ReadonlyMap<string, ShownMail>): string[] {
  const found = new Set<string>();
  for (const [key, { fields }] of before) for (const name of differences(fields, after.get(key)?.fields ?? {})) found.add(name);
  return [...found].sort();
}

/** Headers that may be set come back, whatever else is lost of them. */
function expectOwnHeaders(before: ReadonlyMap<string, ShownMail>, after: ReadonlyMap<string, ShownMail>): void {
  const own = ({ fields }: ShownMail): unknown[] => ((fields['internetMessageHeaders'] ?? []) as { name: string }[]).filter(({ name }) => /^x-/i.test(name));
  for (const [key, mail] of before) expect(own(after.get(key) ?? mail), key).toEqual(own(mail));
}

test(`replace makes a mailbox that was wrecked as it was, and a second run writes nothing (seed ${SEED})`, async () => {
  await using tenant = await TestTenant.start({ items: 200 });
  const before = await readMailbox(tenant);
  const paths = await folderPaths(tenant);
  const snapshot = await backUp(tenant);
  const { drafts, said } = await wreck(tenant, SEED);
  const first = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect(counts(first)['failed'] ?? 0, said).toBe(0);
  const after = await readMailbox(tenant);
  expect((await folderPaths(tenant)).filter((path) => !paths.includes(path)), said).toEqual([]);
  expect([...before.keys()].filter((key) => !after.has(key)), said).toEqual([]);
  const extra = [...after].filter(([key]) => !before.has(key));
  expect(extra.map(([, { path, fields }]) => [path, fields['isDraft']]), said).toEqual(Array.from({ length: drafts }, () => ['Deleted Items', true]));
  expect(compare(before, after).filter((name) => !MADE_ANEW.includes(name)), said).toEqual([]);
  expectOwnHeaders(before, after);
  const second = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect(second.writes.map(({ method, url }) => `${method} ${url}`), said).toEqual([]);
  expect(Object.keys(counts(second)), said).toEqual(['unchanged']);
  expect(tenant.simulator.sentMails()).toEqual([]);
});

test(`skip brings back what was deleted, and leaves all else as it is (seed ${SEED})`, async () => {
  await using tenant = await TestTenant.start({ items: 100 });
  const before = await readMailbox(tenant);
  const snapshot = await backUp(tenant);
  const { said } = await wreck(tenant, SEED);
  const wrecked = await readMailbox(tenant);
  await giveBack(tenant, snapshot, { mode: 'skip' });
  const after = await readMailbox(tenant);
  const isDeleted = ({ path }: ShownMail): boolean => path.startsWith('Deleted Items') || path === 'recoverableitemsdeletions';
  for (const [key, mail] of wrecked) if (!isDeleted(mail)) expect(after.get(key)?.fields, `${key} ${said}`).toEqual(mail.fields);
  const messageIds = new Set([...after.values()].filter((mail) => !isDeleted(mail)).map(({ fields }) => fields['internetMessageId']));
  for (const [key, mail] of before) if (!isDeleted(mail)) expect(messageIds.has(mail.fields['internetMessageId']), `${key} ${said}`).toBe(true);
  const second = await giveBack(tenant, snapshot, { mode: 'skip' });
  expect(second.writes, said).toEqual([]);
  expect(Object.keys(counts(second)), said).toEqual(['skipped']);
});

test('separate puts everything below a new folder, once, and the other modes do not take the copies for the mails', async () => {
  await using tenant = await TestTenant.start({ items: 60 });
  const before = await readMailbox(tenant);
  const snapshot = await backUp(tenant);
  const first = await giveBack(tenant, snapshot, { mode: 'separate' });
  expect(counts(first)['failed'] ?? 0).toBe(0);
  const after = await readMailbox(tenant);
  for (const [key, { fields }] of before) expect(after.get(key)?.fields, key).toEqual(fields);
  const top = 'Restored 2026-01-02/';
  const copies = new Map([...after].filter(([, { path }]) => path.startsWith(top)).map(([key, mail]) => [key.slice(top.length), mail]));
  const originals = new Map([...before].map(([key, mail]) => [key.replace(/^recoverableitemsdeletions /, 'Recoverable Items/Deletions '), mail]));
  expect([...copies.keys()].sort()).toEqual([...originals.keys()].sort());
  expect(compare(originals, copies).filter((name) => !MADE_ANEW.includes(name))).toEqual([]);
  expect((await giveBack(tenant, snapshot, { mode: 'separate' })).writes).toEqual([]);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
});

test('into another mailbox everything comes with all its fields but those that are named; a dry run tells the same and writes nothing', async () => {
  await using tenant = await TestTenant.start({ items: 80 });
  const [, other = ''] = tenant.simulator.mailboxes;
  const before = await readMailbox(tenant);
  const [theirs, snapshot] = [await readMailbox(tenant, other), await backUp(tenant)];
  const dry = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, dryRun: true });
  expect(dry.writes).toEqual([]);
  const real = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  // None of them can be there under the id of the mailbox that they are of.
  expect([...dry.looks, ...real.looks]).toEqual([]);
  expect(counts(dry)).toEqual({ written: snapshot.sorted.filter(({ kind }) => kind === 'mail').length });
  expect((counts(real)['written'] ?? 0) + (counts(real)['altered'] ?? 0)).toBe(counts(dry)['written']);
  // A request for each mail, one more for each that is unread, and one for each folder.
  const unread = snapshot.sorted.filter(({ kind, meta }) => kind === 'mail' && (JSON.parse(meta) as { unread?: boolean }).unread === true).length;
  const made = [...real.results].filter(([path, { result }]) => !path.includes(' mail/m/') && result === 'written').length;
  expect(real.writes.filter(({ url }) => url.endsWith('/messages')).length).toBe(counts(dry)['written']);
  expect(real.writes.filter(({ method }) => method === 'PATCH').length).toBe(unread);
  expect(real.writes.length).toBeLessThanOrEqual((counts(dry)['written'] ?? 0) + unread + made + RECOVERABLE_FOLDERS);
  const after = await readMailbox(tenant, other);
  for (const [key, { fields }] of theirs) expect(after.get(key)?.fields, key).toEqual(fields);
  const originals = new Map([...before].map(([key, mail]) => [key.replace(/^recoverableitemsdeletions /, 'Recoverable Items/Deletions '), mail]));
  expect([...originals.keys()].filter((key) => !after.has(key))).toEqual([]);
  expect(compare(originals, after).filter((name) => !MADE_ANEW.includes(name))).toEqual([]);
  expectOwnHeaders(originals, after);
  expectCoverage('mail', [...originals.values()][0]?.fields ?? {}, compare(originals, after));
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
});

test('a mailbox that was restored and backed up is restored again without doubles', async () => {
  await using tenant = await TestTenant.start({ items: 40 });
  const first = await backUp(tenant);
  for (const { id } of await tenant.messages('inbox', 5)) await tenant.ask('POST', `/messages/${id}/permanentDelete`);
  await giveBack(tenant, first, { mode: 'replace' });
  const before = await readMailbox(tenant);
  const second = await backUp(tenant);
  for (const snapshot of [second, first]) expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
  for (const { id } of await tenant.messages('inbox', 5)) await tenant.ask('POST', `/messages/${id}/permanentDelete`);
  await giveBack(tenant, second, { mode: 'replace' });
  expect([...(await readMailbox(tenant)).keys()].sort()).toEqual([...before.keys()].sort());
});

test('what was lost of a mail is named, and nothing else is called altered', async () => {
  await using tenant = await TestTenant.start({ items: 30 });
  const { id } = await tenant.ask('POST', '/messages', { subject: 'Only what may be set', body: { contentType: 'text', content: 'a' }, internetMessageHeaders: [{ name: 'X-Kept', value: 'yes' }] });
  const snapshot = await backUp(tenant);
  const { results } = await giveBack(tenant, snapshot, { mode: 'separate' });
  const told = [...results].filter(([path]) => path.includes(' mail/m/'));
  expect(told.find(([path]) => path.endsWith(id))?.[1]).toEqual({ result: 'written' });
  const altered = told.flatMap(([, result]) => ('outcome' in result ? [result.outcome] : []));
  expect(altered.length).toBeGreaterThan(10);
  for (const { state, code, message } of altered) {
    expect([state, code]).toEqual(['altered', expect.stringMatching(/^(headers-lost|mail-as-file)$/)]);
    expect(message).toMatch(/Lost: .*Received/);
  }
});

test('tag and suffix mark what a replace gave back, and a second run writes nothing', async () => {
  await using tenant = await TestTenant.start({ items: 60 });
  const snapshot = await backUp(tenant);
  const [changed] = await tenant.messages('inbox', 1);
  await tenant.ask('PATCH', `/messages/${changed.id}`, { categories: ['Mine'] });
  const folders = (await tenant.ask('GET', '/mailFolders?$top=100')).value as { id: string; displayName: string }[];
  await tenant.ask('POST', `/mailFolders/${folders.find(({ displayName }) => displayName === 'Invoices')?.id}/permanentDelete`);
  const options = { mode: 'replace', tag: 'Restored', suffix: '(restored)' } as const;
  await giveBack(tenant, snapshot, options);
  expect((await tenant.ask('GET', `/messages/${changed.id}`)).categories).toEqual([...changed.categories, 'Restored']);
  const paths = await folderPaths(tenant);
  expect([paths.includes('Invoices (restored)'), paths.includes('Invoices')]).toEqual([true, false]);
  const mails = [...(await readMailbox(tenant)).values()];
  expect(mails.filter(({ path }) => path === 'Invoices (restored)').every(({ fields }) => (fields['categories'] as string[]).includes('Restored'))).toBe(true);
  expect(mails.filter(({ fields }) => (fields['categories'] as string[]).includes('Restored') && fields['id'] !== changed.id).every(({ path }) => path === 'Invoices (restored)')).toBe(true);
  expect((await giveBack(tenant, snapshot, options)).writes).toEqual([]);
});

test('a search folder that is there is left, and one that is gone is named', async () => {
  await using tenant = await TestTenant.start({ items: 20 });
  const { id } = await tenant.ask('POST', '/mailFolders/searchfolders/childFolders', {
    '@odata.type': '#microsoft.graph.mailSearchFolder', displayName: 'Unread', includeNestedFolders: true, sourceFolderIds: [await tenant.folderId('inbox')], filterQuery: 'isRead eq false',
  });
  const snapshot = await backUp(tenant);
  const path = snapshot.sorted.filter(({ name }) => name === 'Unread').map((row) => snapshot.pathOf(row))[0] ?? '';
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).results.get(path)).toEqual({ result: 'unchanged' });
  await tenant.ask('POST', `/mailFolders/${id}/permanentDelete`);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).results.get(path)).toMatchObject({ result: 'altered', outcome: { code: 'search-folder' } });
});

test('one mail or one folder is given back alone', async () => {
  await using tenant = await TestTenant.start({ items: 60 });
  const snapshot = await backUp(tenant);
  const [first, second] = await tenant.messages('inbox', 2);
  for (const { id } of [first, second]) await tenant.ask('POST', `/messages/${id}/permanentDelete`);
  const row = snapshot.byKey.get(`mail/m/${first.id}`);
  const path = row === undefined ? '' : snapshot.pathOf(row);
  const { writes, results } = await giveBack(tenant, snapshot, { mode: 'replace' }, { within: (one) => one === path });
  expect([...results.keys()].filter((key) => key.includes(' mail/m/')).length).toBeGreaterThan(0);
  expect(writes.filter(({ method }) => method === 'POST').length).toBeGreaterThan(0);
  const ids = [...(await readMailbox(tenant)).values()].map(({ fields }) => fields['internetMessageId']);
  expect(ids).toContain(first.internetMessageId);
  if (snapshot.sorted.filter((one) => snapshot.pathOf(one) === path).length === 1) expect(ids).not.toContain(second.internetMessageId);
});
