-- Owner: bus. Sealed segments of a market log that lies in Kafka: where each begins, and what was newest of each symbol
-- there (not for every one: a reader goes on from the one before that has it). A row is a function of the log alone, so
-- whoever writes it writes the same.
create table bus.segment (
  market_group text   not null,
  first        bigint not null,
  last         bigint not null,
  first_mts    bigint not null,
  last_mts     bigint not null,
  head         text   not null,
  prev         text   not null,
  groups       json   not null,
  "offset"     bigint not null,
  epoch        bigint not null,
  bytes        bigint not null,
  carry        json,
  primary key (market_group, first)
);
create index segment_carried on bus.segment (market_group, first) where carry is not null;

-- Relays that live: each takes its share of the lanes. Times are the database's.
create table bus.relay (
  owner      text        primary key,
  expires_at timestamptz not null
);

-- Rows live for milliseconds: what they leave behind is cleared by number, not by share of a table that is always empty.
alter table bus.outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);
