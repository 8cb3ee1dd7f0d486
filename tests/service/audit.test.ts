import { afterAll, beforeAll, expect, test } from 'vitest';
import { CliSandbox } from '../cli/cliSandbox.ts';
import { PASSWORD, TestService } from './testService.ts';
import { totp } from './totp.ts';

interface Report {
  readonly accounts: number;
  readonly entries: number;
  readonly breaks: { accountId: string; seq: number; what: string }[];
}

let service: TestService;

beforeAll(async () => {
  service = await TestService.start({ origin: 'embedded' });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

/** `holdfast audit verify` beside the running service. */
async function verify(code: number): Promise<Report> {
  using sandbox = new CliSandbox();
  return sandbox.json<Report>(['audit', 'verify'], code, { environment: { HOLDFAST_DATA: service.settings.service.data } });
}

/** As somebody would who is in the database: around the trigger. */
async function tamper(sql: string, values: unknown[]): Promise<void> {
  const client = await service.database.pool.connect();
  try {
    await client.query('alter table audit_entries disable trigger user');
    await client.query(sql, values);
    await client.query('alter table audit_entries enable trigger user');
  } finally {
    client.release();
  }
}

test('the chain holds, and every way to tamper with it is found', async () => {
  const owners = [await service.owner(), await service.owner(), await service.owner(), await service.owner(), await service.owner()];
  for (let i = 0; i < 5; i++) await Promise.all(owners.map((owner) => owner.must(200, 'PATCH', '/api/v1/account', { company: `Name ${i}` })));
  const whole = await verify(0);
  expect(whole).toEqual({ accounts: 5, entries: 5 * 8, breaks: [] });
  const ids: string[] = [];
  for (const owner of owners) ids.push(((await owner.must(200, 'GET', '/api/v1/account')).body as { id: string }).id);
  const [a, b, c, d, e] = ids;
  await tamper(`update audit_entries set details = '{"company": "Name 7"}' where account_id = $1 and seq = 5`, [a]);
  await tamper('delete from audit_entries where account_id = $1 and seq = 3', [b]);
  await tamper('delete from audit_entries where account_id = $1 and seq > 6', [c]);
  // Cut off together with its head, which then fits the last entry that is left, but for its seal.
  await tamper('delete from audit_entries where account_id = $1 and seq > 6', [d]);
  await tamper('update audit_heads h set seq = 6, digest = (select digest from audit_entries e where e.account_id = h.account_id and e.seq = 6) where account_id = $1', [d]);
  await tamper('delete from audit_heads where account_id = $1', [e]);
  const found = await verify(1);
  const expected = [
    { accountId: a, seq: 5, what: 'changed' }, { accountId: b, seq: 3, what: 'missing' }, { accountId: c, seq: 7, what: 'cut off' },
    { accountId: d, seq: 7, what: 'cut off' }, { accountId: e, seq: 1, what: 'cut off' },
  ];
  expect(found.breaks.toSorted((x, y) => x.accountId.localeCompare(y.accountId))).toEqual(expected);
});

test('who runs the service takes off an owner\'s lost second factor: sessions end, the password stays, everybody who administers is told', async () => {
  const owner = await service.owner();
  const administrator = await service.user(owner, { role: 'administrator' });
  const custom = await service.user(owner, { role: 'custom' });
  const environment = { HOLDFAST_DATA: service.settings.service.data };
  using sandbox = new CliSandbox();
  const reset = (email: string, ...more: string[]) => sandbox.run(['user', 'reset-two-factor', email, ...more], { environment });
  const without = await reset(owner.email, '--yes');
  expect([without.code, without.stderr.includes('[accounts/conflict]')]).toEqual([1, true]);
  const { body } = await owner.must(200, 'POST', '/api/v1/profile/two-factor', { password: PASSWORD });
  await owner.must(204, 'PUT', '/api/v1/profile/two-factor', { code: totp(String(body?.['secret'])) });
  expect(await reset(owner.email)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
  expect(await reset('nobody@example.test', '--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining('[accounts/not-found]') });
  await owner.must(200, 'GET', '/api/v1/session');
  const { id } = await owner.read<{ id: string }>('/api/v1/account');
  const done = await sandbox.json<object>(['user', 'reset-two-factor', owner.email.toUpperCase(), '--yes'], 0, { environment });
  expect(done).toEqual({ userId: expect.any(String), accountId: id, email: owner.email, role: 'owner', sessions: 1, told: 2 });
  await owner.must(401, 'GET', '/api/v1/session');
  for (const { email } of [owner, administrator]) expect((await service.outbox.newest(email, 1))[0]?.subject).toBe('A second factor was taken off');
  expect((await service.outbox.newest(custom.email, 1))[0]?.subject).not.toBe('A second factor was taken off');
  expect((await owner.call('POST', '/api/v1/session', { email: owner.email, password: 'not the password' })).status).toBe(401);
  await owner.signIn(owner.email, PASSWORD);
  const { items: [, entry] } = await owner.read<{ items: object[] }>('/api/v1/audit?kind=two-factor.reset,sign-in.succeeded');
  expect(entry).toMatchObject({ kind: 'two-factor.reset', performedBy: 'Operator of the service', method: 'command of the operator' });
  expect(JSON.stringify(done)).not.toContain(String(body?.['secret']));
});
