import { expect, test } from 'vitest';
import type { SnapshotModel } from '../conformance.ts';
import { contactsPlan } from './exchange/contacts/contactsPlan.ts';
import { FolderedService } from './exchange/items/folderedService.ts';
import { expectCoverage } from './testing/coverageTable.ts';
import { Dice } from './testing/dice.ts';
import { contactFolders, readContacts } from './testing/readContacts.ts';
import { differing, type ShownItem } from './testing/shownItems.ts';
import { counts, giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
/** Of the service, and of the folder; docs/coverage/exchange.md gives the reasons. */
const OF_SERVICE = ['@odata.etag', 'changeKey', 'createdDateTime', 'id', 'lastModifiedDateTime', 'parentFolderId'];
const ITEMS = 'contacts/i/';

const start = async (items = 100): Promise<TestTenant> => await TestTenant.start({ items, parts: [(access) => new FolderedService(access, contactsPlan)] });

const backUp = async (tenant: TestTenant): Promise<SnapshotModel> => (await tenant.run()).snapshot;

/** Nobody looks inside. */
const picture = (word: string): Buffer => Buffer.from(`\x89PNG ${word}`, 'latin1');

/** A contact with every field that Graph shows, and some that it does not. */
async function addWhole(tenant: TestTenant, folder = 'contacts'): Promise<string> {
  const { id } = await tenant.ask('POST', `/contactFolders/${folder}/contacts`, {
    givenName: 'Wanda', surname: 'Whole', displayName: 'Wanda Whole', middleName: 'M.', nickName: 'Wa', title: 'Dr.', generation: 'II', initials: 'WW', fileAs: 'Whole, Wanda',
    yomiGivenName: 'wa', yomiSurname: 'wo', yomiCompanyName: 'co', companyName: 'Whole Ltd', department: 'All', jobTitle: 'Head', profession: 'Pilot', manager: 'Max', assistantName: 'Asta',
    officeLocation: 'R1', businessHomePage: 'https://whole.example', spouseName: 'Sam', children: ['Cleo', 'Dan'], birthday: '1980-02-03T11:59:00Z', personalNotes: 'Line 1\r\nLine 2 ü',
    emailAddresses: [{ name: 'Wanda', address: 'wanda@whole.example' }, { name: 'W', address: 'w@whole.example' }], imAddresses: ['im:wanda'], categories: ['Customer', 'Red category'],
    businessPhones: ['+1 1', '+1 2'], homePhones: ['+1 3'], mobilePhone: '+1 4',
    businessAddress: { street: 'A 1', city: 'B', state: 'C', countryOrRegion: 'D', postalCode: '1' }, homeAddress: { street: 'H 1', city: 'I' }, otherAddress: { city: 'O' },
    singleValueExtendedProperties: [{ id: 'String 0x3A21', value: 'pager 5' }, { id: 'SystemTime 0x3A41', value: '2001-05-06T00:00:00Z' }, { id: 'Short 0x3A4D', value: '1' }],
  });
  await tenant.bytes('PUT', `/contacts/${id}/photo/$value`, { body: picture('whole'), type: 'image/png' });
  return id;
}

/** Somebody edits and deletes contacts and photos, and renames and deletes folders. */
async function wreck(tenant: TestTenant, seed: number): Promise<string> {
  const roll = new Dice(seed);
  const done: string[] = [];
  for (const { fields } of (await readContacts(tenant)).values()) {
    const path = `/contacts/${fields['id']}`;
    const step = roll.pick(['edit', 'clear', 'delete', 'photo', 'noPhoto', 'leave']) ?? 'leave';
    done.push(step);
    if (step === 'edit') await tenant.ask('PATCH', path, { surname: 'Wrecked', homeAddress: { street: 'Elsewhere' }, categories: ['Wrecked'], singleValueExtendedProperties: [{ id: 'String 0x3A21', value: 'wrecked' }] });
    else if (step === 'clear') await tenant.ask('PATCH', path, { businessPhones: [], personalNotes: '', birthday: null, emailAddresses: [] });
    else if (step === 'delete') await tenant.ask('DELETE', path);
    else if (step === 'photo') await tenant.bytes('PUT', `${path}/photo/$value`, { body: picture('wrecked'), type: 'image/png' });
    else if (step === 'noPhoto') await tenant.bytes('DELETE', `${path}/photo/$value`);
  }
  for (const [id, path] of await contactFolders(tenant)) {
    if (path.endsWith('Suppliers')) await tenant.ask('DELETE', `/contactFolders/${id}`);
    if (path.endsWith('Club')) await tenant.ask('PATCH', `/contactFolders/${id}`, { displayName: 'Wrecked' });
  }
  return `seed ${seed}: ${done.join(' ')}`;
}

/** Without what the restore notes about itself. */
const compare = (before: ReadonlyMap<string, ShownItem>, after: ReadonlyMap<string, ShownItem>): string[] => differing(before, after).filter((name) => !OF_SERVICE.includes(name));

test(`replace makes contacts that were wrecked as they were, and a second run writes nothing (seed ${SEED})`, async () => {
  await using tenant = await start();
  const { id: club } = await tenant.ask('POST', '/contactFolders', { displayName: 'Club' });
  await addWhole(tenant, club);
  await addWhole(tenant);
  const before = await readContacts(tenant);
  const snapshot = await backUp(tenant);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
  const said = await wreck(tenant, SEED);
  const first = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect([counts(first, ITEMS)['failed'], counts(first, ITEMS)['altered']], said).toEqual([undefined, undefined]);
  const after = await readContacts(tenant);
  expect([...after.keys()].sort(), said).toEqual([...before.keys()].sort());
  expect(compare(before, after), said).toEqual([]);
  const second = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect(second.writes.map(({ method, url }) => `${method} ${url}`), said).toEqual([]);
  expect(Object.keys(counts(second, ITEMS)), said).toEqual(['unchanged']);
  expect(tenant.simulator.sentMails()).toEqual([]);
});

test('what was changed after a restore is noticed, and mended alone', async () => {
  await using tenant = await start();
  const snapshot = await backUp(tenant);
  const all = [...(await readContacts(tenant)).values()];
  for (const { fields } of all) await tenant.ask('DELETE', `/contacts/${fields['id']}`);
  await giveBack(tenant, snapshot, { mode: 'replace' });
  const [made] = [...(await readContacts(tenant)).values()];
  await tenant.ask('PATCH', `/contacts/${made?.fields['id']}`, { jobTitle: 'Changed since' });
  const second = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect(second.writes.map(({ method }) => method)).toEqual(['PATCH']);
  expect(counts(second, ITEMS)['replaced']).toBe(1);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
});

test(`skip brings back what was deleted, and leaves all else as it is (seed ${SEED})`, async () => {
  await using tenant = await start();
  const before = await readContacts(tenant);
  const snapshot = await backUp(tenant);
  const said = await wreck(tenant, SEED);
  const wrecked = await readContacts(tenant);
  await giveBack(tenant, snapshot, { mode: 'skip' });
  const after = await readContacts(tenant);
  for (const [key, { fields }] of wrecked) expect(after.get(key)?.fields, `${key} ${said}`).toEqual(fields);
  expect(after.size, said).toBe(before.size);
  const second = await giveBack(tenant, snapshot, { mode: 'skip' });
  expect([second.writes, Object.keys(counts(second, ITEMS))], said).toEqual([[], ['skipped']]);
});

test('separate puts everything below a new folder, once, and the other modes do not take the copies for the contacts', async () => {
  await using tenant = await start();
  await addWhole(tenant);
  const before = await readContacts(tenant);
  const snapshot = await backUp(tenant);
  await giveBack(tenant, snapshot, { mode: 'separate' });
  const after = await readContacts(tenant);
  for (const [key, { fields }] of before) expect(after.get(key)?.fields, key).toEqual(fields);
  const top = 'Restored 2026-01-02/';
  const copies = new Map([...after].filter(([, { path }]) => path.startsWith(top)).map(([key, item]) => [key.slice(top.length), item]));
  expect([...copies.keys()].sort()).toEqual([...before.keys()].map((key) => key.replace(/^Suppliers/, 'Contacts/Suppliers')).sort());
  for (const mode of ['separate', 'replace', 'skip'] as const) expect((await giveBack(tenant, snapshot, { mode })).writes).toEqual([]);
});

test('into another mailbox every contact comes with all its fields; a dry run tells the same and writes nothing', async () => {
  await using tenant = await start();
  await addWhole(tenant);
  const [, other = ''] = tenant.simulator.mailboxes;
  const [before, theirs, snapshot] = [await readContacts(tenant), await readContacts(tenant, other), await backUp(tenant)];
  const dry = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, dryRun: true });
  expect([dry.writes, counts(dry, ITEMS)]).toEqual([[], { written: before.size }]);
  const real = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect(counts(real, ITEMS)).toEqual({ written: before.size });
  // One request each; two more for a photo.
  const photos = [...before.values()].filter(({ fields }) => fields['photo'] !== null).length;
  expect([real.writes.length, photos > 0]).toEqual([before.size + 2 * photos, true]);
  const after = await readContacts(tenant, other);
  for (const [key, { fields }] of theirs) expect(after.get(key)?.fields, key).toEqual(fields);
  const added = new Map([...after].filter(([key]) => !theirs.has(key)).map(([key, item]) => [key.replace(/( \(again\))+$/, ''), item]));
  const originals = new Map([...before].filter(([key]) => added.has(key)));
  expect(originals.size).toBeGreaterThan(3);
  expect(compare(originals, added)).toEqual([]);
  expectCoverage('contact', before.get('Contacts Wanda Whole')?.fields ?? {}, differing(originals, added));
  for (const mode of ['skip', 'replace'] as const) expect((await giveBack(tenant, snapshot, { mode }, { address: other })).writes).toEqual([]);
});

