-- Owner: bus. A schema and a role per service; what a migration creates later in a service's schema is its role's to
-- use, and nobody else's. Roles belong to the server, not to one database, so they may be there already.
do $$
declare service text;
begin
  foreach service in array array['bus', 'gateway', 'market_data', 'trading'] loop
    if not exists (select from pg_roles where rolname = service) then
      execute format('create role %I nologin', service);
    end if;
    execute format('create schema if not exists %I', service);
    execute format('grant usage on schema %I to %I', service, service);
    execute format('alter default privileges in schema %I grant select, insert, update, delete on tables to %I', service, service);
    execute format('alter default privileges in schema %I grant usage on sequences to %I', service, service);
  end loop;
end $$;
revoke create on schema public from public;
grant usage on schema bus to gateway, market_data, trading;

-- Events that their transaction wrote and no topic has yet. An aggregate's rows are written one transaction after the
-- other, so their positions rise with aggregate_seq; the relay publishes them in that order and deletes them. Reading
-- all rows that are there, never "position > last", loses none that commits late.
create table bus.outbox (
  position      bigint      primary key generated always as identity,
  aggregate     text        not null,
  aggregate_seq bigint      not null,
  id            uuid        not null,
  topic         text        not null,
  key           text        not null,
  producer      text        not null,
  version       integer     not null default 1,
  trace         text,
  ts            timestamptz not null default now(),
  data          json        not null,
  lane          smallint    not null generated always as (abs(hashtext(aggregate) % 16)) stored
);
-- An event needs no reader's rights, only the writer's.
grant insert on bus.outbox to gateway, market_data, trading;

-- Who publishes a lane: hash(aggregate). Times are the database's.
create table bus.lane (
  lane       smallint    primary key,
  owner      text,
  expires_at timestamptz not null default '-infinity'
);
insert into bus.lane (lane) select generate_series(0, 15);

-- What a consumer group has done; the row and its effect commit together.
create table bus.inbox (
  "group" text        not null,
  id      uuid        not null,
  at      timestamptz not null default now(),
  primary key ("group", id)
);
create index inbox_at on bus.inbox (at);
grant select, insert on bus.inbox to gateway, market_data, trading;

-- The embedded bus: durable topics are rows, an event is in its topic once.
create table bus.topic_partition (
  topic     text    not null,
  partition integer not null,
  "end"     bigint  not null default 0,
  primary key (topic, partition)
);
create table bus.topic_event (
  topic     text        not null,
  partition integer     not null,
  "offset"  bigint      not null,
  id        uuid        not null unique,
  key       text        not null,
  producer  text        not null,
  version   integer     not null,
  trace     text,
  seq       bigint      not null,
  ts        timestamptz not null,
  data      json        not null,
  primary key (topic, partition, "offset")
);
create table bus.group_offset (
  "group"   text    not null,
  topic     text    not null,
  partition integer not null,
  committed bigint  not null,
  primary key ("group", topic, partition)
);
