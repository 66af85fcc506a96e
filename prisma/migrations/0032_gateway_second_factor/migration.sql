-- Owner: gateway. What ends tokens, and what is asked beside a password.

-- Access tokens carry the epoch they were issued in; those of an earlier one are refused.
alter table gateway.users add column epoch integer not null default 0 check (epoch >= 0);

-- kind: how it was opened. scopes: what it is cut to, null: all that the role holds. amr (RFC 8176): what was shown.
-- confirmed_at: when the second factor was shown last, for acts that want it fresh.
alter table gateway.sessions add column kind text not null default 'password' check (kind in ('password', 'pin', 'oauth'));
alter table gateway.sessions add column scopes text[];
alter table gateway.sessions add column amr text[] not null default '{pwd}';
alter table gateway.sessions add column confirmed_at timestamptz;
alter table gateway.sessions add column seen_at timestamptz;

-- The TOTP key of a user in the secrets port; enabled_at null: made, no code of it was shown yet.
create table gateway.second_factors (
  user_id    uuid        primary key references gateway.users on delete cascade,
  key_name   text        not null,
  created_at timestamptz not null,
  enabled_at timestamptz
);
-- SHA-256 of the recovery codes that are left; a used one is deleted.
create table gateway.recovery_codes (
  hash    text primary key,
  user_id uuid not null references gateway.users on delete cascade
);
create index recovery_codes_user on gateway.recovery_codes (user_id);

-- Devices that their owner enrolled at a login: what holds the secret is one of them.
create table gateway.devices (
  id          uuid        primary key,
  user_id     uuid        not null references gateway.users on delete cascade,
  name        text        not null,
  secret_hash text        not null unique,
  address     text        not null,
  created_at  timestamptz not null,
  seen_at     timestamptz not null
);
create index devices_user on gateway.devices (user_id, id desc);
alter table gateway.sessions add column device_id uuid references gateway.devices on delete set null;
create index sessions_device on gateway.sessions (device_id);

-- PIN logins: the row of the account is locked while an attempt is counted; looked: the PIN was compared.
create table gateway.pin_accounts (
  user_id   uuid        primary key references gateway.users on delete cascade,
  locked_at timestamptz
);
create table gateway.pin_attempts (
  id      uuid        primary key,
  user_id uuid        not null references gateway.pin_accounts on delete cascade,
  network text        not null,
  looked  boolean     not null,
  at      timestamptz not null
);
create index pin_attempts_at on gateway.pin_attempts (user_id, at);

-- Where a key may be used from; empty: from everywhere. A rotated key names the one that takes its place.
alter table gateway.api_keys add column addresses text[] not null default '{}';
alter table gateway.api_keys add column successor_id uuid;
