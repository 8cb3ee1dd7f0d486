import type { Person } from './person.ts';
import { nonce, type TestService } from './testService.ts';

/** A task with entities of all sorts, as discovery and workers leave them. Their references are those of every such task: r1, r2 … */
export async function makeTask({ database: { pool } }: TestService, person: Person, count: number, { name = `Task ${nonce()}`, kind = 'exchange' } = {}): Promise<string> {
  const { account } = await person.read<{ account: { id: string } }>('/api/v1/session');
  const id = nonce();
  await pool.query(`insert into tasks (id, account_id, service, name, name_order, created_at, discovery_due_at, discovered_at) values ($1, $2, $3, $4, lower($4), now(), now(), now())`, [id, account.id, kind, name]);
  await pool.query(`insert into connections (task_id, account_id, identity, label, secret, authorised_at) values ($1, $2, 'i', 'contoso.example', '', now())`, [id, account.id]);
  await pool.query(`
    insert into entities (id, account_id, task_id, service, reference, name, name_order, address, address_order, kind, licence, state, state_before, archived_at, running, last_outcome, last_backup_at,
      bytes, created_at, seen_run)
    select $1 || '-' || i, $2, $1, $3, 'r' || i, n, lower(n), n || '@example.test', lower(n) || '@example.test', case when i % 10 = 0 then 'shared' else 'user' end,
      case when i % 10 = 0 then 'unlicensed' else 'licensed' end, s, case when s = 'archived' then 'active' end, case when s = 'archived' then now() end, s = 'active' and i % 14 = 2,
      case when s in ('active', 'archived', 'paused') and i % 4 < 3 then (array['success', 'partial', 'failed'])[i % 4 + 1] end,
      case when s in ('active', 'archived', 'paused') and i % 4 < 3 then date_trunc('milliseconds', timestamptz '2026-01-01 00:00:00+00' + (i % 1000) * interval '1.001 seconds') end, i % 997 * 1000, now(), 'run'
    from (select i, 'Person ' || chr(65 + i % 26) || ' ' || i as n, (array['inactive', 'inactive', 'active', 'active', 'active', 'paused', 'archived'])[i % 7 + 1] as s from generate_series(1, $4::int) i) g`,
  [id, account.id, kind, count]);
  return id;
}
