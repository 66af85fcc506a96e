-- Owner: trading. Operators change what is sold: every version of a tier stays, with who made it and which unsourced
-- preset parameters they answered for. Calendars are versioned documents, the newest is in force.
alter table trading.tier add column origin text not null default 'catalogue' check (origin in ('catalogue', 'operator'));

create table trading.tier_version (
  tenant     text not null default 'default',
  id         text not null,
  version    integer not null,
  hash       text not null,
  document   jsonb not null,
  made_by    text not null,
  -- parameters of its preset that have no source, as accepted by name
  accepted   jsonb,
  created_at timestamptz not null default now(),
  primary key (tenant, id, version)
);

create table trading.calendar (
  tenant     text not null default 'default',
  name       text not null,
  version    integer not null,
  kind       text not null,
  hash       text not null,
  document   jsonb not null,
  made_by    text not null,
  created_at timestamptz not null default now(),
  primary key (tenant, name, version)
);
