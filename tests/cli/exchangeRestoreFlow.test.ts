import { expect, test } from 'vitest';
import { startMicrosoft365, type Microsoft365 } from '../../simulators/microsoft365/index.ts';
import { CliSandbox } from './cliSandbox.ts';
import { reachTenant } from './reachTenant.ts';

interface Report {
  readonly written: number;
  readonly replaced: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly failed: number;
  readonly issues: readonly { readonly code: string; readonly item: string }[];
  readonly before?: string;
}

/** In-place archive and public folders: nothing that could come back. */
const REMARKS = 2;

/** Requests since then that change something in a mailbox. */
function writesSince(simulator: Microsoft365, before: number): string[] {
  return simulator.requests().filter(({ number, method, url }) => number > before && method !== 'GET' && !url.includes('oauth2') && !url.endsWith('/$batch')).map(({ method, url }) => `${method} ${url}`);
}

function codesOf({ issues }: Report): string[] {
  return [...new Set(issues.map(({ code }) => code))].sort();
}

test('a mailbox goes into another one, once; a dry run says so before, and writes nothing', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 2, items: 40, seed: 'give back' });
  const [from = '', to = ''] = simulator.mailboxes;
  const [backup] = await sandbox.json<{ id: string; items: number }[]>(['backup', 'microsoft365', 'exchange', ...reachTenant(sandbox, simulator), '--mailbox', from, '--init']);
  const command = ['restore', 'microsoft365', 'exchange', 'latest', ...reachTenant(sandbox, simulator), '--entity', from, '--to', to, '--mode', 'skip'];
  const start = simulator.log.total;
  const dry = await sandbox.json<Report>([...command, '--dry-run']);
  expect(dry).toMatchObject({ snapshot: backup?.id, dryRun: true });
  expect([dry.written + dry.skipped + dry.failed + REMARKS, dry.written > 0]).toEqual([backup?.items, true]);
  expect(dry.issues).toEqual([]);
  expect(writesSince(simulator, start)).toEqual([]);
  // What was kept as a stream comes back whole, but nothing can be written into Recoverable Items.
  const first = await sandbox.json<Report>([...command, '--snapshot-first'], 3);
  expect(first).toMatchObject({ written: dry.written, failed: dry.failed });
  expect(codesOf(first)).toEqual(['restore/not-recoverable']);
  expect(simulator.sentMails()).toEqual([]);
  expect(await sandbox.json<{ id: string }[]>(['snapshots', '--entity', to])).toMatchObject([{ id: first.before }]);
  const again = simulator.log.total;
  const second = await sandbox.json<Report>(command);
  expect(second).toMatchObject({ written: 0, skipped: dry.written + dry.skipped, failed: dry.failed });
  expect(second.issues).toEqual([]);
  expect(writesSince(simulator, again)).toEqual([]);
  // Without streams fields of headers that nobody may set and people who must not be invited are lost, and named.
  simulator.withdrawPermission('MailboxItem.ImportExport.All');
  const told = await sandbox.run([...command, '--mode', 'separate', '--json']);
  expect(codesOf(JSON.parse(told.stdout) as Report)).toEqual(['restore/attendees-lost', 'restore/headers-lost']);
  expect(told.stderr.match(/\[restore\/no-streams\]/g)).toHaveLength(1);
  expect(simulator.sentMails()).toEqual([]);
});

test('a folder goes back to the mailbox that it came from, and separate puts it beside', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 1, items: 60, seed: 'folder' });
  await sandbox.json(['backup', 'microsoft365', 'exchange', ...reachTenant(sandbox, simulator), '--init']);
  const inFolder = (await sandbox.json<unknown[]>(['ls', 'latest', 'Mail/Invoices'])).length;
  const command = ['restore', 'microsoft365', 'exchange', 'latest', ...reachTenant(sandbox, simulator), '--path', 'Mail/Invoices'];
  expect(await sandbox.json<Report>([...command, '--mode', 'replace', '--tag', 'Mine'])).toMatchObject({ written: 0, replaced: 0, unchanged: inFolder });
  expect(await sandbox.json<Report>([...command, '--folder', 'Beside'])).toMatchObject({ written: inFolder, failed: 0 });
  await sandbox.json(['backup', 'microsoft365', 'exchange', ...reachTenant(sandbox, simulator)]);
  expect((await sandbox.json<unknown[]>(['ls', 'latest', 'Mail/Beside/Invoices'])).length).toBe(inFolder);
});

test('what cannot work says why', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 1, items: 12 });
  const [address = ''] = simulator.mailboxes;
  const options = reachTenant(sandbox, simulator);
  await sandbox.json(['backup', 'microsoft365', 'exchange', ...options, '--init']);
  const command = ['restore', 'microsoft365', 'exchange', 'latest', ...options];
  const refused = async (args: readonly string[], code: number, error: string): Promise<void> => {
    const said = await sandbox.run([...command, ...args]);
    expect([said.code, said.stdout], said.stderr).toEqual([code, '']);
    expect(said.stderr).toContain(`[${error}]`);
    expect(said.stderr).not.toContain(simulator.clientSecret);
  };
  await refused(['--to', 'nobody@contoso.example'], 1, 'microsoft365/unknown-mailbox');
  await refused(['--mode', 'skip', '--tag'], 2, 'usage/only-replace');
  await refused(['--mode', 'skip', '--folder', 'x'], 2, 'usage/no-folder');
  await refused(['--path', 'Mail/Nowhere'], 1, 'cli/no-item');
  simulator.withdrawPermission('Mail.ReadWrite');
  await refused(['--mode', 'separate'], 1, 'microsoft365/no-permission');
  simulator.deleteUser(address);
  const said = await sandbox.run(command);
  expect(said.code).toBe(1);
  expect(said.stderr).toContain('--to ADDRESS');
});
