-- Owner: market_data. Who sequences a market group. Times are the database's; the epoch rises with each lease.
create table market_data.leader (
  market_group text        primary key,
  holder       text        not null,
  epoch        bigint      not null check (epoch > 0),
  expires_at   timestamptz not null
);
