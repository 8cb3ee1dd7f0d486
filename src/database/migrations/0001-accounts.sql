-- One row is one customer. All else that is a customer's names its account.
create table accounts (
  id text primary key,
  company text not null,
  -- Id of a location of the settings; never changed.
  location text not null,
  created_at timestamptz not null default now(),
  activated_at timestamptz,
  trial_ends_at timestamptz
);

-- Who can sign in. users, sessions, sign_ins, verifications and rate_limits are the sign-in library's own, in its shape.
create table users (
  id text primary key,
  name text not null,
  email text not null unique,
  email_verified boolean not null default false,
  image text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table sessions (
  id text primary key,
  token text not null unique,
  user_id text not null references users (id) on delete cascade,
  expires_at timestamptz not null,
  ip_address text,
  user_agent text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index sessions_user on sessions (user_id);

create table sign_ins (
  id text primary key,
  account_id text not null,
  provider_id text not null,
  user_id text not null references users (id) on delete cascade,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  password text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (provider_id, account_id)
);
create index sign_ins_user on sign_ins (user_id);

create table verifications (
  id text primary key,
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index verifications_identifier on verifications (identifier);

create table rate_limits (
  id text primary key,
  key text not null unique,
  count integer not null,
  last_request bigint not null
);

-- What a user may do in the account. permissions and services count for the role 'custom' alone; services null is all of them.
create table members (
  user_id text primary key references users (id) on delete cascade,
  account_id text not null references accounts (id) on delete cascade,
  role text not null check (role in ('owner', 'administrator', 'custom')),
  permissions text[] not null default '{}',
  services text[],
  created_at timestamptz not null default now()
);
create index members_account on members (account_id, user_id);
create unique index members_owner on members (account_id) where role = 'owner';

-- The token itself is told once and not kept.
create table api_tokens (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  user_id text not null references members (user_id) on delete cascade,
  name text not null,
  digest bytea not null unique,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  last_used_at timestamptz
);
create index api_tokens_account on api_tokens (account_id, id);

-- A chain for each account: every entry's digest covers the one before.
create table audit_entries (
  account_id text not null,
  seq bigint not null,
  at timestamptz not null,
  kind text not null,
  actor_id text,
  actor_name text not null,
  address text,
  agent text,
  details jsonb not null default '{}',
  digest bytea not null,
  primary key (account_id, seq)
);

create index audit_entries_kind on audit_entries (account_id, kind, seq);

-- The last entry of each chain, sealed: an end that was cut off cannot be made to look like the end.
create table audit_heads (
  account_id text primary key,
  seq bigint not null,
  digest bytea not null,
  seal bytea not null
);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log only grows';
end $$;
create trigger audit_entries_only_grow before update or delete or truncate on audit_entries
  for each statement execute function refuse_audit_change();

-- Mail that waits, or was sent. body is sealed: it holds links that open an account.
create table outbox (
  id text primary key,
  recipient text not null,
  subject text not null,
  body bytea not null,
  created_at timestamptz not null default now()
);

-- What the service notes of itself: one row for each name.
create table service_notes (
  name text primary key,
  value text not null
);
