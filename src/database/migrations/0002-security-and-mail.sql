-- The second factor, in the sign-in library's own shape: secret and backup_codes are sealed by it.
alter table users add column two_factor_enabled boolean not null default false;
create table two_factors (
  id text primary key,
  user_id text not null unique references users (id) on delete cascade,
  secret text not null,
  backup_codes text not null,
  verified boolean not null default true,
  failed_verification_count integer not null default 0,
  locked_until timestamptz
);

-- Codes that let somebody in: none does twice.
create table used_codes (
  user_id text not null references users (id) on delete cascade,
  code text not null,
  used_at timestamptz not null,
  primary key (user_id, code)
);

-- When the password was set last, for those that expire.
alter table members add column password_set_at timestamptz not null default now();

-- What holds for all users of an account; password_days null: passwords do not expire.
alter table accounts add column two_factor_enforced boolean not null default false;
alter table accounts add column password_days integer check (password_days between 1 and 3650);
-- Set together: the account was given up, and all of it goes at gone_at.
alter table accounts add column terminated_at timestamptz;
alter table accounts add column gone_at timestamptz;
alter table accounts add constraint accounts_termination check ((terminated_at is null) = (gone_at is null));
create index accounts_gone on accounts (gone_at) where gone_at is not null;

-- A new e-mail address that is not confirmed yet. The token itself is only in the mail.
create table email_changes (
  user_id text primary key references users (id) on delete cascade,
  email text not null,
  digest bytea not null unique,
  expires_at timestamptz not null,
  created_at timestamptz not null default now()
);

-- Mail: 'waiting' until the server took it, 'failed' where it never will. The body is there only while the mail waits.
alter table outbox add column state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed'));
alter table outbox add column attempts integer not null default 0;
alter table outbox add column next_at timestamptz not null default now();
alter table outbox add column ended_at timestamptz;
alter table outbox add column failure text;
alter table outbox alter column body drop not null;
create index outbox_due on outbox (next_at) where state = 'waiting';
create index outbox_recipient on outbox (recipient, id);

-- An account that is gone takes its audit log along; what is left of it is the entry of the service's own chain that says so.
-- Only a transaction that names the account that it erases may delete, and nothing else is changed by it.
drop trigger audit_entries_only_grow on audit_entries;
create or replace function refuse_audit_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and old.account_id = current_setting('holdfast.erasing', true) then
    return old;
  end if;
  raise exception 'the audit log only grows';
end $$;
create trigger audit_entries_only_grow before update or delete on audit_entries
  for each row execute function refuse_audit_change();
create trigger audit_entries_not_truncated before truncate on audit_entries
  for each statement execute function refuse_audit_change();
