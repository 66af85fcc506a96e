-- Owner: gateway. users, accounts and sessions are better-auth's tables (services/gateway/auth/better-auth.ts maps their
-- columns); refresh_tokens, api_keys and known_addresses are ours.

create table gateway.users (
  id             uuid primary key,
  tenant         text not null default 'default',
  email          text not null unique check (email = lower(email)),
  email_verified boolean not null default false,
  name           text not null,
  image          text,
  role           text not null default 'trader' check (role in ('trader', 'operator', 'admin', 'bot', 'service')),
  plan           text not null default 'standard',
  created_at     timestamptz not null,
  updated_at     timestamptz not null
);
create index users_role on gateway.users (role);

-- How a user proves to be one; provider `credential` holds the argon2id hash.
create table gateway.accounts (
  id                       uuid primary key,
  user_id                  uuid not null references gateway.users on delete cascade,
  provider_id              text not null,
  account_id               text not null,
  password                 text,
  access_token             text,
  refresh_token            text,
  id_token                 text,
  access_token_expires_at  timestamptz,
  refresh_token_expires_at timestamptz,
  scope                    text,
  created_at               timestamptz not null,
  updated_at               timestamptz not null,
  unique (provider_id, account_id)
);
create index accounts_user on gateway.accounts (user_id);

-- A session is a family of refresh tokens; expires_at is its absolute end. A missing row is an ended session.
create table gateway.sessions (
  id         uuid primary key,
  user_id    uuid not null references gateway.users on delete cascade,
  token      text not null unique,
  expires_at timestamptz not null,
  ip_address text,
  user_agent text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index sessions_user on gateway.sessions (user_id);
create index sessions_end on gateway.sessions (expires_at);

-- SHA-256 of each refresh token of a living session; consumed ones stay, so that their reuse is seen.
create table gateway.refresh_tokens (
  hash        text primary key,
  session_id  uuid not null references gateway.sessions on delete cascade,
  expires_at  timestamptz not null,
  consumed_at timestamptz,
  consumed_by text
);
create index refresh_tokens_session on gateway.refresh_tokens (session_id);

-- Addresses from which a user has logged in: a flood of failed logins from elsewhere does not lock these out.
create table gateway.known_addresses (
  user_id uuid not null references gateway.users on delete cascade,
  address text not null,
  seen_at timestamptz not null,
  primary key (user_id, address)
);

create table gateway.api_keys (
  id                  uuid primary key,
  user_id             uuid not null references gateway.users on delete cascade,
  name                text not null,
  hash                text not null unique,
  prefix              text not null,
  last4               text not null,
  scopes              text[] not null,
  requests_per_minute integer check (requests_per_minute > 0),
  orders_per_second   integer check (orders_per_second > 0),
  created_at          timestamptz not null,
  expires_at          timestamptz,
  last_used_at        timestamptz,
  revoked_at          timestamptz
);
create index api_keys_user on gateway.api_keys (user_id, id desc);

-- Numbers the events of an aggregate without a gap.
create table gateway.event_seq (
  aggregate text primary key,
  seq       bigint not null
);
