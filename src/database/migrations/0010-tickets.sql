-- Questions of users to who runs the service, with what was added to them. Names and addresses are those of then; the user may be gone.
create table tickets (
  id text primary key,
  account_id text not null references accounts (id) on delete cascade,
  user_id text references users (id) on delete set null,
  user_name text not null,
  subject text not null,
  state text not null default 'open' check (state in ('open', 'closed')),
  messages integer not null default 1,
  created_at timestamptz not null,
  changed_at timestamptz not null
);
create index tickets_account on tickets (account_id, id);
create index tickets_user on tickets (user_id, id);

create table ticket_messages (
  id text primary key,
  ticket_id text not null references tickets (id) on delete cascade,
  author text not null,
  text text not null,
  created_at timestamptz not null
);
create index ticket_messages_ticket on ticket_messages (ticket_id, id);
