-- What the directory says of an entity, by the connector's names of properties.
alter table entities add column attributes jsonb not null default '{}';

-- Which new entities of a task are activated. A rule acts when the entities are read, on those that were not there before.
create table rules (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  task_id text not null references tasks (id) on delete cascade,
  name text not null,
  kind text not null check (kind in ('all', 'attributes')),
  enabled boolean not null default true,
  -- Property to values; '' is: says nothing. All of the properties have to fit, each with any of its values.
  conditions jsonb,
  created_at timestamptz(3) not null,
  constraint rules_conditions check ((kind = 'attributes') = (conditions is not null))
);
create index rules_task on rules (task_id, id);
create unique index rules_all on rules (task_id) where kind = 'all';

-- Activating what is new was a setting of the task; now it is the rule for all.
insert into rules (id, account_id, task_id, name, kind, created_at) select id, account_id, id, 'All new accounts', 'all', created_at from tasks where auto_activate;
alter table tasks drop column auto_activate;
