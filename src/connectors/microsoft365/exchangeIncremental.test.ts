import { expect, test } from 'vitest';
import type { LoggedRequest } from '../../../simulators/microsoft365/index.ts';
import { startAlteringProxy, stripChanges } from './testing/alteringProxy.ts';
import { picture } from './testing/picture.ts';
import type { ModelRun } from '../conformance.ts';
import { TestTenant } from './testing/testTenant.ts';

const isDelta = ({ url }: LoggedRequest): boolean => /\/delta\b/.test(url);
const exceptions = ({ changes }: ModelRun): string[] => changes.flatMap((change) => (change.type === 'exception' ? [`${change.item.name}: ${change.outcome.code}`] : []));
const isContent = ({ url }: LoggedRequest): boolean => url.endsWith('/$value');

test('an unchanged mailbox costs delta calls alone: one for the folders, one for each folder', async () => {
  await using tenant = await TestTenant.start();
  const first = await tenant.run();
  const folders = first.snapshot.sorted.filter(({ kind, parent }) => kind === 'folder' && parent !== '').length;
  const second = await tenant.run(first.snapshot);
  expect(second.changed + second.fetched.length).toBe(0);
  expect(second.requests.every(isDelta)).toBe(true);
  expect(second.requests).toHaveLength(folders + 1);
});

test('every request asks for immutable ids', async () => {
  await using tenant = await TestTenant.start();
  const first = await tenant.run();
  await tenant.addMessage();
  const second = await tenant.run(first.snapshot);
  for (const { headers, url } of [...first.requests, ...second.requests]) {
    if (url !== '/v1.0/$batch') expect(headers['prefer'], url).toContain('IdType="ImmutableId"');
  }
});

test('a first run asks for the content of each mail once, and for little besides', async () => {
  await using tenant = await TestTenant.start({ items: 120 });
  const { snapshot, requests } = await tenant.run();
  const mails = snapshot.sorted.filter(({ kind }) => kind === 'mail');
  expect(mails.length).toBeGreaterThan(80);
  const contents = requests.filter(isContent);
  expect(new Set(contents.map(({ url }) => url)).size).toBe(contents.length);
  expect(contents).toHaveLength(mails.length);
  const folders = snapshot.sorted.filter(({ kind, parent }) => kind === 'folder' && parent !== '').length;
  // Delta of folders (30, in pages of 250) and of each folder; one batch of well-known names.
  expect(requests.length - contents.length).toBeLessThanOrEqual(folders + 1 + 1 + 20 + folders);
  expect(snapshot.find('Recoverable Items/Deletions')).toBeDefined();
  expect(snapshot.find('Mail/Projects/Borealis / Übergabe')?.kind).toBe('folder');
  expect(JSON.parse(snapshot.find('Mail/Inbox')?.meta ?? '')).toEqual({ wellKnown: 'inbox' });
});

test('a mail that moves keeps its key and its content, and is not downloaded again', async () => {
  await using tenant = await TestTenant.start();
  const first = await tenant.run();
  const [moved, deleted] = await tenant.messages('inbox', 2);
  await tenant.ask('POST', `/messages/${moved.id}/move`, { destinationId: 'archive' });
  await tenant.ask('DELETE', `/messages/${deleted.id}`);
  const second = await tenant.run(first.snapshot);
  expect(second.requests.filter(isContent)).toEqual([]);
  expect(second.changed).toBe(2);
  for (const [id, folder] of [[moved.id, 'Archive'], [deleted.id, 'Deleted Items']]) {
    const row = second.snapshot.byKey.get(`mail/m/${id}`);
    expect(row && second.snapshot.pathOf(row)).toMatch(new RegExp(`^Mail/${folder}/`));
    expect(row?.content).toBe(first.snapshot.byKey.get(`mail/m/${id}`)?.content);
  }
  const third = await tenant.run(second.snapshot);
  expect(third.changed + third.fetched.length).toBe(0);
});

