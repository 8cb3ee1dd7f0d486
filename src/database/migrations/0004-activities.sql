-- What was done for a customer: a backup, a restore, a discovery, a change of a task. A row is changed while the thing runs, and not after it ended.
-- Names are those of then. Columns without a value: it had none.
create table activities (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  kind text not null,
  status text not null check (status in ('pending', 'running', 'succeeded', 'partial', 'failed', 'cancelled')),
  started_at timestamptz not null,
  ended_at timestamptz,
  service text,
  sub_service text,
  task_id text,
  task_name text,
  entity_id text,
  entity_name text,
  actor_id text,
  actor_name text not null,
  stored_bytes bigint,
  entities bigint,
  summary text,
  details jsonb not null default '{}',
  constraint activities_ended check ((ended_at is null) = (status in ('pending', 'running')))
);
create index activities_account on activities (account_id, id);
create index activities_task on activities (account_id, task_id, id);
create index activities_entity on activities (account_id, entity_id, id);
