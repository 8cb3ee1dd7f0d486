import { afterAll, beforeAll, expect, test } from 'vitest';
import { CliSandbox } from '../cli/cliSandbox.ts';
import { TestService } from './testService.ts';

interface Report {
  readonly accounts: number;
  readonly entries: number;
  readonly breaks: { accountId: string; seq: number; what: string }[];
}

let service: TestService;

beforeAll(async () => {
  service = await TestService.start();
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