test('a mail that moves back and forth, also into a folder that was read already, is never lost', async () => {
  await using tenant = await TestTenant.start();
  let { snapshot } = await tenant.run();
  const [message] = await tenant.messages('inbox', 1);
  const key = `mail/m/${message.id}`;
  for (const folder of ['deleteditems', 'inbox', 'recoverableitemsdeletions', 'drafts', 'archive', 'inbox']) {
    await tenant.ask('POST', `/messages/${message.id}/move`, { destinationId: folder });
    const run = await tenant.run(snapshot);
    expect(run.fetched, folder).toEqual([]);
    expect(run.snapshot.byKey.get(key)?.parent, folder).toBe(`mail/f/${await tenant.folderId(folder)}`);
    ({ snapshot } = run);
  }
});

test('a mail that moves while a run goes on is not taken for deleted', async () => {
  await using tenant = await TestTenant.start();
  const first = await tenant.run();
  const [message] = await tenant.messages('deleteditems', 1);
  // Deleted Items are read last: the move happens when the inbox was read already.
  const inbox = await tenant.folderId('inbox');
  const bin = await tenant.folderId('deleteditems');
  let moved: Promise<unknown> | undefined;
  tenant.simulator.fault({
    on: `${encodeURIComponent(bin)}/messages/delta`, times: 1,
    fault: { kind: 'do', action: () => { moved = tenant.ask('POST', `/messages/${message.id}/move`, { destinationId: inbox }); } },
  });
  const second = await tenant.run(first.snapshot);
  await moved;
  expect(second.snapshot.byKey.get(`mail/m/${message.id}`)?.content).toBe(first.snapshot.byKey.get(`mail/m/${message.id}`)?.content);
  const third = await tenant.run(second.snapshot);
  expect(third.fetched).toEqual([]);
  expect(third.snapshot.byKey.get(`mail/m/${message.id}`)?.parent).toBe(`mail/f/${inbox}`);
});

test('a draft that was edited is downloaded again', async () => {
  await using tenant = await TestTenant.start();
  const [draft] = await tenant.messages('drafts', 1).then((found) => (found.length > 0 ? found : [undefined]));
  const { id } = draft ?? await tenant.ask('POST', '/messages', { subject: 'Draft', body: { contentType: 'text', content: 'aaaa' } });
  await tenant.ask('PATCH', `/messages/${id}`, { body: { contentType: 'text', content: `${'x'.repeat(400)}1` } });
  const first = await tenant.run();
  await tenant.ask('PATCH', `/messages/${id}`, { body: { contentType: 'text', content: `${'x'.repeat(400)}2` } });
  const second = await tenant.run(first.snapshot);
  expect(second.fetched.map(({ key }) => key)).toEqual([`mail/m/${id}`]);
  expect(second.snapshot.byKey.get(`mail/m/${id}`)?.content).not.toBe(first.snapshot.byKey.get(`mail/m/${id}`)?.content);
});

