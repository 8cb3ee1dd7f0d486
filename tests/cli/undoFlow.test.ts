import { expect, test } from 'vitest';
import { startMicrosoft365, type Microsoft365 } from '../../simulators/microsoft365/index.ts';
import { CliSandbox } from './cliSandbox.ts';
import { reachTenant } from './reachTenant.ts';

interface Undone {
  readonly restore: string;
  readonly undone: number;
  readonly nothing: number;
  readonly left: number;
  readonly failed: number;
  readonly issues: readonly { readonly code: string }[];
}

/** Requests since then that change something in a mailbox. */
function writesSince(simulator: Microsoft365, before: number): number {
  return simulator.requests().filter(({ number, method, url }) => number > before && method !== 'GET' && !url.includes('oauth2') && !url.endsWith('/$batch')).length;
}

/** Ids of the mails of a mailbox, without those in Deleted Items. */
async function mailsOf({ loginUrl, graphUrl, tenant, clientId, clientSecret }: Microsoft365, address: string): Promise<string[]> {
  const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' });
  const { access_token: token } = await (await fetch(`${loginUrl}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body })).json() as { access_token: string };
  const ask = async (path: string): Promise<any> => await (await fetch(`${graphUrl}/v1.0/users/${address}${path}`, { headers: { authorization: `Bearer ${token}`, prefer: 'IdType="ImmutableId"' } })).json();
  const { id: bin } = await ask('/mailFolders/deleteditems?$select=id');
  const { value } = await ask('/messages?$top=500&$select=id,parentFolderId') as { value: { id: string; parentFolderId: string }[] };
  return value.filter(({ parentFolderId }) => parentFolderId !== bin).map(({ id }) => id).sort();
}

test('a restore that was killed is taken back, once; so is one that ended', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 2, items: 16, seed: 'take back' });
  const [from = '', to = ''] = simulator.mailboxes;
  const options = reachTenant(sandbox, simulator);
  await sandbox.json(['backup', 'microsoft365', 'exchange', ...options, '--mailbox', from, '--fidelity', 'mime', '--init']);
  expect(await sandbox.json(['restores'])).toEqual([]);
  const before = await mailsOf(simulator, to);
  const command = ['restore', 'microsoft365', 'exchange', 'latest', ...options, '--to', to, '--path', 'Mail'];
  const killed = sandbox.start(command);
  simulator.fault({ on: /^POST .*\/messages$/, after: 3, fault: { kind: 'do', action: () => killed.child.kill('SIGKILL') } });
  expect((await killed.ended).signal).toBe('SIGKILL');
  expect((await mailsOf(simulator, to)).length).toBeGreaterThan(before.length);
  expect(await sandbox.json(['restores'])).toMatchObject([{ source: from, target: to, mode: 'separate', ended: false, undone: 'no' }]);
  const undo = ['undo', 'latest', ...options];
  const start = simulator.log.total;
  const dry = await sandbox.json<Undone>([...undo, '--dry-run']);
  expect(writesSince(simulator, start)).toBe(0);
  const first = await sandbox.json<Undone>(undo);
  expect(first).toMatchObject({ undone: dry.undone, left: 0, failed: 0 });
  expect(first.undone).toBeGreaterThan(3);
  expect(await mailsOf(simulator, to)).toEqual(before);
  const again = simulator.log.total;
  expect(await sandbox.json<Undone>(undo)).toMatchObject({ restore: first.restore, undone: 0, left: 0, failed: 0 });
  expect(writesSince(simulator, again)).toBe(0);
  const whole = await sandbox.json<{ restore: string; written: number }>(command, 3);
  const second = await sandbox.json<Undone>(['undo', whole.restore, ...options]);
  expect(second.undone).toBeGreaterThanOrEqual(whole.written);
  expect(await mailsOf(simulator, to)).toEqual(before);
  expect(await sandbox.json(['restores'])).toMatchObject([{ id: first.restore, undone: 'yes' }, { id: whole.restore, ended: true, undone: 'yes' }]);
  expect(simulator.sentMails()).toEqual([]);
});

test('what cannot be taken back says why', async () => {
  using sandbox = new CliSandbox();
  await using simulator = await startMicrosoft365({ mailboxes: 1, items: 10 });
  const options = reachTenant(sandbox, simulator);
  await sandbox.json(['backup', 'microsoft365', 'exchange', ...options, '--init']);
  const said = await sandbox.run(['undo', 'latest', ...options]);
  expect([said.code, said.stdout]).toEqual([1, '']);
  expect(said.stderr).toContain('[cli/no-restore]');
});
