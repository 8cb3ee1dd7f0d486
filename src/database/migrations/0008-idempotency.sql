-- Requests that a caller may send again without doing their work twice. key: digest of the caller's own; request: keyed digest of what was asked;
-- answer: sealed, since it may hold a secret that is told once. Without an answer the request is at work, or broke off.
create table idempotency_keys (
  account_id text not null references accounts (id) on delete cascade,
  user_id text not null references users (id) on delete cascade,
  key bytea not null,
  request bytea not null,
  answer bytea,
  started_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (user_id, key)
);
create index idempotency_keys_expired on idempotency_keys (expires_at);
create index idempotency_keys_account on idempotency_keys (account_id);