test('a contact that is refused is named, and the others are there', async () => {
  await using tenant = await start();
  const [, other = ''] = tenant.simulator.mailboxes;
  const snapshot = await backUp(tenant);
  tenant.simulator.fault({ on: /^POST .*\/contacts$/, after: 1, times: 1, fault: { kind: 'status', status: 400, code: 'ErrorInvalidRequest' } });
  const run = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect([...run.results.values()].flatMap((result) => (result.result === 'failed' ? [result.outcome] : []))).toMatchObject([{ state: 'failed', code: 'refused' }]);
  const second = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect(counts(second, ITEMS)['failed']).toBe(undefined);
  expect(second.writes.filter(({ url }) => url.endsWith('/contacts'))).toHaveLength(1);
});

test('a contact whose answer is lost is made once, and one without its photo is made anew', async () => {
  await using tenant = await start();
  await addWhole(tenant);
  const [, other = ''] = tenant.simulator.mailboxes;
  const [before, snapshot, theirs] = [await readContacts(tenant), await backUp(tenant), await readContacts(tenant, other)];
  tenant.simulator.fault({ on: /^POST .*\/contacts$/, times: 1, fault: { kind: 'truncate', bytes: 10 } });
  const stop = new AbortController();
  tenant.simulator.fault({ on: /^PUT .*photo/, times: 1, fault: { kind: 'do', action: () => stop.abort(new Error('stopped')) } });
  await expect(giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, signal: stop.signal })).rejects.toThrow('stopped');
  await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  const after = await readContacts(tenant, other);
  expect(after.size).toBe(theirs.size + before.size);
  expect(after.get('Contacts Wanda Whole')?.fields['photo']).toBe(before.get('Contacts Wanda Whole')?.fields['photo']);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
});

test('tag and suffix mark what a replace gave back, and a second run writes nothing', async () => {
  await using tenant = await start();
  const snapshot = await backUp(tenant);
  const [first] = (await tenant.ask('GET', '/contacts?$top=1')).value as any[];
  await tenant.ask('PATCH', `/contacts/${first.id}`, { jobTitle: 'Other', categories: ['Mine'] });
  for (const [id, path] of await contactFolders(tenant)) if (path === 'Suppliers') await tenant.ask('DELETE', `/contactFolders/${id}`);
  const options = { mode: 'replace', tag: 'Restored', suffix: '(restored)' } as const;
  await giveBack(tenant, snapshot, options);
  expect((await tenant.ask('GET', `/contacts/${first.id}`)).categories).toEqual([...first.categories, 'Restored']);
  const tagged = [...(await readContacts(tenant)).values()].filter(({ fields }) => (fields['categories'] as string[]).includes('Restored') && fields['id'] !== first.id);
  expect([tagged.length, new Set(tagged.map(({ path }) => path))]).toEqual([1, new Set(['Suppliers (restored)'])]);
  expect((await giveBack(tenant, snapshot, options)).writes).toEqual([]);
});
