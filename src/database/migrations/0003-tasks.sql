-- A task: what of one service of one customer is backed up, and how. No content of customers is here: names and addresses of entities are.
-- Columns …_order are folded for comparing, sorting and searching; times have milliseconds, since cursors of lists hold them.
create table tasks (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  service text not null,
  name text not null,
  name_order text collate "C" not null,
  created_at timestamptz(3) not null,
  index_content boolean not null default true,
  -- How long backups of archived entities stay; null: for ever.
  archived_days integer check (archived_days between 1 and 36500),
  auto_activate boolean not null default false,
  frequency text not null default 'daily' check (frequency in ('daily', 'every-3-days', 'weekly', '3-times-a-day')),
  backup_hour smallint not null default 0 check (backup_hour between 0 and 23),
  -- How long backups stay; null: for ever.
  retention_count integer check (retention_count between 1 and 36500),
  retention_unit text check (retention_unit in ('days', 'months', 'years')),
  -- Set together: the task is to be deleted, and all of it goes at gone_at.
  deleted_at timestamptz(3),
  gone_at timestamptz(3),
  -- When the entities are to be read next; who reads them holds the lease, under the name of its run.
  discovery_due_at timestamptz(3) not null,
  discovery_run text,
  discovery_lease_until timestamptz(3),
  discovered_at timestamptz(3),
  discovery_failures integer not null default 0,
  discovery_failure text,
  constraint tasks_retention check ((retention_count is null) = (retention_unit is null)),
  constraint tasks_deletion check ((deleted_at is null) = (gone_at is null)),
  constraint tasks_name unique (account_id, name_order)
);
create index tasks_gone on tasks (gone_at) where gone_at is not null;
create index tasks_discovery on tasks (discovery_due_at) where gone_at is null;

-- How a task reaches its service. secret: sealed with a key of the master key.
create table connections (
  task_id text primary key references tasks (id) on delete cascade,
  account_id text not null references accounts (id) on delete cascade,
  -- Whose data they are: the same however often the task is authorised again. label: for people.
  identity text not null,
  label text not null,
  secret bytea not null,
  connected boolean not null default true,
  -- Why it is not, in words.
  trouble text,
  authorised_at timestamptz(3) not null
);
create index connections_account on connections (account_id);

-- A consent that is being asked for at a provider. It belongs to one session; the state itself is only in that browser.
create table authorisations (
  digest bytea primary key,
  account_id text not null references accounts (id) on delete cascade,
  session_id text not null references sessions (id) on delete cascade,
  service text not null,
  -- Given: the task that is authorised again. Else the name of the one that is made.
  task_id text references tasks (id) on delete cascade,
  name text not null,
  memory bytea not null,
  expires_at timestamptz(3) not null
);
create index authorisations_expiry on authorisations (expires_at);
create index authorisations_session on authorisations (session_id);

-- A mailbox or the like. reference: what a repository calls it; stable when people change their names.
create table entities (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  task_id text not null references tasks (id) on delete cascade,
  service text not null,
  reference text not null,
  name text not null,
  name_order text collate "C" not null,
  address text not null,
  address_order text collate "C" not null,
  kind text collate "C" not null,
  -- The provider's licence, not ours; 'none': the service knows no licences.
  licence text collate "C" not null check (licence in ('licensed', 'unlicensed', 'none')),
  state text not null check (state in ('inactive', 'active', 'paused', 'archived')),
  -- Of an archived one: what it was when it vanished, and is again when it comes back.
  state_before text check (state_before in ('inactive', 'active', 'paused')),
  archived_at timestamptz(3),
  running boolean not null default false,
  last_outcome text check (last_outcome in ('success', 'partial', 'failed')),
  last_backup_at timestamptz(3),
  bytes bigint not null default 0,
  -- Limited Access: its content is for the primary user alone.
  limited boolean not null default false,
  deleted_at timestamptz(3),
  gone_at timestamptz(3),
  created_at timestamptz(3) not null,
  -- The run of discovery that saw it last.
  seen_run text not null,
  status text collate "C" not null generated always as (
    case when gone_at is not null then 'deleting' when state = 'inactive' then 'not-active' when state <> 'active' then state
      when running then 'in-process' else coalesce(last_outcome, 'scheduled') end) stored,
  backup_order timestamptz(3) not null generated always as (coalesce(last_backup_at, timestamptz '1970-01-01 00:00:00+00')) stored,
  constraint entities_reference unique (task_id, reference),
  constraint entities_archived check ((state = 'archived') = (archived_at is not null) and (state = 'archived') = (state_before is not null)),
  constraint entities_deletion check ((deleted_at is null) = (gone_at is null))
) with (fillfactor = 85);
create index entities_elsewhere on entities (account_id, service, reference);
create index entities_by_name on entities (task_id, name_order, id);
create index entities_by_address on entities (task_id, address_order, id);
create index entities_by_kind on entities (task_id, kind, id);
create index entities_by_licence on entities (task_id, licence, id);
create index entities_by_status on entities (task_id, status, id);
create index entities_by_bytes on entities (task_id, bytes, id);
create index entities_by_backup on entities (task_id, backup_order, id);
create index entities_gone on entities (gone_at) where gone_at is not null;
create index entities_archived_since on entities (task_id, archived_at) where archived_at is not null;

create table tags (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  name text not null,
  name_order text collate "C" not null,
  created_at timestamptz(3) not null,
  constraint tags_name unique (account_id, name_order)
);

create table entity_tags (
  entity_id text not null references entities (id) on delete cascade,
  tag_id text not null references tags (id) on delete cascade,
  primary key (entity_id, tag_id)
);
create index entity_tags_tag on entity_tags (tag_id, entity_id);