test('folders that are made, renamed, moved and deleted are followed, and their mail is not downloaded again', async () => {
  await using tenant = await TestTenant.start({ items: 60 });
  const first = await tenant.run();
  const folders = (await tenant.ask('GET', '/mailFolders?$top=100')).value as { id: string; displayName: string }[];
  const idOf = (name: string): string => folders.find(({ displayName }) => displayName === name)?.id ?? '';
  const [projects, invoices] = [idOf('Projects'), idOf('Invoices')];
  await tenant.ask('PATCH', `/mailFolders/${projects}`, { displayName: 'Projekte' });
  const made = (await tenant.ask('POST', '/mailFolders', { displayName: 'New' })).id;
  await tenant.ask('POST', `/mailFolders/${projects}/move`, { destinationId: made });
  const [kept] = await tenant.messages(invoices, 1);
  await tenant.ask('POST', `/messages/${kept.id}/move`, { destinationId: made });
  await tenant.ask('POST', `/mailFolders/${invoices}/permanentDelete`);
  const second = await tenant.run(first.snapshot);
  expect(second.fetched).toEqual([]);
  expect(second.snapshot.find('Mail/New/Projekte/Atlas')?.kind).toBe('folder');
  expect(second.snapshot.find('Mail/Invoices')).toBeUndefined();
  const row = second.snapshot.byKey.get(`mail/m/${kept.id}`);
  expect(row && second.snapshot.pathOf(row)).toMatch(/^Mail\/New\//);
  expect(second.snapshot.sorted.filter(({ parent }) => parent === `mail/f/${invoices}`)).toEqual([]);
  expect(picture(second.snapshot)).toEqual(picture((await tenant.run()).snapshot));
});

test.each(['410', '404', 'resyncRequired'])('a token that is lost in any place (%s) means listing again, and no download', async (how) => {
  await using tenant = await TestTenant.start({ items: 40 });
  const first = await tenant.run();
  const size = (await tenant.run(first.snapshot)).requests.length;
  const fault = how === '410' ? { status: 410, code: 'SyncStateNotFound' } : how === '404' ? { status: 404, code: 'syncStateNotFound' } : { status: 400, code: 'resyncRequired' };
  for (let place = 0; place < size; place++) {
    const back = tenant.simulator.fault({ on: '/delta', after: place, times: 1, fault: { kind: 'status', ...fault } });
    const again = await tenant.run(first.snapshot);
    back();
    expect(again.requests.length, `place ${place}`).toBeGreaterThan(size);
    expect([again.fetched, again.changed], `place ${place}`).toEqual([[], 0]);
  }
});

test('a token that is lost in mid-round begins the round anew, and counts nothing that was told before', async () => {
  await using tenant = await TestTenant.start({ items: 40, runtime: { pageSize: 3 } });
  const first = await tenant.run();
  expect(first.fetched.length).toBeGreaterThan(10);
  const [gone] = await tenant.messages('inbox', 1);
  tenant.simulator.evictDeltaTokens(tenant.address);
  // The mail goes when it was told already: the second page of its folder is lost, and the round that begins anew does not tell of it.
  tenant.simulator.fault({ on: /messages\/delta\?.*skiptoken/, times: 1, fault: { kind: 'do', action: () => {
    tenant.simulator.vanish(tenant.address, gone.id);
    tenant.simulator.evictDeltaTokens(tenant.address);
  } } });
  const second = await tenant.run(first.snapshot);
  expect(second.fetched).toEqual([]);
  expect(second.snapshot.byKey.has(`mail/m/${gone.id}`)).toBe(false);
  expect(picture(second.snapshot)).toEqual(picture((await tenant.run()).snapshot));
});

test('all tokens evicted: what changed meanwhile is found, and nothing else is downloaded', async () => {
  await using tenant = await TestTenant.start({ items: 60 });
  const first = await tenant.run();
  const added = await tenant.addMessage();
  const [gone, moved] = await tenant.messages('sentitems', 2);
  await tenant.ask('POST', `/messages/${gone.id}/permanentDelete`);
  await tenant.ask('POST', `/messages/${moved.id}/move`, { destinationId: 'archive' });
  tenant.simulator.evictDeltaTokens(tenant.address);
  const second = await tenant.run(first.snapshot);
  expect(second.fetched.map(({ key }) => key)).toEqual([`mail/m/${added}`]);
  expect(picture(second.snapshot)).toEqual(picture((await tenant.run()).snapshot));
});

test('a delta that tells only what changed of a mail is completed, twenty mails a request; one that is not found is told again', async () => {
  await using simulator = await TestTenant.start({ items: 150 });
  const proxy = await startAlteringProxy(simulator.simulator.graphUrl, stripChanges(['@odata.etag', 'id', 'isRead']));
  try {
    const first = await simulator.runThrough(proxy.url);
    const changed = await simulator.messages('inbox', 45);
    for (const { id, isRead } of changed) await simulator.ask('PATCH', `/messages/${id}`, { isRead: isRead !== true });
    const before = simulator.simulator.log.total;
    simulator.simulator.fault({ on: `/messages/${encodeURIComponent(changed[0].id)}?`, times: 1, fault: { kind: 'status', status: 404 } });
    const second = await simulator.runThrough(proxy.url, first.snapshot);
    // The one that was not found is named by a row of its own, which goes when it is found.
    expect(second.changed).toBe(changed.length);
    expect(exceptions(second)).toEqual(['Some mails of Inbox: not-found']);
    const batches = simulator.simulator.requests('$batch').filter(({ number }) => number > before);
    expect(batches).toHaveLength(Math.ceil(changed.length / 20));
    const third = await simulator.runThrough(proxy.url, second.snapshot);
    expect(third.changed).toBe(2);
    expect(exceptions(third)).toEqual([]);
    expect(picture(third.snapshot)).toEqual(picture((await simulator.run()).snapshot));
  } finally {
    await proxy.close();
  }
});
