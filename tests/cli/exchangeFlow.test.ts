import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startMicrosoft365, type Microsoft365 } from '../../simulators/microsoft365/index.ts';
import { readManifest } from '../export/readers.ts';
import { CliSandbox } from './cliSandbox.ts';
import { reachTenant } from './reachTenant.ts';

interface Document {
  readonly id: string;
  readonly entity: string;
  readonly status: string;
  readonly items: number;
  readonly warnings: number;
  readonly exceptions: readonly { readonly code: string; readonly item: string }[];
}

/** A mail is deleted for good in a mailbox on hold, which keeps it where nobody sees it. */
async function purgeOnHold(simulator: Microsoft365, address: string): Promise<void> {
  simulator.setHold(address, true);
  const { loginUrl, graphUrl, tenant, clientId, clientSecret } = simulator;
  const form = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials', scope: `${graphUrl}/.default` });
  const { access_token: token } = (await (await fetch(`${loginUrl}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body: form })).json()) as { access_token: string };
  const messages = `${graphUrl}/v1.0/users/${address}/messages`;
  const headers = { authorization: `Bearer ${token}` };
  const { value: [mail] } = (await (await fetch(`${messages}?$top=1`, { headers })).json()) as { value: { id: string }[] };
  expect((await fetch(`${messages}/${mail?.id}/permanentDelete`, { method: 'POST', headers })).status).toBe(204);
}

test('one command protects a mailbox from a fresh machine; its mail is browsed, searched and exported', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 2, items: 70, seed: 'flow' });
  const [address = ''] = simulator.mailboxes;
  await purgeOnHold(simulator, address);
  const command = ['backup', 'microsoft365', 'exchange', ...reachTenant(sandbox, simulator), '--mailbox', address];
  const [first] = await sandbox.json<Document[]>([...command, '--init']);
  expect(first).toMatchObject({ service: 'exchange', status: 'complete', warnings: 0, removed: 0, made: { keyFileMade: true } });
  expect(first?.items).toBeGreaterThan(40);

  const before = simulator.log.total;
  const [second] = await sandbox.json<Document[]>(command);
  expect(second).toMatchObject({ status: 'complete', items: first?.items, added: 0, changed: 0, removed: 0 });
  const asked = simulator.requests().filter(({ number, url }) => number > before && !url.includes('oauth2')).map(({ url }) => url);
  // Graph has no delta of all calendars and events, of settings, rules and categories.
  const isListed = /\/(calendars\?|calendars\/[^/]+\/events\?|\$batch$|mailboxSettings|masterCategories|messageRules)/;
  expect(asked.filter((url) => !url.includes('/delta') && !isListed.test(url))).toEqual([expect.stringMatching(/^\/v1\.0\/users\/[^/]+\?\$select/)]);

  const paths = (await sandbox.json<{ path: string; kind: string }[]>(['ls', 'latest', '--recursive'])).filter(({ kind }) => kind === 'folder').map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(['Mail', 'Mail/Inbox', 'Mail/Inbox/Newsletters', 'Mail/Projects/Atlas', 'Recoverable Items/Deletions']));
  const inbox = await sandbox.json<{ name: string; size: number }[]>(['ls', 'latest', 'Mail/Inbox']);
  expect(inbox.length).toBeGreaterThan(5);
  const mails = await sandbox.json<{ items: number }>(['export', 'latest', '--path', 'Mail', '--format', 'eml', '--to', sandbox.path('eml')]);
  expect(mails).toMatchObject({ missing: 0, issues: [] });
  const exported = readManifest(sandbox.path('eml')).filter(({ type }) => type === 'item');
  expect(exported).toHaveLength(mails.items);
  expect(exported.length).toBeGreaterThan(40);
  // Without --holds what only a hold keeps is left out, and told; the same of what a format does not hold, which ends with 3.
  const held = [{ code: 'export/on-hold', kind: 'Mail', items: 1 }];
  expect(await sandbox.json(['export', 'latest', '--format', 'zip', '--to', sandbox.path('zip')])).toMatchObject({ items: (first?.items ?? 0) - 1, missing: 0, issues: [], leftOut: held });
  expect(await sandbox.json(['export', 'latest', '--path', 'Recoverable Items/Purges', '--format', 'eml', '--to', sandbox.path('purges')])).toMatchObject({ items: 1, leftOut: [] });
  const { leftOut, ...whole } = await sandbox.json<{ leftOut: { code: string; kind: string; items: number }[] }>(['export', 'latest', '--holds', '--format', 'mbox', '--to', sandbox.path('mbox')], 3);
  expect(whole).toMatchObject({ missing: 0, issues: [] });
  expect(leftOut.map(({ kind }) => kind).sort()).toEqual(['Contact', 'Event', 'Out of reach', 'Setting', 'Task']);
  expect(readManifest(sandbox.path('mbox')).filter(({ type }) => type === 'leftOut')).toHaveLength(leftOut.reduce((sum, { items }) => sum + items, 0));
  const [file] = readdirSync(sandbox.path('eml', 'Mail', 'Inbox')).filter((name) => name.endsWith('.eml'));
  expect(readFileSync(sandbox.path('eml', 'Mail', 'Inbox', file ?? ''), 'utf8')).toMatch(/^Subject: /m);
  await sandbox.json(['restore', 'folder', 'latest', '--to', sandbox.path('disk')]);
  for (const folder of ['Calendars/Calendar', 'Contacts/Contacts', 'Tasks/Tasks']) {
    const [name = ''] = readdirSync(sandbox.path('disk', ...folder.split('/'))).filter((one) => one.endsWith('.json'));
    expect(JSON.parse(readFileSync(sandbox.path('disk', ...folder.split('/'), name), 'utf8'))).toHaveProperty('lastModifiedDateTime');
  }
  expect(paths).toEqual(expect.arrayContaining(['Calendars/Team', 'Contacts/Contacts/Suppliers', 'Tasks/Errands', 'Notes/Notes', 'Settings/Inbox rules', 'Out of reach']));
  expect(readdirSync(sandbox.path('disk', 'Mail', 'Inbox')).filter((name) => name.endsWith('.eml'))).toHaveLength(inbox.filter((row) => row.size > 0).length);
  expect(await sandbox.json(['check', '--read-data'])).toMatchObject({});
});

test('all mailboxes of a tenant are backed up, some at once; each is an entity of its own', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 10, items: 12, seed: 'many' });
  const documents = await sandbox.json<Document[]>(['backup', 'microsoft365', 'exchange', ...reachTenant(sandbox, simulator), '--init']);
  expect(documents).toHaveLength(simulator.mailboxes.length);
  expect(new Set(documents.map(({ entity }) => entity)).size).toBe(documents.length);
  expect(documents.every(({ status }) => status === 'complete')).toBe(true);
  expect(simulator.requests().filter(({ status }) => status === 429).length).toBeLessThanOrEqual(simulator.log.total / 100);
  const [address = ''] = simulator.mailboxes;
  expect(await sandbox.json<unknown[]>(['snapshots', '--entity', address])).toHaveLength(1);
});

test('a mail that can not be had leaves one named failure, exit code 3 and a partial snapshot that a rerun completes', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 1, items: 60, seed: 'broken' });
  const command = ['backup', 'microsoft365', 'exchange', ...reachTenant(sandbox, simulator), '--mailbox', simulator.mailboxes[0] ?? ''];
  const broken = simulator.fault({ on: /messages\/[^/]*[A-M]AAA%3D\/\$value$/, times: 1_000_000, fault: { kind: 'status', status: 400, code: 'ErrorCorruptData' } });
  const [first] = await sandbox.json<Document[]>([...command, '--init'], 3);
  expect(first).toMatchObject({ status: 'partial' });
  expect(first?.exceptions.length).toBeGreaterThan(0);
  expect(first?.exceptions.every(({ code }) => code === 'unreadable')).toBe(true);
  broken();
  expect((await sandbox.json<Document[]>(command))[0]).toMatchObject({ status: 'complete', warnings: 0, items: first?.items, added: 0, removed: 0 });
});

test('of several mailboxes one that fails is named, and the others are backed up', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 3, items: 12, seed: 'several' });
  const [gone = '', ...others] = simulator.mailboxes;
  const options = reachTenant(sandbox, simulator);
  await sandbox.json(['backup', 'microsoft365', 'exchange', ...options, '--init']);
  const folder = simulator.fault({ on: /mailFolders\/delta/, times: 1, fault: { kind: 'status', status: 404, code: 'MailboxNotEnabledForRESTAPI' } });
  const documents = await sandbox.json<(Document & { error?: { code: string }; name?: string })[]>(
    ['backup', 'microsoft365', 'exchange', ...options, '--parallel', '1', '--mailbox', gone, ...others], 3);
  folder();
  expect(documents.filter(({ error }) => error !== undefined)).toMatchObject([{ name: gone, error: { code: 'microsoft365/no-mailbox' } }]);
  expect(documents.filter(({ status }) => status === 'complete')).toHaveLength(others.length);
});

test('what cannot work says why, and never says the secret', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 1, items: 10 });
  await sandbox.json(['repo', 'init']);
  writeFileSync(sandbox.path('wrong'), 'not the secret');
  const options = reachTenant(sandbox, simulator);
  const without = options.filter((_word, place) => ![4, 5].includes(place));
  const base = ['backup', 'microsoft365', 'exchange'];
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [[...base, ...without, '--client-secret-file', sandbox.path('wrong')], 1, 'microsoft365/wrong-secret'],
    [[...base, ...without], 2, 'usage/no-secret'],
    [[...base, ...without, '--certificate', sandbox.path('wrong')], 1, 'microsoft365/certificate'],
    [[...base, ...options, '--tenant', 'elsewhere.example'], 1, 'microsoft365/unknown-tenant'],
    [[...base, ...options, '--mailbox', 'nobody@contoso.example'], 1, 'microsoft365/unknown-mailbox'],
    [[...base, ...options, '--graph-url', 'http://graph.example'], 1, 'microsoft365/settings'],
    [[...base, ...options, '--login-url', 'http://127.0.0.1:1'], 1, 'http/unavailable'],
  ];
  for (const [args, code, error] of cases) {
    const said = await sandbox.run(args);
    expect([said.code, said.stdout], said.stderr).toEqual([code, '']);
    expect(said.stderr).toContain(`[${error}]`);
    for (const secret of ['not the secret', simulator.clientSecret]) expect(said.stderr).not.toContain(secret);
  }
  expect(await sandbox.json(['snapshots'])).toEqual([]);
});
