-- Owner: trading. What is sold, who bought it, whose assessment it is; the engine's tables (0020) hold what happened in it.

create table trading.tier (
  tenant     text not null default 'default',
  id         text not null,
  version    integer not null,
  hash       text not null,
  document   jsonb not null,
  active     boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (tenant, id)
);

-- Pins the tier as it was sold: a later version never changes what was bought.
create table trading.purchase (
  id            text primary key,
  tenant        text not null default 'default',
  user_id       text not null,
  tier_id       text not null,
  tier_version  integer not null,
  tier_hash     text not null,
  tier          jsonb not null,
  amount        numeric not null,
  currency      text not null,
  status        text not null check (status in ('pending', 'paid', 'refused')),
  provider      text not null,
  checkout_id   text,
  checkout_url  text,
  reason        text,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now()
);
create index purchase_user on trading.purchase (tenant, user_id, id desc);

-- One assessment per purchase; its life is the engine's account of the same id.
create table trading.assessment (
  id          text primary key,
  tenant      text not null default 'default',
  user_id     text not null,
  purchase_id text not null unique references trading.purchase (id),
  created_at  timestamptz not null default now()
);
create index assessment_user on trading.assessment (tenant, user_id, id desc);
create index assessment_tenant on trading.assessment (tenant, id desc);

-- Versions of instrument documents, the newest is in force; an assessment pins the ones it started with.
create table trading.instrument (
  symbol     text not null,
  version    integer not null,
  hash       text not null,
  document   jsonb not null,
  created_at timestamptz not null default now(),
  primary key (symbol, version)
);

-- Idempotency-Key: what was asked and, once it is there, what was answered. 24 hours.
create table trading.idempotency (
  tenant     text not null,
  user_id    text not null,
  route      text not null,
  key        text not null,
  body_hash  text not null,
  -- made with the key, so that an attempt that takes over a broken one works on the same row
  subject    text not null,
  answer     jsonb,
  claimed_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  primary key (tenant, user_id, route, key)
);
create index idempotency_age on trading.idempotency (created_at);
